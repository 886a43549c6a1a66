/** How often a task may start: Celery's `rate_limit`, held by all workers together. */
import { integerIn, refuseUnknownKeys, shown } from '../base/checks.ts';
import { type Duration, durationSeconds } from '../base/duration.ts';
import { InvalidOption } from '../base/errors.ts';
import {
  DEFAULT_RATE_GRACE_SECONDS,
  MAX_RATE_BURST,
  MAX_RATE_GRACE_SECONDS,
  MAX_RATE_PERIOD_SECONDS,
} from '../base/limits.ts';

/**
 * So many starts in a second, minute, hour or day: `'10/s'`, `'100/m'`, `'1000/h'`, `'1/d'`. A number, or text without a
 * unit, is per second. 0 and null are no limit.
 */
export type Rate = number | `${number}` | `${number}/${'s' | 'm' | 'h' | 'd'}`;

/** A rate limit with more than its rate. */
export interface RateLimitOptions {
  /** So many starts in a time. */
  readonly limit: Rate;
  /** Starts that may come at once after a pause, 1 to 10,000. Default 1: evenly spaced, as in Celery. */
  readonly burst?: number;
  /**
   * Tasks whose keys differ do not wait for each other; the arguments are those of the task's function. It must give the
   * same text whenever it is asked. Default: one limit for all calls.
   */
  readonly key?: (...args: never[]) => string;
  /** So much later than it may, a task still starts without waiting anew; 1 s to 1 h. Default 10 s. */
  readonly grace?: Duration;
}

/** A rate limit, checked. */
export interface RateLimit {
  /** As it was given, for people: `'100/m'`. */
  readonly text: string;
  /** Whole microseconds from one start to the next: seven in a second have no whole milliseconds. */
  readonly paceMicros: number;
  /** Starts that may come at once after a pause. */
  readonly burst: number;
  /** So much later than its slot a task still starts. */
  readonly graceSeconds: number;
  /** What tells lines apart; undefined for one line. */
  readonly key: ((...args: never[]) => string) | undefined;
}

const KEYS: ReadonlySet<string> = new Set<keyof RateLimitOptions>(['limit', 'burst', 'key', 'grace']);
// Celery's (celery/utils/time.py, `rate`), and days.
const RATE = /^(\d+(?:\.\d+)?)(?:\/([smhd]))?$/;
const PERIOD_SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };
const MICROS = 1_000_000;

/** @throws InvalidOption; undefined for no limit. */
export function resolveRateLimit(
  value: Rate | RateLimitOptions | null | undefined,
  field: string,
): RateLimit | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'object') return rateLimitOf({ limit: value }, field, field);
  refuseUnknownKeys(value, KEYS, field);
  return rateLimitOf(value, `limit of ${field}`, field);
}

function rateLimitOf(options: RateLimitOptions, at: string, field: string): RateLimit | undefined {
  const { limit, key } = options;
  const paceMicros = paceOf(limit, at);
  if (key !== undefined && typeof key !== 'function')
    throw new InvalidOption(`key of ${field}: ${shown(key)} given; a function of the task's arguments is allowed.`);
  const burst = integerIn(options.burst ?? 1, 1, MAX_RATE_BURST, `burst of ${field}`);
  const graceSeconds = durationSeconds(options.grace ?? DEFAULT_RATE_GRACE_SECONDS, `grace of ${field}`, 1);
  if (graceSeconds > MAX_RATE_GRACE_SECONDS)
    throw new InvalidOption(
      `grace of ${field}: ${graceSeconds} s given; ${MAX_RATE_GRACE_SECONDS} s at most is allowed.`,
    );
  if (paceMicros === undefined) {
    if (options.key !== undefined || options.burst !== undefined)
      throw new InvalidOption(
        `limit of ${field}: ${shown(limit)} is no limit, and key and burst mean nothing without one. Give a rate such as '100/m', or rateLimit: null.`,
      );
    return undefined;
  }
  return { text: String(limit), paceMicros, burst, graceSeconds, key };
}

function paceOf(limit: unknown, at: string): number | undefined {
  const match = RATE.exec(typeof limit === 'number' ? plain(limit) : typeof limit === 'string' ? limit.trim() : '');
  const starts = Number(match?.[1] ?? Number.NaN);
  const periodSeconds = PERIOD_SECONDS[match?.[2] ?? 's'] ?? Number.NaN;
  if (starts === 0) return undefined;
  // Rounded up: never more than the limit says.
  const paceMicros = Math.ceil((periodSeconds * MICROS) / starts);
  if (Number.isNaN(starts) || paceMicros > MAX_RATE_PERIOD_SECONDS * MICROS || starts > MICROS * periodSeconds)
    throw new InvalidOption(
      `${at}: ${shown(limit)} given; starts in a time are allowed, such as 10 (in a second), '10/s', '100/m', '1000/h' or '1/d', at most a million in a second and at least one in ${MAX_RATE_PERIOD_SECONDS / 86_400} days. null is no limit.`,
    );
  return paceMicros;
}

/** Without an exponent, as `RATE` reads it. */
function plain(value: number): string {
  return Number.isFinite(value) && value >= 0 ? value.toFixed(12) : '';
}
