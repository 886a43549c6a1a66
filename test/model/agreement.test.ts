/**
 * The model and the worker's own code, side by side on random histories: after every step the same record is stored,
 * the same is sent, and each delivery has the same left to do.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { FAILURE, RETRY, SUCCESS } from '../../lib/base/states.ts';
import { protocol } from './protocol.ts';
import type { Model, Step } from './explorer.ts';
import { type RealDelivery, RealWorker } from './real-worker.ts';
import type { Stored } from './record-store.ts';
import { initialState, type State, type Variant } from './state.ts';

const RUNS = Number(process.env['HISTORIES'] ?? 40);

const BASE: Variant = {
  acksLate: true,
  maxDeliveries: 3,
  copies: 3,
  outcomes: [SUCCESS],
  crashes: 3,
  zombies: 0,
  revokes: 1,
};
const VARIANTS: readonly (readonly [string, Variant])[] = [
  ['success', BASE],
  ['failure', { ...BASE, outcomes: [FAILURE] }],
  ['retry', { ...BASE, outcomes: [RETRY, SUCCESS] }],
  ['retry, then failure', { ...BASE, outcomes: [RETRY, FAILURE] }],
  ['acksLate: false', { ...BASE, acksLate: false }],
  ['acksLate: false, retry', { ...BASE, acksLate: false, outcomes: [RETRY, SUCCESS] }],
  ['maxDeliveries: 1', { ...BASE, maxDeliveries: 1 }],
];

/** What the model calls the step that a real delivery waits to take. */
const STEP: Readonly<Record<string, string>> = {
  run: 'run',
  'backend.commit': 'commit',
  'backend.conclude': 'conclude',
  'broker.send': 'settle',
};

class Pair {
  state: State;
  readonly #model: Model<State>;
  readonly #real: RealWorker;
  readonly #deliveries = new Map<string, RealDelivery>();

  constructor(variant: Variant, real: RealWorker) {
    this.#model = protocol(variant);
    this.#real = real;
    this.state = initialState(variant);
  }

  /** Steps that both can take: a living delivery is not held beyond its own deadline. */
  async moves(): Promise<readonly Step<State>[]> {
    const moves = await this.#model.steps(this.state);
    return moves.filter(({ name }) => name !== 'the lease ends' || this.state.deliveries.length === 0);
  }

  async take({ name, next }: Step<State>): Promise<void> {
    this.state = next;
    const owner = name.split(' ')[0] ?? '';
    const real = this.#deliveries.get(owner);
    const claimed = /receives message \d+ and claims attempt (\d+)/.exec(name);
    if (claimed !== null) {
      const begun = await this.#real.receive(owner, Number(claimed[1]));
      this.#deliveries.set(owner, begun);
      expect(begun.next).toBe('backend.claim');
      await begun.step();
    } else if (name.includes('crashes before')) {
      real?.crash();
      this.#deliveries.delete(owner);
    } else if (name === 'the lease ends') this.#real.endLease();
    else if (name === 'an operator revokes') await this.#real.revoke();
    else if (!name.endsWith(' acks')) await real?.step();
    await this.#agree();
  }

  async #agree(): Promise<void> {
    expect(await this.#stored()).toEqual(fieldsOf(this.state.record));
    expect(this.#real.runs).toEqual(this.state.ledger.runs);
    expect(this.#real.sent.toSorted()).toEqual([...this.state.ledger.sent]);
    for (const [owner, real] of this.#deliveries) {
      const [todo] = this.state.deliveries.find((each) => each.owner === owner)?.todo ?? [];
      if (real.ended === undefined) expect(STEP[real.next ?? ''], owner).toBe(todo);
      else {
        // What is left to a delivery that has ended is Lambda's: to delete its message, or not.
        expect(todo, owner).toBe(real.ended === 'ack' ? 'ack' : undefined);
        this.#deliveries.delete(owner);
      }
    }
  }

  async #stored(): Promise<unknown> {
    return fieldsOf((await this.#real.record()) ?? null);
  }
}

/** What both know of a record; owners are called by the delivery. */
function fieldsOf(record: Stored): unknown {
  if (record === null) return null;
  const { status, attempt, committed, owner, deliveries = 0, requeues = 0, finishedMs, revokedMs } = record;
  return {
    status,
    attempt,
    committed,
    owner: owner?.split('/')[0],
    deliveries,
    requeues,
    finished: finishedMs !== undefined,
    revoked: revokedMs !== undefined,
  };
}

/** Random histories of the model, taken by the worker too. */
async function agree(model: Variant, worker: Variant, taken = new Set<string>()): Promise<void> {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(1000), { minLength: 5, maxLength: 30 }), async (choices) => {
      const pair = new Pair(model, await RealWorker.start(worker));
      const trace: string[] = [];
      for (const choice of choices) {
        const moves = await pair.moves();
        const move = moves[choice % moves.length];
        if (move === undefined) return;
        trace.push(move.name);
        taken.add(move.name);
        try {
          await pair.take(move);
        } catch (error) {
          throw new Error(`after: ${trace.join('; ')}`, { cause: error });
        }
      }
    }),
    { numRuns: RUNS },
  );
}

describe('model and worker agree step by step', () => {
  it.each(VARIANTS)('%s', async (_name, variant) => {
    const taken = new Set<string>();
    await agree(variant, variant, taken);
    // A comparison of histories in which nothing happens would say nothing.
    for (const part of ['claimed, so run', 'runs:', 'commits', 'sends', 'acks', 'crashes before', 'the lease ends'])
      expect(
        [...taken].some((name) => name.includes(part)),
        part,
      ).toBe(true);
  });

  it.each<[string, Variant]>([
    ['what follows', { ...BASE, outcomes: [FAILURE] }],
    ['when a task is given up', { ...BASE, maxDeliveries: 1 }],
    ['what runs again', { ...BASE, acksLate: false }],
  ])('a worker that differs in %s is seen', async (_what, other) => {
    await expect(agree(BASE, other)).rejects.toThrow('Property failed');
  });
});
