/** Celery's solar schedule. */
import { shown } from '../base/checks.ts';
import { InvalidSchedule } from '../base/errors.ts';
import { SOLAR_EVENTS, type SolarEvent, type SolarSchedule } from './schedule.ts';

/**
 * At an event of the sun over a place, to about ten seconds; the weather moves the real one by more.
 *
 * @param latitude degrees, -90 to 90, north positive
 * @param longitude degrees, -180 to 180, east positive
 * @example
 * ```ts
 * solar('sunset', 52.52, 13.4);
 * ```
 * @throws InvalidSchedule
 */
export function solar(event: SolarEvent, latitude: number, longitude: number): SolarSchedule {
  if (!SOLAR_EVENTS.includes(event))
    throw new InvalidSchedule(`solar event: ${shown(event)} given. Allowed are ${SOLAR_EVENTS.join(', ')}.`);
  degrees(latitude, 90, 'latitude');
  degrees(longitude, 180, 'longitude');
  return Object.freeze({ type: 'solar', event, latitude, longitude });
}

function degrees(value: unknown, limit: number, field: string): void {
  if (typeof value === 'number' && Math.abs(value) <= limit) return;
  throw new InvalidSchedule(`solar ${field}: ${shown(value)} given; -${limit} to ${limit} degrees is allowed.`);
}
