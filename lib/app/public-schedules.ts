/**
 * What `celeriac` exports to ask schedules. A function of its own: what `lib/index.ts` exports directly is read at each
 * start of a worker that has it in a chunk, whether its tasks ask for it or not.
 */
import { describeSchedule as describe } from '../schedules/describe-schedule.ts';
import { nextDueMs as next } from '../schedules/next-due.ts';
import type { Schedule } from '../schedules/schedule.ts';

/**
 * The first due instant strictly after a given one, in milliseconds since the epoch; undefined when none
 * comes any more.
 *
 * @param anchorMs where intervals count from. Default: `afterMs` itself, as Celery counts from the last run.
 */
export function nextDueMs(schedule: Schedule, afterMs: number, anchorMs: number = afterMs): number | undefined {
  return next(schedule, afterMs, anchorMs);
}

/**
 * When a schedule is due, in one line of English: `At 02:30, only on Friday (Europe/Berlin)`, `Every 10 s`.
 *
 * @example
 * ```ts
 * for (const { name, schedule } of await app.schedules.list()) console.log(name, describeSchedule(schedule));
 * ```
 */
export function describeSchedule(schedule: Schedule): string {
  return describe(schedule);
}
