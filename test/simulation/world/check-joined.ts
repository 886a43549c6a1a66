/** What the members of a group come to together, for the body that is given their results: those that can still be read. */
import { type Outcome } from './check-task.ts';
import { errorOf, type TaskError } from './expect.ts';
import type { End } from './facts.ts';
import type { Run } from './ledger.ts';
import type { Policy } from './program.ts';
import { fits, type SettledResult } from './values.ts';

export const CHORD_ERROR: TaskError = { type: 'ChordError' };

/** Who keeps what a whole group came to has an id that nobody here knows: it may be gone at any time. */
export const UNKNOWN = { fromMs: -Infinity, untilMs: -Infinity, isUnknown: true } as const;

const FAILED: Outcome = { ok: false, state: 'FAILURE', error: CHORD_ERROR };
const EXPIRED: SettledResult = { status: 'EXPIRED', error: { type: 'EXPIRED' } };
// A member that has ended is settled within two deliveries more.
const LONGEST_WAY_MS = 2_400_000;
// Of a chord counted here, and of one that Celery's groups count.
const GONE = /no result any more|ended without a result/;
// Records expire in whole seconds.
const SECOND_MS = 1000;

interface Body {
  /** Undefined for one that was never sent. */
  readonly end: End | undefined;
  readonly runs: readonly Run[];
}

export function joined(outcomes: readonly Outcome[], policy: Policy): Outcome {
  if (policy === 'settled') return { ok: true, value: outcomes.map(settledResultOf) };
  if (outcomes.some((outcome) => !outcome.ok)) return FAILED;
  return { ok: true, value: outcomes.map((outcome) => (outcome.ok ? outcome.value : null)) };
}

/**
 * The results are read when the last member has ended, and not after the body has run or failed. A record that was gone
 * before then is not read; one that went in between may have been; one that went later was.
 */
export function gathered(outcomes: readonly Outcome[], policy: Policy, body: Body, skewMs: number): Outcome {
  const slackMs = skewMs + SECOND_MS;
  const firstMs = Math.max(...outcomes.map(({ kept }) => kept?.fromMs ?? -Infinity)) - slackMs;
  const bodyMs = Math.max(body.end?.atMs ?? 0, ...body.runs.map(({ atMs }) => atMs));
  const lastMs = slackMs + (body.end === undefined ? firstMs + LONGEST_WAY_MS : bodyMs);
  const untilMs = ({ kept }: Outcome): number => kept?.untilMs ?? Infinity;
  const mustBeGone = (outcome: Outcome): boolean => untilMs(outcome) < firstMs && outcome.kept?.isUnknown !== true;
  if (policy === 'settled') {
    // The run whose value stands: an earlier one, whose worker died, may have found more.
    const given: unknown = body.runs.at(-1)?.prev;
    const isGone = (outcome: Outcome, index: number): boolean =>
      mustBeGone(outcome) || (untilMs(outcome) <= lastMs && isExpired(given, index));
    return { ok: true, value: outcomes.map((each, index) => (isGone(each, index) ? EXPIRED : settledResultOf(each))) };
  }
  const saysSo = body.end === undefined || GONE.test(errorOf(body.end)?.message ?? '');
  const isGone = outcomes.some((each) => mustBeGone(each) || (untilMs(each) <= lastMs && saysSo));
  return isGone ? FAILED : joined(outcomes, policy);
}

/** What a run was given whose worker died, where the next one finds that some of it has expired since. */
export function isBefore(earlier: unknown, given: unknown): boolean {
  return (
    Array.isArray(earlier) &&
    Array.isArray(given) &&
    earlier.length === given.length &&
    earlier.every((value, index) => isExpired(given, index) || fits(value, given[index]))
  );
}

function isExpired(given: unknown, index: number): boolean {
  const member: unknown = Array.isArray(given) ? (given as readonly unknown[])[index] : undefined;
  return typeof member === 'object' && member !== null && 'status' in member && member.status === 'EXPIRED';
}

function settledResultOf(outcome: Outcome): SettledResult {
  if (outcome.ok) return { status: 'SUCCESS', value: outcome.value };
  const { state, error } = outcome.told ?? outcome;
  return state === 'IGNORED'
    ? { status: state, error: { type: state } }
    : {
        status: state,
        error: { type: error.type, ...(error.message === undefined ? {} : { message: error.message }) },
      };
}
