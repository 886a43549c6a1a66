import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Ignore, Reject, Retry } from '../../lib/base/errors.ts';
import { MAX_HOPS, UNKNOWN_TASK_DEFERRALS } from '../../lib/base/limits.ts';
import type { ClaimOutcome } from '../../lib/ports/backend.ts';
import { resolveSettings } from '../../lib/options/settings.ts';
import { resolveTaskOptions, type TaskOptions } from '../../lib/options/task-options.ts';
import {
  type Arrival,
  decideArrival,
  decideClaim,
  decideEnd,
  hasEndedNext,
  mayStart,
} from '../../lib/worker/decide.ts';

const NOW = 1_900_000_000_000;
const options = (given: TaskOptions = {}): ReturnType<typeof resolveTaskOptions> =>
  resolveTaskOptions('t', given, resolveSettings('app'));
const half = { next: () => 0.5 };

describe('decideArrival', () => {
  const arrival = (facts: Partial<Arrival<string>>): ReturnType<typeof decideArrival<string>> =>
    decideArrival({
      nowMs: NOW,
      etaMs: null,
      expiresMs: null,
      hops: 0,
      definition: 'math.add',
      unknownDeferrals: 0,
      ...facts,
    });

  it.each([
    [{}, 'run'],
    [{ etaMs: NOW }, 'run'],
    [{ etaMs: NOW + 1 }, 'defer'],
    [{ expiresMs: NOW }, 'expired'],
    [{ expiresMs: NOW + 1 }, 'run'],
    [{ expiresMs: NOW, etaMs: NOW + 1 }, 'expired'],
    [{ hops: MAX_HOPS }, 'run'],
    [{ hops: MAX_HOPS + 1 }, 'hops'],
    [{ definition: undefined }, 'defer'],
    [{ definition: undefined, unknownDeferrals: UNKNOWN_TASK_DEFERRALS - 1 }, 'defer'],
    [{ definition: undefined, unknownDeferrals: UNKNOWN_TASK_DEFERRALS }, 'unknown'],
  ] as const)('%j -> %s', (facts, kind) => {
    expect(arrival(facts).kind).toBe(kind);
  });

  it('gives what runs together with the decision that it runs, and why it does not', () => {
    expect(arrival({})).toEqual({ kind: 'run', definition: 'math.add' });
    expect(arrival({ etaMs: NOW + 1 })).toEqual({ kind: 'defer', untilMs: NOW + 1, because: 'eta' });
    expect(arrival({ definition: undefined })).toEqual({ kind: 'defer', untilMs: NOW + 5000, because: 'unknown' });
  });

  it('defers an unknown task with growing delay, never beyond what SQS takes', () => {
    const waits = Array.from({ length: UNKNOWN_TASK_DEFERRALS }, (_, unknownDeferrals) => {
      const decision = arrival({ definition: undefined, unknownDeferrals });
      return decision.kind === 'defer' ? (decision.untilMs - NOW) / 1000 : -1;
    });
    expect(waits).toEqual([5, 10, 20, 40, 80, 160, 320, 640]);
  });

  it('never runs early or late by its own doing', () => {
    fc.assert(
      fc.property(fc.integer({ min: -1e6, max: 1e6 }), fc.integer({ min: -1e6, max: 1e6 }), (eta, expires) => {
        const { kind } = arrival({ etaMs: NOW + eta, expiresMs: NOW + expires });
        expect(kind).toBe(expires <= 0 ? 'expired' : eta > 0 ? 'defer' : 'run');
      }),
    );
  });
});

describe('decideClaim', () => {
  const claimed = (deliveries: number, requeues = 0): ClaimOutcome => ({ kind: 'claimed', deliveries, requeues });
  const record = { id: 'a', status: 'SUCCESS' };

  it.each([
    [claimed(1), true, 5, 'run'],
    [claimed(5), true, 5, 'run'],
    [claimed(6), true, 5, 'lost'],
    [claimed(1), false, 5, 'run'],
    [claimed(2), false, 5, 'lost'],
    [claimed(2, 1), false, 5, 'run'],
    [claimed(3, 1), false, 5, 'lost'],
  ] as const)('%j, acksLate %s, maxDeliveries %i -> %s', (outcome, acksLate, maxDeliveries, kind) => {
    expect(decideClaim(outcome, { acksLate, maxDeliveries }).kind).toBe(kind);
  });

  it('tells how many workers died under it: what was given back is no loss', () => {
    const limits = { acksLate: true, maxDeliveries: 5 };
    expect(decideClaim(claimed(4, 1), limits)).toEqual({ kind: 'run', deliveries: 4, lost: 2 });
    expect(decideClaim(claimed(6, 0), limits)).toEqual({ kind: 'lost', deliveries: 6, lost: 5 });
  });

  it('settles a finished attempt again, but not one that a newer attempt replaced', () => {
    const limits = { acksLate: true, maxDeliveries: 5 };
    expect(decideClaim({ kind: 'finished', record }, limits)).toEqual({ kind: 'duplicate', record, settle: true });
    expect(decideClaim({ kind: 'older', record }, limits)).toEqual({ kind: 'duplicate', record, settle: false });
    expect(decideClaim({ kind: 'busy', leaseMs: 7, record }, limits)).toEqual({ kind: 'busy', untilMs: 7 });
    expect(decideClaim({ kind: 'revoked', record }, limits)).toEqual({ kind: 'revoked' });
  });
});

