/** The message that follows one of a task: of its next attempt, or of the same one's next part. Pure. */
import type { RetryOverrides } from '../base/errors.ts';
import type { CeleriacHeader, Message } from './message.ts';
import { argsRepr, kwargsRepr } from './repr.ts';
import type { Signature } from './signature.ts';

/** @param etaMs when it is due, in milliseconds since the epoch; null for at once. */
export function nextAttempt(message: Message, etaMs: number | null, overrides: RetryOverrides): Message {
  const { args = message.args, kwargs = message.kwargs } = overrides;
  const [hard, soft] = overrides.timeLimit ?? [null, null];
  return {
    ...message,
    args,
    kwargs,
    embed: {
      ...message.embed,
      ...(overrides.link === undefined ? {} : { callbacks: overrides.link as readonly Signature[] }),
      ...(overrides.linkError === undefined ? {} : { errbacks: overrides.linkError as readonly Signature[] }),
    },
    retries: message.retries + 1,
    etaMs,
    expiresMs: overrides.expiresMs ?? message.expiresMs,
    queue: overrides.queue ?? message.queue,
    priority: overrides.priority ?? message.priority,
    headers: overrides.headers ? { ...message.headers, ...overrides.headers } : message.headers,
    timeLimit: [hard ?? message.timeLimit[0], soft ?? message.timeLimit[1]],
    shadow: overrides.shadow ?? message.shadow,
    ignoreResult: overrides.ignoreResult ?? message.ignoreResult,
    argsrepr: overrides.argsrepr ?? reprOf(message.argsrepr, overrides.args && args, message.args, argsRepr),
    kwargsrepr:
      overrides.kwargsrepr ?? reprOf(message.kwargsrepr, overrides.kwargs && kwargs, message.kwargs, kwargsRepr),
    celeriac: { ...ofNextAttempt(message, overrides), hops: (message.celeriac.hops ?? 0) + 1 },
  };
}

/**
 * Celery rebuilds them from the real values, which brings hidden secrets back into logs; ours stay as given. New
 * arguments are shown only where the old ones were: who hid those did not mean to show these.
 */
function reprOf<T>(shown: string, given: T | undefined, before: T, repr: (value: T) => string): string {
  return given !== undefined && shown === repr(before) ? repr(given) : shown;
}

/** New arguments are all of them: a body whose results were read for it does not get them a second time. */
function ofNextAttempt({ celeriac }: Message, { args }: RetryOverrides): Message['celeriac'] {
  const kept = ofEachAttempt(celeriac);
  const { gather: _gather, ...rest } = kept;
  return args === undefined ? kept : rest;
}

/** A slot of a rate limit or of a concurrency is one attempt's, and so is how often it was delivered. */
export function ofEachAttempt(celeriac: CeleriacHeader): CeleriacHeader {
  const { slot: _slot, pace: _pace, lates: _lates, place: _place, grant: _grant, slots: _slots, ...others } = celeriac;
  const { deliveries: _deliveries, part: _part, ...kept } = others;
  return kept;
}

/** The same attempt goes on. It has started: neither its ETA nor its expiry is asked again. */
export function nextPart(message: Message): Message {
  const { celeriac } = message;
  return {
    ...message,
    etaMs: null,
    expiresMs: null,
    celeriac: { ...ofEachAttempt(celeriac), part: (celeriac.part ?? 0) + 1 },
  };
}
