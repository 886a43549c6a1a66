/** When a failed attempt runs again: Celery's numbers (celery/app/autoretry.py), pure. */
import { DEFAULT_RETRY_BACKOFF_MAX_SECONDS, DEFAULT_RETRY_DELAY_SECONDS } from '../base/limits.ts';
import type { Random } from '../base/time.ts';

export interface BackoffOptions {
  /** true: 1 s, 2 s, 4 s...; a number multiplies. */
  readonly retryBackoff?: boolean | number;
  readonly retryBackoffMaxSeconds?: number;
  readonly retryJitter?: boolean;
  readonly defaultRetryDelaySeconds?: number;
}

/**
 * Seconds to wait after an attempt whose `retries` number is given.
 * With jitter: a whole number of seconds, uniform in [0, wait], 0 included (full jitter).
 */
export function retryDelaySeconds(retries: number, options: BackoffOptions, random: Random): number {
  const { retryBackoff } = options;
  if (retryBackoff === undefined || retryBackoff === false || retryBackoff === 0) {
    return options.defaultRetryDelaySeconds ?? DEFAULT_RETRY_DELAY_SECONDS;
  }
  const factor = Math.max(1, Math.trunc(Number(retryBackoff)));
  const maximum = options.retryBackoffMaxSeconds ?? DEFAULT_RETRY_BACKOFF_MAX_SECONDS;
  const wait = Math.min(maximum, factor * 2 ** Math.min(retries, 1023));
  if (options.retryJitter === false) return wait;
  return Math.floor(random.next() * (Math.floor(wait) + 1));
}

/** Whether another attempt may follow one whose `retries` number is given. `null` means for ever. */
export function mayRetry(retries: number, maxRetries: number | null): boolean {
  return maxRetries === null || retries < maxRetries;
}
