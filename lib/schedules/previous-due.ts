/** When a crontab was last due: rules of EventBridge tell nobody when they fired. Pure. */
import { nextDueMs } from './next-due.ts';
import type { Schedule } from './schedule.ts';

const MINUTE_MS = 60_000;
// Each is looked through where the one before had nothing: due instants of an hour are few where there are none in two minutes.
const WINDOWS_MS = [2, 120, 2880, 57_600, 576_000].map((minutes) => minutes * MINUTE_MS);

/** The last due instant at or before `untilMs`, up to 400 days back; undefined for none, and for what is no crontab. */
export function previousDueMs(schedule: Schedule, untilMs: number): number | undefined {
  if (schedule.type !== 'crontab') return undefined;
  for (const windowMs of WINDOWS_MS) {
    let last: number | undefined;
    let next = nextDueMs(schedule, untilMs - windowMs, untilMs - windowMs);
    while (next !== undefined && next <= untilMs) {
      last = next;
      next = nextDueMs(schedule, next, next);
    }
    if (last !== undefined) return last;
  }
  return undefined;
}
