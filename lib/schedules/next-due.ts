/** The one question that everything asks of a schedule, and of an entry. */
import { nextClockedMs } from './clocked.ts';
import { nextCrontabMs } from './next-crontab.ts';
import { nextIntervalMs } from './next-interval.ts';
import type { Schedule } from './schedule.ts';
import { nextSolarMs } from './next-solar.ts';

/**
 * The first due instant strictly after a given one, in milliseconds since the epoch; undefined when none
 * comes any more.
 *
 * @param anchorMs where intervals count from. Default: `afterMs` itself, as Celery counts from the last run.
 */
export function nextDueMs(schedule: Schedule, afterMs: number, anchorMs: number = afterMs): number | undefined {
  switch (schedule.type) {
    case 'crontab':
      return nextCrontabMs(schedule, afterMs);
    case 'interval':
      return nextIntervalMs(schedule, afterMs, anchorMs);
    case 'solar':
      return nextSolarMs(schedule, afterMs);
    case 'clocked':
      return nextClockedMs(schedule, afterMs);
    default:
      return schedule satisfies never;
  }
}

/** A schedule with its start and end, as an entry has them. */
export interface BoundedSchedule {
  readonly schedule: Schedule;
  /** Nothing is due before. */
  readonly startMs: number | null;
  /** Nothing is due at it, or after. */
  readonly expiresMs: number | null;
}

/**
 * The entry's first due instant after a given one, with its start and end.
 *
 * @param anchorMs where its intervals count from.
 */
export function nextTickMs(entry: BoundedSchedule, afterMs: number, anchorMs: number): number | undefined {
  const { startMs, expiresMs, schedule } = entry;
  let dueMs: number | undefined;
  if (startMs !== null && startMs > afterMs) {
    // django-celery-beat: an interval fires at the very start; a crontab at its first match from there on.
    dueMs = schedule.type === 'interval' ? startMs : nextDueMs(schedule, startMs - 1, anchorMs);
  } else {
    dueMs = nextDueMs(schedule, afterMs, startMs ?? anchorMs);
  }
  return dueMs === undefined || (expiresMs !== null && dueMs >= expiresMs) ? undefined : dueMs;
}

/** The next due instants of an entry, at most `count`. */
export function nextTicks(entry: BoundedSchedule, afterMs: number, anchorMs: number, count: number): number[] {
  const ticks: number[] = [];
  for (let next = nextTickMs(entry, afterMs, anchorMs); next !== undefined && ticks.length < count;) {
    ticks.push(next);
    next = nextTickMs(entry, next, anchorMs);
  }
  return ticks;
}
