/** Which tries are made again, and when: the SDK's standard mode. Its figures are the SDK's. */
import type { Random } from '../../base/time.ts';

export type ErrorType = 'THROTTLING' | 'TRANSIENT' | 'SERVER_ERROR' | 'CLIENT_ERROR';

export interface RetryToken {
  getRetryCount(): number;
  /** Milliseconds. */
  getRetryDelay(): number;
}

export interface RetryErrorInfo {
  readonly error: unknown;
  readonly errorType: ErrorType;
  /** When the service wants to be asked again. */
  readonly retryAfterHint?: Date;
}

/** As the SDK's interface of the same name, so that either takes the other's. */
export interface RetryStrategy {
  acquireInitialRetryToken(scope: string): Promise<RetryToken>;
  /** Rejects where no further try is to be made. */
  refreshRetryTokenForRetry(token: RetryToken, info: RetryErrorInfo): Promise<RetryToken>;
  recordSuccess(token: RetryToken): void;
}

const LONGEST_DELAY_MS = 20_000;
const THROTTLED_DELAY_MS = 1000;
// How much longer than its own pause a client waits because a service asks it to.
const LONGEST_HINT_MS = 5000;
// Retries cost, successes pay back: a service that answers nothing is not asked ever more often.
const CAPACITY = 500;
const COST = 14;
const THROTTLED_COST = 5;

interface Token extends RetryToken {
  readonly cost: number | undefined;
}

function tokenOf(count: number, delayMs: number, cost: number | undefined): Token {
  return { getRetryCount: () => count, getRetryDelay: () => delayMs, cost };
}

export interface StandardRetriesOptions {
  readonly maxAttempts: number;
  readonly baseDelayMs: number;
  readonly random: Random;
  readonly nowMs: () => number;
}

export class StandardRetries implements RetryStrategy {
  readonly #options: StandardRetriesOptions;
  #capacity = CAPACITY;

  constructor(options: StandardRetriesOptions) {
    this.#options = options;
  }

  acquireInitialRetryToken(): Promise<RetryToken> {
    return Promise.resolve(tokenOf(0, 0, undefined));
  }

  refreshRetryTokenForRetry(token: RetryToken, { errorType, retryAfterHint }: RetryErrorInfo): Promise<RetryToken> {
    const { maxAttempts, baseDelayMs, random, nowMs } = this.#options;
    const count = token.getRetryCount() + 1;
    const throttled = errorType === 'THROTTLING';
    const cost = throttled ? THROTTLED_COST : COST;
    if ((!throttled && errorType !== 'TRANSIENT') || count >= maxAttempts || this.#capacity < cost)
      return Promise.reject(new Error('No retry token available'));
    this.#capacity -= cost;
    const ceilingMs = Math.min((throttled ? THROTTLED_DELAY_MS : baseDelayMs) * 2 ** (count - 1), LONGEST_DELAY_MS);
    // Full jitter: clients that failed together do not come back together.
    const ownMs = Math.floor(random.next() * ceilingMs);
    const askedMs = retryAfterHint === undefined ? 0 : retryAfterHint.getTime() - nowMs();
    return Promise.resolve(tokenOf(count, Math.max(ownMs, Math.min(askedMs, ownMs + LONGEST_HINT_MS)), cost));
  }

  recordSuccess(token: RetryToken): void {
    this.#capacity = Math.min(CAPACITY, this.#capacity + ((token as Token).cost ?? 1));
  }
}

const THROTTLES = new Set([
  'BandwidthLimitExceeded',
  'EC2ThrottledException',
  'LimitExceededException',
  'PriorRequestNotComplete',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'RequestThrottled',
  'RequestThrottledException',
  'SlowDown',
  'ThrottledException',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
  'TransactionInProgressException',
]);
const TRANSIENT_NAMES = new Set(['TimeoutError', 'RequestTimeout', 'RequestTimeoutException']);
const TRANSIENT_CODES = new Set([
  'ECONNRESET',
  'ECONNREFUSED',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EAI_AGAIN',
]);
const TRANSIENT_STATUSES = new Set([500, 502, 503, 504]);
const LONGEST_CHAIN = 10;

interface Facts {
  readonly name?: string;
  readonly message?: string;
  readonly code?: string;
  readonly cause?: unknown;
  readonly $retryable?: { readonly throttling?: boolean };
  readonly $metadata?: { readonly httpStatusCode?: number; readonly clockSkewCorrected?: boolean };
}

export function errorTypeOf(error: unknown): ErrorType {
  const { name = '', $metadata, $retryable } = (error ?? {}) as Facts;
  const status = $metadata?.httpStatusCode ?? 0;
  if (status === 429 || THROTTLES.has(name) || $retryable?.throttling === true) return 'THROTTLING';
  if (isTransient(error, 0)) return 'TRANSIENT';
  return status >= 500 && status <= 599 ? 'SERVER_ERROR' : 'CLIENT_ERROR';
}

function isTransient(error: unknown, depth: number): boolean {
  const { name = '', message = '', code = '', cause, $retryable, $metadata } = (error ?? {}) as Facts;
  if (name === 'AbortError') return false;
  return (
    $retryable !== undefined ||
    $metadata?.clockSkewCorrected === true ||
    (name === 'InvalidSignatureException' && message.includes('Signature expired')) ||
    TRANSIENT_NAMES.has(name) ||
    TRANSIENT_CODES.has(code) ||
    TRANSIENT_STATUSES.has($metadata?.httpStatusCode ?? 0) ||
    (cause !== undefined && depth <= LONGEST_CHAIN && isTransient(cause, depth + 1))
  );
}

/** `Retry-After` in seconds or as a date, or AWS's own header in milliseconds. */
export function retryAfterOf(headers: Readonly<Record<string, string>>, nowMs: number): Date | undefined {
  const after = headers['retry-after'];
  const ownMs = headers['x-amz-retry-after'];
  const dueMs =
    after === undefined
      ? nowMs + Number(ownMs)
      : /^\d+(\.\d+)?$/.test(after)
        ? nowMs + Number(after) * 1000
        : Date.parse(after);
  return Number.isNaN(dueMs) ? undefined : new Date(dueMs);
}
