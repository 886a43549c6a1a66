/** Every order of deliveries, crashes, ends of leases and a revoke; and that each rule is needed. */
import { describe, expect, it } from 'vitest';

import { FAILURE, IGNORED, PENDING, RETRY, REVOKED, SUCCESS } from '../../lib/base/states.ts';
import { decideClaim } from '../../lib/worker/decide.ts';
import { explore, type Explored, NEVER_ENDS } from './explorer.ts';
import { protocol, REAL_RULES, type Rules } from './protocol.ts';
import type { Store } from './record-store.ts';
import {
  ALL_INVARIANTS,
  CHILDREN_SENT,
  type Invariant,
  QUEUE_EMPTY,
  type State,
  TASK_ENDS,
  type Variant,
} from './state.ts';

const TWO: Variant = {
  acksLate: true,
  maxDeliveries: 5,
  copies: 2,
  outcomes: [SUCCESS],
  crashes: 2,
  zombies: 0,
  revokes: 1,
};
const ONE: Variant = { ...TWO, copies: 1 };
const ZOMBIE: Variant = { ...TWO, zombies: 1 };
const RETRIED: Variant = { ...TWO, outcomes: [RETRY, SUCCESS] };

/** Each with the final states it can reach. */
const VARIANTS: readonly (readonly [string, Variant, readonly string[]])[] = [
  ['success', TWO, [REVOKED, SUCCESS]],
  ['success, acksLate: false', { ...TWO, acksLate: false }, [FAILURE, REVOKED, SUCCESS]],
  ['success, maxDeliveries: 1', { ...TWO, maxDeliveries: 1 }, [FAILURE, REVOKED, SUCCESS]],
  ['success, three copies and crashes', { ...TWO, copies: 3, crashes: 3 }, [REVOKED, SUCCESS]],
  ['failure', { ...TWO, outcomes: [FAILURE] }, [FAILURE, REVOKED]],
  ['success with a zombie', ZOMBIE, [REVOKED, SUCCESS]],
  ['success with a zombie, acksLate: false', { ...ZOMBIE, acksLate: false }, [FAILURE, REVOKED, SUCCESS]],
  ['one message, two zombies', { ...ONE, zombies: 2 }, [REVOKED, SUCCESS]],
  ['retry', { ...RETRIED, crashes: 1 }, [REVOKED, SUCCESS]],
  ['retry, acksLate: false', { ...RETRIED, crashes: 1, acksLate: false }, [FAILURE, REVOKED, SUCCESS]],
  ['retry, two crashes', { ...RETRIED, copies: 1 }, [REVOKED, SUCCESS]],
  ['retry with a zombie', { ...RETRIED, copies: 1, crashes: 1, zombies: 1 }, [REVOKED, SUCCESS]],
];

const explored: (readonly [string, Explored<State>, readonly string[]])[] = [];
for (const [name, variant, statuses] of VARIANTS) explored.push([name, await explore(protocol(variant)), statuses]);

describe('the protocol holds', () => {
  for (const [name, { states, ends, counterexample }, statuses] of explored) {
    it(`in every order: ${name} (${states} states)`, () => {
      expect(counterexample).toBeUndefined();
      expect(new Set(ends.map(({ record }) => record?.status))).toEqual(new Set(statuses));
    });
  }
  it('without faults everything happens once', async () => {
    const { ends } = await explore(protocol({ ...RETRIED, copies: 1, crashes: 0, revokes: 0 }));
    expect(ends.map(({ ledger }) => [ledger.runs, ledger.sent])).toEqual([
      [
        [1, 1],
        ['link', 'retry'],
      ],
    ]);
  });
  it('each crash of an owner may cost one more run, and no other does', async () => {
    const { ends } = await explore(protocol({ ...TWO, revokes: 0 }));
    expect(new Set(ends.map(({ ledger }) => ledger.runs[0]))).toEqual(new Set([1, 2, 3]));
  });
});

interface Mutation {
  readonly name: string;
  readonly breaks: Invariant | typeof TASK_ENDS | typeof CHILDREN_SENT | typeof QUEUE_EMPTY | typeof NEVER_ENDS;
  readonly variant: Variant;
  readonly rules: Partial<Rules>;
}

const FAR_MS = 1e6;

function changedStore(change: (real: Store) => Partial<Store>): Partial<Rules> {
  return {
    backend: (real) => ({
      claim: (requests) => real.claim(requests),
      commit: (requests) => real.commit(requests),
      conclude: (requests) => real.conclude(requests),
      revoke: (request) => real.revoke(request),
      get: (ids, nowMs) => real.get(ids, nowMs),
      forget: (ids) => real.forget(ids),
      ...change(real),
    }),
  };
}

