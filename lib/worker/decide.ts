/**
 * What happens to a delivery: facts in, outcome out. Pure; everything else in this folder only carries
 * the facts here and the outcome away.
 *
 *   arrived --> run | defer | expired | unknown | hop limit     (before the claim)
 *   claimed --> run | duplicate | revoked | busy | lost         (after the claim)
 *   ended   --> success | retry | reject | requeue | ignore | revoke | fail
 */
import { Ignore, Reject, Retry } from '../base/errors.ts';
import {
  DEADLINE_MARGIN_SECONDS,
  MAX_HOPS,
  SQS_MAX_DELAY_SECONDS,
  UNKNOWN_TASK_DEFERRALS,
  UNKNOWN_TASK_FIRST_DELAY_SECONDS,
} from '../base/limits.ts';
import type { ClaimOutcome, TaskRecord } from '../ports/backend.ts';
import { mayRetry, retryDelaySeconds } from '../task/retry.ts';
import { type ErrorMatcher, matchesError, type ResolvedTaskOptions } from '../options/task-options.ts';
import type { Random } from '../base/time.ts';

// ---------------------------------------------------------------- arrival

export interface Arrival<D> {
  readonly nowMs: number;
  readonly etaMs: number | null;
  readonly expiresMs: number | null;
  readonly hops: number;
  /** Of its task; undefined where none is registered under its name. */
  readonly definition: D | undefined;
  /** How often the message was deferred because its task is unknown. */
  readonly unknownDeferrals: number;
}

export type ArrivalDecision<D> =
  | { readonly kind: 'run'; readonly definition: D }
  | { readonly kind: 'defer'; readonly untilMs: number; readonly because: 'eta' | 'unknown' }
  | { readonly kind: 'expired' }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'hops' };

export function decideArrival<D>(facts: Arrival<D>): ArrivalDecision<D> {
  // Expiry comes first: a message that is both early and expired would only be carried around.
  if (facts.expiresMs !== null && facts.expiresMs <= facts.nowMs) return { kind: 'expired' };
  if (facts.hops > MAX_HOPS) return { kind: 'hops' };
  if (facts.etaMs !== null && facts.etaMs > facts.nowMs) return { kind: 'defer', untilMs: facts.etaMs, because: 'eta' };
  if (facts.definition !== undefined) return { kind: 'run', definition: facts.definition };
  if (facts.unknownDeferrals >= UNKNOWN_TASK_DEFERRALS) return { kind: 'unknown' };
  const delaySeconds = Math.min(SQS_MAX_DELAY_SECONDS, UNKNOWN_TASK_FIRST_DELAY_SECONDS * 2 ** facts.unknownDeferrals);
  return { kind: 'defer', untilMs: facts.nowMs + delaySeconds * 1000, because: 'unknown' };
}

// ------------------------------------------------------------------ claim

export type ClaimDecision =
  /** `lost`: earlier deliveries that ended without a word. */
  | { readonly kind: 'run'; readonly deliveries: number; readonly lost: number }
  /** The attempt's outcome is known: settle again from it, then let go of the message. */
  | { readonly kind: 'duplicate'; readonly record: TaskRecord; readonly settle: boolean }
  | { readonly kind: 'revoked' }
  | { readonly kind: 'busy'; readonly untilMs: number }
  /** Earlier deliveries of this attempt ended without a word, and it must not run again. */
  | { readonly kind: 'lost'; readonly deliveries: number; readonly lost: number };

export function decideClaim(
  outcome: ClaimOutcome,
  options: { readonly acksLate: boolean; readonly maxDeliveries: number },
): ClaimDecision {
  switch (outcome.kind) {
    case 'finished':
      return { kind: 'duplicate', record: outcome.record, settle: true };
    case 'older':
      // A newer attempt exists, so this one was settled before.
      return { kind: 'duplicate', record: outcome.record, settle: false };
    case 'revoked':
      return { kind: 'revoked' };
    case 'busy':
      return { kind: 'busy', untilMs: outcome.leaseMs };
    case 'claimed': {
      const { deliveries, requeues } = outcome;
      // Deliveries that were given back on purpose are no losses.
      const lost = deliveries - 1 - requeues;
      if (lost > 0 && !options.acksLate) return { kind: 'lost', deliveries, lost };
      if (deliveries > options.maxDeliveries) return { kind: 'lost', deliveries, lost };
      return { kind: 'run', deliveries, lost };
    }
    default:
      return outcome satisfies never;
  }
}

/**
 * Whether an older attempt's message has ended the next one: a retry that stood and could not be sent for good fails as the
 * attempt that it announced, of which there is no other message. Nobody has claimed that one.
 */
export function hasEndedNext(record: TaskRecord, attempt: number): boolean {
  // Of a part the next one, or the next attempt.
  const beyond = (record.attempt ?? -1) - attempt;
  return record.finishedMs !== undefined && record.owner === undefined && beyond > 0 && beyond <= 1;
}

// -------------------------------------------------------------------- end

