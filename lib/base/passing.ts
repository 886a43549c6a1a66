/**
 * Which errors pass: throttles, timeouts, broken connections, damaged answers, conflicts, a service's own faults. Trying
 * again helps with these alone. Everything else, what is unknown among it, stays as it is however often a message comes back.
 */
import { isError, read } from './error-text.ts';

const NAMES =
  /Throttl|TooManyRequests|SlowDown|OverLimit|LimitExceeded|ThroughputExceeded|Timeout|TimedOut|InternalServer|InternalError|InternalFailure|ServiceUnavailable|Conflict|InProgress|NetworkingError|ExpiredToken|TokenRefreshRequired|RequestExpired|RequestTimeTooSkewed/;
// What grows without bound is refused for good, whatever its name ends in.
const NOT_NAMES = /ItemCollectionSizeLimitExceeded|TimeLimitExceeded|HopLimitExceeded/;
// Node's and libuv's codes of connections that could not be made or were lost.
const CODES =
  /^(?:E(?:CONN(?:RESET|REFUSED|ABORTED)|PIPE|TIMEDOUT|AI_AGAIN|NOTFOUND|HOSTUNREACH|NETUNREACH|NETDOWN|MFILE)|UND_ERR_.*|ERR_SOCKET.*|ERR_STREAM_PREMATURE_CLOSE|ERR_HTTP2_.*|ERR_TLS.*)$/;
// The SDK's words where SQS's digest is not the one of what was sent or received. They have no name of their own.
const DAMAGED = /^(?:InvalidChecksumError$|Invalid MD5 checksum on messages: )/;
// A cause may be its own cause.
const LONGEST_CHAIN = 5;

/** The store has refused an outcome, and the bounded record of that refusal too: trying again would only run the task again. */
export class OutcomeRefused extends Error {
  override readonly name: string = 'OutcomeRefused';
  readonly retryable: boolean = false;

  constructor(cause: unknown) {
    super('The outcome was refused for good.', { cause });
  }
}

/** Never throws. `retryable` of our own errors is their word, `$retryable` and `$metadata` the SDK's. */
export function isPassing(error: unknown): boolean {
  let current = error;
  for (let depth = 0; depth < LONGEST_CHAIN; depth += 1) {
    if (!isError(current)) return false;
    const verdict = verdictOf(current);
    if (verdict !== undefined) return verdict;
    current = field(current, 'cause');
  }
  return false;
}

function verdictOf(error: object): boolean | undefined {
  const retryable = field(error, 'retryable');
  if (typeof retryable === 'boolean') return retryable;
  const retry = field(error, '$retryable');
  if (typeof retry === 'object' && retry !== null) return true;
  const metadata = field(error, '$metadata');
  const status = typeof metadata === 'object' && metadata !== null ? field(metadata, 'httpStatusCode') : undefined;
  if (typeof status === 'number') {
    if (status >= 500 || status === 429 || status === 408) return true;
    // An error all the same: done, and nobody could read the answer.
    if (status >= 200 && status < 300) return true;
  }
  const name = read(error, 'name') ?? '';
  if (NAMES.test(name) && !NOT_NAMES.test(name)) return true;
  if (CODES.test(read(error, 'code') ?? '') || DAMAGED.test(read(error, 'message') ?? '')) return true;
  const fault = field(error, '$fault');
  // A client's fault: the service has answered, and said no.
  return fault === 'server' ? true : fault === 'client' ? false : undefined;
}

function field(from: object, property: string): unknown {
  try {
    return Reflect.get(from, property);
  } catch {
    return undefined;
  }
}