it.each([
  ['the next attempt, concluded', { attempt: 3, finishedMs: NOW }, true],
  ['the next attempt, claimed by somebody', { attempt: 3, finishedMs: NOW, owner: 'other' }, false],
  ['the next attempt, not ended', { attempt: 3 }, false],
  ['one after it', { attempt: 4, finishedMs: NOW }, false],
  ['a conclusion without an attempt', { finishedMs: NOW }, false],
])('hasEndedNext: %s', (_what, fields, ended) => {
  expect(hasEndedNext({ id: 'a', status: 'FAILURE', ...fields }, 2)).toBe(ended);
});

describe('decideEnd', () => {
  const facts = { options: options(), retries: 0, deliveries: 1, nowMs: NOW, random: half };
  const end = (error: unknown, given: TaskOptions = {}, retries = 0, deliveries = 1): ReturnType<typeof decideEnd> =>
    decideEnd({ ending: { ok: false, error }, options: options(given), retries, deliveries, nowMs: NOW, random: half });

  it.each([
    [new Error('x'), {}, 0, 1, 'fail'],
    [new Retry('r', NOW + 5, undefined, {}), {}, 0, 1, 'retry'],
    [new Ignore(), {}, 0, 1, 'ignore'],
    [new Reject('no'), {}, 0, 1, 'reject'],
    [new Reject('no', { requeue: true }), {}, 0, 1, 'requeue'],
    [new Reject('no', { requeue: true }), {}, 0, 5, 'reject'],
    [new Error('x'), { autoretryFor: [Error] }, 0, 1, 'retry'],
    [new Error('x'), { autoretryFor: [Error] }, 3, 1, 'fail'],
    [new Error('x'), { autoretryFor: [Error], maxRetries: null }, 3000, 1, 'retry'],
    [new TypeError('x'), { autoretryFor: [Error], dontAutoretryFor: [TypeError] }, 0, 1, 'fail'],
    [new Error('x'), { autoretryFor: [(error: unknown) => (error as Error).message === 'x'] }, 0, 1, 'retry'],
  ] as const)('%s with %j, retry %i, delivery %i -> %s', (error, given, retries, deliveries, kind) => {
    expect(end(error, given, retries, deliveries).kind).toBe(kind);
  });

  it('says all that is to be written down', () => {
    const error = new Error('x');
    const cause = new Error('why');
    const requeued = new Reject('no', { requeue: true });
    const rejected = new Reject('never');
    const retry = new Retry('r', NOW + 5, undefined, { queue: 'mail' });
    const because = new Retry('r', NOW + 5, cause, {});
    expect(decideEnd({ ...facts, ending: { ok: true, value: 7 } })).toEqual({ kind: 'success', value: 7 });
    expect(decideEnd({ ...facts, ending: { ok: false, error, terminated: true } })).toEqual({ kind: 'revoke', error });
    expect(end(retry)).toEqual({ kind: 'retry', dueMs: NOW + 5, error: retry, overrides: { queue: 'mail' } });
    expect(end(because)).toEqual({ kind: 'retry', dueMs: NOW + 5, error: cause, overrides: {} });
    expect(end(rejected)).toEqual({ kind: 'reject', reason: 'never', error: rejected });
    expect(end(requeued)).toEqual({ kind: 'requeue', reason: 'no' });
    expect(end(requeued, {}, 0, 5)).toEqual({
      kind: 'reject',
      reason: 'no (requeued until maxDeliveries, 5)',
      error: requeued,
    });
    expect(end(error)).toEqual({ kind: 'fail', error, expected: false });
    expect(end(error, { autoretryFor: [Error] })).toEqual({
      kind: 'retry',
      dueMs: NOW + 180_000,
      error,
      overrides: {},
    });
  });

  it('a predicate that throws has neither allowed another try nor expected the error, and is told', () => {
    const [error, thrown] = [new Error('x'), new Error('of the predicate')];
    const odd = (): boolean => {
      throw thrown;
    };
    expect(end(error, { autoretryFor: [odd] })).toEqual({ kind: 'fail', error, expected: false, broken: [thrown] });
    expect(end(error, { throws: [odd] })).toEqual({ kind: 'fail', error, expected: false, broken: [thrown] });
    expect(end(error, { autoretryFor: [Error], dontAutoretryFor: [odd] })).toMatchObject({
      kind: 'fail',
      broken: [thrown],
    });
    expect(end(error, { autoretryFor: [odd, Error] })).toMatchObject({ kind: 'retry', broken: [thrown] });
  });

  it('takes the delay from Celery: default, backoff, jitter', () => {
    const wait = (given: TaskOptions, retries = 0): number => {
      const decision = end(new Error('x'), { autoretryFor: [Error], maxRetries: null, ...given }, retries);
      return decision.kind === 'retry' ? (decision.dueMs - NOW) / 1000 : -1;
    };
    expect(wait({})).toBe(180);
    expect(wait({ defaultRetryDelay: '5m' })).toBe(300);
    expect(wait({ retryBackoff: true, retryJitter: false }, 4)).toBe(16);
    expect(wait({ retryBackoff: 3, retryJitter: false }, 4)).toBe(48);
    expect(wait({ retryBackoff: true, retryJitter: false }, 40)).toBe(600);
    expect(wait({ retryBackoff: true }, 4)).toBe(8);
  });

  it('throws= marks an error as expected; the task still fails', () => {
    expect(end(new TypeError('x'), { throws: [TypeError] })).toMatchObject({ kind: 'fail', expected: true });
    expect(end(new Error('x'), { throws: [TypeError] })).toMatchObject({ kind: 'fail', expected: false });
  });
});

