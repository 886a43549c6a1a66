/** Celery's solar schedule. */
import { getTimes } from 'suncalc';

import { shown } from '../duration.ts';
import { InvalidSchedule } from '../errors.ts';
import { SOLAR_EVENTS, type SolarEvent, type SolarSchedule } from './schedule.ts';

const DAY_MS = 86_400_000;
// Where the sun stays up or down, the next event is at most a polar summer or winter away.
const LONGEST_WAIT_DAYS = 400;

/** Celery's names (by the height of the sun's centre: -18, -12 and -6 degrees; its upper edge for sunrise and sunset) and suncalc's. */
const TIMES = {
  dawn_astronomical: 'nightEnd',
  dawn_nautical: 'nauticalDawn',
  dawn_civil: 'dawn',
  sunrise: 'sunrise',
  solar_noon: 'solarNoon',
  sunset: 'sunset',
  dusk_civil: 'dusk',
  dusk_nautical: 'nauticalDusk',
  dusk_astronomical: 'night',
} as const satisfies Record<SolarEvent, string>;

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

/** The first such event after an instant. Days without one (polar day and night) are passed over. */
export function nextSolarMs(schedule: SolarSchedule, afterMs: number): number | undefined {
  let best: number | undefined;
  // Events of a solar day may lie a day to either side of its date.
  for (let day = -2; day <= LONGEST_WAIT_DAYS; day += 1) {
    const times = getTimes(new Date(afterMs + day * DAY_MS), schedule.latitude, schedule.longitude);
    const eventMs = times[TIMES[schedule.event]]?.getTime() ?? Number.NaN;
    const dueMs = Math.round(eventMs / 1000) * 1000;
    if (dueMs > afterMs && (best === undefined || dueMs < best)) best = dueMs;
    if (best !== undefined && afterMs + (day - 1) * DAY_MS > best) return best;
  }
  return best;
}
