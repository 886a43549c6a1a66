/** Celery's `schedule(run_every, relative)`. */
import { type Duration, durationSeconds } from '../base/duration.ts';
import { shown } from '../base/checks.ts';
import { InvalidOption, InvalidSchedule } from '../base/errors.ts';
import type { IntervalSchedule } from './schedule.ts';
import { checkZone } from './check-zone.ts';

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
  if (options.timezone !== undefined) checkZone(options.timezone);
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