export type Ending =
  | { readonly ok: true; readonly value: unknown }
  /** `terminated`: its task was revoked meanwhile, whatever its function made of that. */
  | { readonly ok: false; readonly error: unknown; readonly terminated?: true };

export interface EndFacts {
  readonly ending: Ending;
  readonly options: ResolvedTaskOptions;
  /** The attempt's number. */
  readonly retries: number;
  readonly deliveries: number;
  readonly nowMs: number;
  readonly random: Random;
}

export type EndDecision =
  | { readonly kind: 'success'; readonly value: unknown }
  | {
      readonly kind: 'retry';
      readonly dueMs: number;
      readonly error: unknown;
      readonly overrides: Retry['overrides'];
      readonly broken?: readonly unknown[];
    }
  | { readonly kind: 'reject'; readonly reason: string; readonly error: unknown }
  | { readonly kind: 'requeue'; readonly reason: string }
  | { readonly kind: 'ignore' }
  | { readonly kind: 'revoke'; readonly error: unknown }
  | {
      readonly kind: 'fail';
      readonly error: unknown;
      readonly expected: boolean;
      /** What predicates threw that were asked about the error: to be logged, the task's own error is the reason. */
      readonly broken?: readonly unknown[];
    };

/** Never throws, whatever the task threw and whatever its predicates throw. */
export function decideEnd(facts: EndFacts): EndDecision {
  try {
    return decide(facts);
  } catch (error) {
    // A thrown value that cannot be asked what it is.
    return { kind: 'fail', error: facts.ending.ok ? error : facts.ending.error, expected: false };
  }
}

function decide(facts: EndFacts): EndDecision {
  const { ending, options, retries, nowMs } = facts;
  if (ending.ok) return { kind: 'success', value: ending.value };
  const { error } = ending;
  if (ending.terminated) return { kind: 'revoke', error };
  if (Retry.is(error)) {
    const retry = error as Retry;
    return { kind: 'retry', dueMs: retry.dueMs, error: retry.exc ?? retry, overrides: retry.overrides };
  }
  if (Ignore.is(error)) return { kind: 'ignore' };
  if (Reject.is(error)) {
    const reject = error as Reject;
    if (!reject.requeue) return { kind: 'reject', reason: reject.reason, error: reject };
    // Bounded: a message that is always given back would circle for its whole retention.
    if (facts.deliveries < options.maxDeliveries) return { kind: 'requeue', reason: reject.reason };
    return {
      kind: 'reject',
      reason: `${reject.reason} (requeued until maxDeliveries, ${options.maxDeliveries})`,
      error: reject,
    };
  }
  const broken: unknown[] = [];
  // A predicate that throws has not said that the error may be tried again, nor that it is expected.
  const asked = (list: readonly ErrorMatcher[], otherwise: boolean): boolean =>
    list.some((matcher) => {
      try {
        return matchesError(error, [matcher]);
      } catch (thrown) {
        broken.push(thrown);
        return otherwise;
      }
    });
  const noted = (): { readonly broken?: readonly unknown[] } => (broken.length === 0 ? {} : { broken });
  const retried = asked(options.autoretryFor, false) && !asked(options.dontAutoretryFor, true);
  if (retried && mayRetry(retries, options.maxRetries)) {
    const delaySeconds = retryDelaySeconds(retries, options, facts.random);
    return { kind: 'retry', dueMs: nowMs + delaySeconds * 1000, error, overrides: {}, ...noted() };
  }
  return { kind: 'fail', error, expected: asked(options.throws, false), ...noted() };
}

// --------------------------------------------------------------- deadline

type TimeLimits = Pick<ResolvedTaskOptions, 'softTimeLimitSeconds' | 'timeLimitSeconds'>;

/** Whether a task may still start before the invocation's deadline. `claimed`: it could, before a store that was slow. */
export function mayStart(
  nowMs: number,
  deadlineMs: number,
  invocationStartMs: number,
  options: TimeLimits,
  claimed = false,
): boolean {
  const usableMs = deadlineMs - nowMs - DEADLINE_MARGIN_SECONDS * 1000;
  if (usableMs <= 0) return false;
  const neededMs = neededMsOf(deadlineMs, invocationStartMs, options);
  // Half of it is enough for what is claimed: a limit of nearly the whole invocation would be given back for ever.
  return usableMs >= (claimed ? neededMs / 2 : neededMs);
}

/** How much time must be left when a task starts: with a limit longer than an invocation it would never start otherwise. */
export function neededMsOf(deadlineMs: number, invocationStartMs: number, options: TimeLimits): number {
  const limitSeconds = options.timeLimitSeconds ?? options.softTimeLimitSeconds;
  const wholeMs = deadlineMs - invocationStartMs - DEADLINE_MARGIN_SECONDS * 1000;
  // Without a limit, a quarter of the invocation is asked for.
  return Math.min(limitSeconds === null ? wholeMs / 4 : limitSeconds * 1000, wholeMs * 0.95);
}
