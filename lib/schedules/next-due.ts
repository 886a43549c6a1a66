/** The one question that everything asks of a schedule. */
import { nextClockedMs } from './clocked.ts';
import { nextCrontabMs } from './crontab.ts';
import { nextIntervalMs } from './interval.ts';
import type { Schedule } from './schedule.ts';
import { nextSolarMs } from './solar.ts';

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

/** Due instants in (afterMs, untilMs], at most `limit`. */
export function dueBetween(
  schedule: Schedule,
  afterMs: number,
  untilMs: number,
  limit: number,
  anchorMs: number = afterMs,
): number[] {
  const due: number[] = [];
  for (let at = nextDueMs(schedule, afterMs, anchorMs); at !== undefined && at <= untilMs && due.length < limit;) {
    due.push(at);
    at = nextDueMs(schedule, at, anchorMs);
  }
  return due;
}
