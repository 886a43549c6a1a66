/** Celery's `schedule(run_every, relative)`. */
import { type Duration, durationSeconds } from '../base/duration.ts';
import { shown } from '../base/checks.ts';
import { InvalidOption, InvalidSchedule } from '../base/errors.ts';
import type { IntervalSchedule } from './schedule.ts';
import { zoneOf } from './zone.ts';

/** Whether an interval keeps to whole days, hours, minutes or seconds. */
export interface EveryOptions {
  /** Round due times down to the interval's unit, as in Celery: `every('1d', { relative: true })` is midnight. Default false. */
  readonly relative?: boolean;
  /** IANA zone of that rounding. Default: the app's `timezone`. */
  readonly timezone?: string;
}

// SQS delays messages by whole seconds.
const SHORTEST_SECONDS = 1;
const LONGEST_SECONDS = 100 * 366 * 86_400;
const SECOND_MS = 1000;
const MINUTE_MS = 60_000;
const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/**
 * Every so often, first one interval after the entry is first seen, as in Celery.
 *
 * @param interval seconds, or text such as `'10s'`, `'5m'`, `'2h'`, `'1d'`; at least one second.
 * @example
 * ```ts
 * every('10s');
 * every(300);
 * every('1d', { relative: true, timezone: 'Europe/Berlin' });
 * ```
 * @throws InvalidSchedule
 */
export function every(interval: Duration, options: EveryOptions = {}): IntervalSchedule {
  const seconds = secondsOf(interval);
  const stray = Object.keys(options).find((key) => key !== 'relative' && key !== 'timezone');
  if (stray !== undefined)
    throw new InvalidSchedule(`every: '${stray}' is no option. Allowed are relative and timezone.`);
  const relative = options.relative ?? false;
  if (typeof relative !== 'boolean')
    throw new InvalidSchedule(`every relative: ${shown(relative)} given; true or false is allowed.`);
  if (options.timezone !== undefined) zoneOf(options.timezone);
  return Object.freeze({
    type: 'interval',
    seconds,
    relative,
    ...(options.timezone === undefined ? {} : { timezone: options.timezone }),
  });
}

function secondsOf(interval: unknown): number {
  let seconds: number;
  try {
    seconds = durationSeconds(interval, 'every');
  } catch (error) {
    if (error instanceof InvalidOption) throw new InvalidSchedule(error.message);
    throw error;
  }
  // 1.005 seconds are 1004.9999999999999 ms in floating point.
  const wholeMs = Math.round(seconds * SECOND_MS) / SECOND_MS === seconds;
  if (seconds < SHORTEST_SECONDS || seconds > LONGEST_SECONDS || !wholeMs) {
    throw new InvalidSchedule(
      `every: ${shown(interval)} given; ${SHORTEST_SECONDS} second to 100 years in whole milliseconds is allowed. Work that is due more often belongs in one task that loops.`,
    );
  }
  return seconds;
}

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
