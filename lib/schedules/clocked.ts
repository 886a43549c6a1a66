/** django-celery-beat's clocked schedule: once, at an instant. */
import { dueMs } from '../base/duration.ts';
import { InvalidOption, InvalidSchedule } from '../base/errors.ts';
import type { ClockedSchedule } from './schedule.ts';

/**
 * Once, at an instant: Date, ISO 8601 text (without an offset: UTC), or epoch seconds.
 *
 * @example
 * ```ts
 * clocked('2027-01-01T00:00:00Z');
 * ```
 * @throws InvalidSchedule
 */
export function clocked(at: Date | string | number): ClockedSchedule {
  try {
    return Object.freeze({ type: 'clocked', at: new Date(dueMs(at, 'clocked')).toISOString() });
  } catch (error) {
    if (error instanceof InvalidOption || error instanceof RangeError) throw new InvalidSchedule(error.message);
    throw error;
  }
}

export function nextClockedMs(schedule: ClockedSchedule, afterMs: number): number | undefined {
  const atMs = Date.parse(schedule.at);
  return atMs > afterMs ? atMs : undefined;
}
