/** Durations and instants as users write them. Numbers are seconds, as in Celery. */
import { InvalidOption } from './errors.ts';
import { LATEST_DUE_MS } from './limits.ts';
import { parseIsoTime } from './iso-time.ts';
import { shown } from './checks.ts';

/** Seconds, or text such as `'10s'`, `'5m'`, `'2h'`, `'1d'`, `'1w'`, `'1y'` (365 days). */
export type Duration = number | `${number}${'s' | 'm' | 'h' | 'd' | 'w' | 'y'}`;

const UNIT_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800, y: 31_536_000 };
const DURATION = /^(\d+(?:\.\d+)?)([smhdwy])$/;
const ISO_INSTANT = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$/i;
// Epoch seconds beyond this (year 5138) are taken for milliseconds by mistake.
const LARGEST_EPOCH_SECONDS = 100_000_000_000;

/** @throws InvalidOption when `value` is no duration of at least `minimumSeconds`. */
export function durationSeconds(value: unknown, field: string, minimumSeconds = 0): number {
  let seconds: number | undefined;
  if (typeof value === 'number') seconds = value;
  else if (typeof value === 'string') {
    const match = DURATION.exec(value.trim());
    if (match) seconds = Number(match[1]) * (UNIT_SECONDS[match[2] ?? ''] ?? Number.NaN);
  }
  if (seconds === undefined || !Number.isFinite(seconds) || seconds < minimumSeconds) {
    throw new InvalidOption(
      `${field}: ${shown(value)} is no duration. Give seconds (a number of at least ${minimumSeconds}) or text such as '10s', '5m', '2h', '1d'.`,
    );
  }
  return seconds;
}

/**
 * An instant in milliseconds since the epoch: a Date, an ISO 8601 string (without an offset: UTC, as in
 * Celery), or epoch seconds.
 *
 * @throws InvalidOption
 */
export function instantMs(value: unknown, field: string): number {
  if (value instanceof Date && !Number.isNaN(value.getTime())) return value.getTime();
  if (typeof value === 'number' && Number.isFinite(value)) {
    if (Math.abs(value) < LARGEST_EPOCH_SECONDS) return Math.round(value * 1000);
    throw new InvalidOption(
      `${field}: ${value} looks like milliseconds. Epoch times are seconds, as in Celery; give ${value / 1000} or a Date.`,
    );
  }
  if (typeof value === 'string' && ISO_INSTANT.test(value)) {
    const parsed = parseIsoTime(value);
    if (parsed !== undefined) return parsed;
  }
  throw new InvalidOption(
    `${field}: ${shown(value)} is no instant. Give a Date, ISO 8601 text such as '2030-01-01T00:00:00Z', or epoch seconds.`,
  );
}

/**
 * An instant at which something is to be done.
 *
 * @throws InvalidOption for one beyond the year 2286, which the keys of timers cannot hold.
 */
export function dueMs(value: unknown, field: string): number {
  const ms = instantMs(value, field);
  if (ms <= LATEST_DUE_MS) return ms;
  throw new InvalidOption(
    `${field}: ${shown(value)} given; up to ${new Date(LATEST_DUE_MS).toISOString()} is allowed. Give an earlier time; numbers are seconds.`,
  );
}