const BACKEND_MUTATIONS: readonly Mutation[] = [
  {
    name: 'a claim ignores the lease',
    breaks: 'a run again means a loss',
    variant: TWO,
    rules: changedStore((real) => ({
      claim: (requests) => real.claim(requests.map((each) => ({ ...each, nowMs: each.nowMs + FAR_MS }))),
    })),
  },
  {
    name: 'a claim waits for a lease for ever',
    breaks: NEVER_ENDS,
    variant: TWO,
    rules: changedStore((real) => ({
      claim: (requests) => real.claim(requests.map((each) => ({ ...each, nowMs: -1 }))),
    })),
  },
  {
    name: 'a claim overwrites what is stored',
    breaks: 'one commit of an attempt',
    variant: TWO,
    rules: changedStore((real) => ({
      claim: async (requests) => {
        await real.forget(requests.map(({ id }) => id));
        return real.claim(requests);
      },
    })),
  },
  {
    name: 'a commit ignores the owner',
    breaks: 'a lost lease commits nothing',
    variant: ZOMBIE,
    rules: changedStore((real) => ({
      commit: async (requests) => {
        const records = await real.get(
          requests.map(({ id }) => id),
          0,
        );
        return real.commit(requests.map((each, index) => ({ ...each, owner: records[index]?.owner ?? each.owner })));
      },
    })),
  },
  {
    name: 'a revoke overwrites a final state',
    breaks: 'one final state',
    variant: TWO,
    rules: changedStore((real) => ({
      revoke: async (request) => {
        await real.forget([request.id]);
        return real.revoke(request);
      },
    })),
  },
  {
    name: 'a revoke is not stored',
    breaks: 'no run of a revoked task',
    variant: TWO,
    rules: changedStore(() => ({ revoke: () => Promise.resolve(PENDING) })),
  },
];

const RULE_MUTATIONS: readonly Mutation[] = [
  {
    name: 'acksLate is ignored',
    breaks: 'acksLate: false runs once',
    variant: { ...TWO, acksLate: false },
    rules: { decide: (outcome, options) => decideClaim(outcome, { ...options, acksLate: true }) },
  },
  {
    name: 'what is finished runs again',
    breaks: 'no run after the commit',
    variant: TWO,
    rules: {
      decide: (outcome, options) =>
        decideClaim(outcome.kind === 'finished' ? { kind: 'claimed', deliveries: 1, requeues: 0 } : outcome, options),
    },
  },
  {
    name: 'what was revoked while it ran runs again',
    breaks: 'no run of a revoked task',
    variant: TWO,
    rules: {
      decide: (outcome, options) =>
        decideClaim(outcome.kind === 'revoked' ? { kind: 'claimed', deliveries: 1, requeues: 0 } : outcome, options),
    },
  },
  {
    name: 'a duplicate is not settled',
    breaks: CHILDREN_SENT,
    variant: TWO,
    rules: {
      decide: (outcome, options) => {
        const decision = decideClaim(outcome, options);
        return decision.kind === 'duplicate' ? { ...decision, settle: false } : decision;
      },
    },
  },
  {
    name: 'a message older than the newest attempt is settled',
    breaks: 'children follow the stored outcome',
    variant: RETRIED,
    rules: {
      decide: (outcome, options) => {
        const decision = decideClaim(outcome, options);
        return decision.kind === 'duplicate' ? { ...decision, settle: true } : decision;
      },
    },
  },
  {
    name: 'a busy message is acked',
    breaks: TASK_ENDS,
    variant: ONE,
    rules: {
      decide: (outcome, options) =>
        outcome.kind === 'busy'
          ? { kind: 'duplicate', record: outcome.record, settle: false }
          : decideClaim(outcome, options),
    },
  },
  {
    name: 'settling comes before the commit, as in Celery',
    breaks: 'children follow the stored outcome',
    variant: TWO,
    rules: { afterRun: ['settle', 'commit', 'ack'] },
  },
  {
    name: 'the ack comes before settling',
    breaks: CHILDREN_SENT,
    variant: ONE,
    rules: { afterRun: ['commit', 'ack', 'settle'] },
  },
  {
    name: 'the ack comes before the commit',
    breaks: TASK_ENDS,
    variant: { ...ONE, outcomes: [IGNORED] },
    rules: { afterRun: ['ack', 'commit', 'settle'] },
  },
  { name: 'nothing is acked', breaks: QUEUE_EMPTY, variant: TWO, rules: { afterRun: ['commit', 'settle'] } },
  {
    name: 'whose commit is refused acks',
    breaks: TASK_ENDS,
    variant: { ...ONE, zombies: 1 },
    rules: { afterLostCommit: 'ack' },
  },
];

const MUTATIONS = [...BACKEND_MUTATIONS, ...RULE_MUTATIONS];

function broken({ breaks, variant, rules }: Mutation): Promise<Explored<State>> {
  // Its own invariant alone: another one may see the same fault a step earlier.
  const own = ALL_INVARIANTS.filter((name) => name === breaks);
  return explore(protocol(variant, { ...REAL_RULES, ...rules }, own));
}

describe('each rule of the protocol is needed', () => {
  it.each(MUTATIONS.map((mutation) => [mutation.name, mutation.breaks, mutation] as const))(
    '%s: breaks "%s"',
    async (_, breaks, mutation) => {
      expect((await broken(mutation)).counterexample?.broken).toBe(breaks);
    },
  );
  it('every invariant is broken by one of them', () => {
    const named = new Set<string>(MUTATIONS.map(({ breaks }) => breaks));
    expect(
      [...ALL_INVARIANTS, TASK_ENDS, CHILDREN_SENT, QUEUE_EMPTY, NEVER_ENDS].filter((name) => !named.has(name)),
    ).toEqual([]);
  });
  it('a counterexample is the shortest story', async () => {
    const { counterexample } = await explore(protocol(ONE, { ...REAL_RULES, afterRun: ['commit', 'ack', 'settle'] }));
    expect(counterexample).toEqual({
      broken: CHILDREN_SENT,
      trace: [
        'd0 receives message 0 and claims attempt 0: claimed, so run',
        'd0 runs: SUCCESS',
        'd0 commits SUCCESS: done',
        'd0 acks',
        'd0 crashes before settle',
      ],
    });
  });
});
