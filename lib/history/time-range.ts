/** The times of a question about the history, checked. */
import { shown } from '../base/checks.ts';
import { type Duration, durationSeconds, instantMs } from '../base/duration.ts';
import { InvalidOption } from '../base/errors.ts';

/** A Date, ISO 8601 text, epoch seconds, or how long ago: `'15m'`, `'1d'`. */
export type Since = Date | string | number | Extract<Duration, string>;

const AGO = /^\d+(?:\.\d+)?[smhdwy]$/;

/** @returns milliseconds since the epoch. @throws InvalidOption */
export function sinceMs(value: Since, field: string, nowMs: number): number {
  if (typeof value === 'string' && AGO.test(value)) return nowMs - durationSeconds(value, field) * 1000;
  return instantMs(value, field);
}

export interface TimeRange {
  readonly fromMs: number;
  /** Excluded. */
  readonly untilMs: number;
}

/** @throws InvalidOption */
export function timeRange(
  { from, to }: { readonly from?: Since; readonly to?: Since },
  { nowMs, defaultMs, what }: { readonly nowMs: number; readonly defaultMs: number; readonly what: string },
): TimeRange {
  // What ends in this very millisecond has ended, by a clock that is a little ahead of ours too.
  const untilMs = to === undefined ? nowMs + CLOCKS_MS : sinceMs(to, `to of ${what}`, nowMs);
  const fromMs = from === undefined ? Math.min(nowMs, untilMs) - defaultMs : sinceMs(from, `from of ${what}`, nowMs);
  if (fromMs < untilMs) return { fromMs, untilMs };
  throw new InvalidOption(
    `from of ${what}: ${shown(from)} is not before \`to\`, ${new Date(untilMs).toISOString()}. Give an earlier one.`,
  );
}

const CLOCKS_MS = 5000;