describe('mayStart', () => {
  const START = NOW;
  const DEADLINE = NOW + 60_000;
  it.each([
    [0, null, true],
    [40_000, null, true],
    [50_000, null, false],
    [58_000, null, false],
    [0, 30, true],
    [28_000, 30, true],
    [28_001, 30, false],
    // A limit as long as the invocation starts at its beginning only.
    [0, 60, true],
    [5000, 60, false],
    // None has less than nothing left.
    [58_000, 0, false],
    [57_999, 0, true],
  ])('%i ms into a minute, with a limit of %s s -> %s', (elapsedMs, timeLimitSeconds, expected) => {
    expect(mayStart(NOW + elapsedMs, DEADLINE, START, { timeLimitSeconds, softTimeLimitSeconds: null })).toBe(expected);
  });

  it.each([
    [30, 43_000, true],
    [30, 43_001, false],
    [null, 50_750, true],
    [null, 50_751, false],
  ])('half of a limit of %s s is enough for what is claimed: %i ms into it -> %s', (limit, elapsedMs, expected) => {
    const limits = { timeLimitSeconds: limit, softTimeLimitSeconds: null };
    expect(mayStart(NOW + elapsedMs, DEADLINE, START, limits, true)).toBe(expected);
  });

  it('asks for the soft limit where there is no other', () => {
    const limits = { timeLimitSeconds: null, softTimeLimitSeconds: 30 };
    expect([28_000, 28_001].map((elapsedMs) => mayStart(NOW + elapsedMs, DEADLINE, START, limits))).toEqual([
      true,
      false,
    ]);
  });
});

it('a thrown value that cannot be asked what it is fails its task, and is no expected error', () => {
  const odd = new Proxy(
    {},
    {
      get: () => {
        throw new TypeError('not even that');
      },
      getPrototypeOf: () => {
        throw new TypeError('not even that');
      },
    },
  );
  const facts = { options: options({ throws: [Error] }), retries: 0, deliveries: 1, nowMs: NOW, random: half };
  const decision = decideEnd({ ...facts, ending: { ok: false, error: odd } });
  expect([decision.kind, 'error' in decision && decision.error === odd]).toEqual(['fail', true]);
  expect('expected' in decision && decision.expected).toBe(false);
});

it('an error that throws when it is read fails its task, as does a value that cannot be asked', () => {
  const facts = { options: options(), retries: 0, deliveries: 1, nowMs: NOW, random: half };
  const error = new Retry('r', NOW, undefined, {});
  Object.defineProperty(error, 'dueMs', {
    get: () => {
      throw new Error('a getter of the user');
    },
  });
  expect(decideEnd({ ...facts, ending: { ok: false, error } })).toEqual({ kind: 'fail', error, expected: false });
});
