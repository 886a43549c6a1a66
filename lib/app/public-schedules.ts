/**
 * What `celeriac` exports to ask schedules. A function of its own: what `lib/index.ts` exports directly is read at each
 * start of a worker that has it in a chunk, whether its tasks ask for it or not.
 */
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
