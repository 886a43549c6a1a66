import { nextTicks } from '../../lib/schedules/next-due.ts';
import type { Schedule } from '../../lib/schedules/schedule.ts';

/** Due instants in (afterMs, untilMs], at most `limit`. */
export function dueBetween(
  schedule: Schedule,
  afterMs: number,
  untilMs: number,
  limit: number,
  anchorMs: number = afterMs,
): number[] {
  return nextTicks({ schedule, startMs: null, expiresMs: untilMs + 1 }, afterMs, anchorMs, limit);
}
