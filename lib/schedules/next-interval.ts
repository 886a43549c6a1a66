/** When an interval has next passed. */
import type { IntervalSchedule } from './schedule.ts';
import { zoneOf } from './zone.ts';

const SECOND_MS = 1000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** The first due instant after a given one, counted from `anchorMs`. */
export function nextIntervalMs(schedule: IntervalSchedule, afterMs: number, anchorMs: number): number {
  const stepMs = Math.round(schedule.seconds * SECOND_MS);
  if (schedule.relative) return nextRelativeMs(schedule, afterMs, stepMs);
  // The grid of the anchor is kept: what ran late does not shift what follows.
  const steps = Math.max(1, Math.floor((afterMs - anchorMs) / stepMs) + 1);
  return anchorMs + steps * stepMs;
}

/** One interval later, rounded down to the interval's own unit (Celery's `delta_resolution`). */
function nextRelativeMs(schedule: IntervalSchedule, afterMs: number, stepMs: number): number {
  const zone = zoneOf(schedule.timezone ?? 'UTC');
  const unitMs = [DAY_MS, HOUR_MS, MINUTE_MS].find((unit) => stepMs >= unit) ?? SECOND_MS;
  const afterLocal = afterMs + zone.segmentAt(afterMs).offsetMs;
  if (unitMs === DAY_MS) {
    // Days are counted on the calendar: midnight stays midnight over a change of the clocks.
    return zone.instantOf(floorTo(afterLocal + stepMs, DAY_MS), afterMs + 1);
  }
  const dueMs = afterMs + stepMs;
  const { offsetMs, fromMs } = zone.segmentAt(dueMs);
  const roundedMs = floorTo(dueMs + offsetMs, unitMs) - offsetMs;
  // Where the clocks jump over the full unit, or show it only before they go back, it is due when they change.
  return zone.segmentAt(roundedMs).offsetMs === offsetMs ? roundedMs : fromMs;
}

function floorTo(value: number, unit: number): number {
  return Math.floor(value / unit) * unit;
}
