/** What shares its batch with a task that ends its worker: it must not be lost with it. */
import fc from 'fast-check';
import { type AsyncResult, Celeriac, type Ports, Reject, type TaskContext, type TaskRecord } from 'celeriac';
import { World, type WorldOptions } from 'celeriac/testing';
import { describe, expect, it } from 'vitest';

import type { Delivery } from '../../lib/ports/delivery.ts';
import { inOrder, wasBegun } from '../../lib/worker/apart.ts';
import { CURRENT_INVOCATION, type SimulatedInvocation } from '../../lib/testing/simulated-invocation.ts';
import { checkedLines } from '../support/log-lines.ts';

interface Job {
  readonly kind: 'innocent' | 'deadly' | 'requeued';
  /** How long it runs, or runs until it ends its worker. */
  readonly seconds: number;
  /** It claims nothing. */
  readonly idempotent?: boolean;
  /** Of a FIFO queue. */
  readonly group?: string;
}

/** Killed: by the system for its memory, by a crash of native code, by `process.exit()`. */
function endWorker(): Promise<never> {
  const invocation = CURRENT_INVOCATION.getStore();
  if (invocation !== undefined) invocation.dead = true;
  return new Promise<never>(() => {});
}

interface Setting extends Pick<WorldOptions, 'invocation' | 'maxReceiveCount'> {
  readonly fifo?: boolean;
  readonly timeLimit?: number;
  readonly batchConcurrency?: number;
}

/** What tasks of one world were seen to do. */
class Seen {
  /** Tasks that had been begun before, and began again beside another of their batch. */
  readonly beside: string[] = [];
  /** Most that ran at once in one worker. */
  most = 0;
  /** Most receives of a message. */
  receives = 0;
  /** How often the backend was asked for a record. */
  reads = 0;
  readonly ends = new Map<string, number>();
  readonly #running = new Map<object, Set<string>>();
  readonly #begun = new Set<string>();

  begin(id: string): () => void {
    const invocation = CURRENT_INVOCATION.getStore() as SimulatedInvocation;
    const running = this.#running.get(invocation) ?? new Set<string>();
    this.#running.set(invocation, running);
    if (this.#begun.has(id) && running.size > 0) this.beside.push(id);
    this.#begun.add(id);
    running.add(id);
    this.most = Math.max(this.most, running.size);
    return () => running.delete(id);
  }
}

interface Sent {
  readonly kind: Job['kind'];
  readonly result: AsyncResult;
}

function worldOf({ fifo = false, timeLimit, batchConcurrency, ...worldOptions }: Setting): {
  readonly world: World;
  readonly seen: Seen;
  readonly send: (jobs: readonly Job[]) => Promise<Sent[]>;
} {
  const app = new Celeriac('test', {
    resultExpires: '30d',
    queues: { default: { fifo } },
    ...(batchConcurrency === undefined ? {} : { batchConcurrency }),
  });
  const seen = new Seen();
  const run = async (self: TaskContext, { kind, seconds }: Job): Promise<string> => {
    const { id, deliveryInfo } = self.request;
    if (kind === 'requeued' && !deliveryInfo.redelivered) throw new Reject('once more', { requeue: true });
    // The machine of a real one stands still.
    if (CURRENT_INVOCATION.getStore()?.dead === true) return new Promise<never>(() => {});
    const end = seen.begin(id);
    await world.clock.sleep(seconds * 1000);
    if (kind === 'deadly') return endWorker();
    end();
    seen.ends.set(id, world.clock.nowMs());
    return 'done';
  };
  const options = { bind: true, ...(timeLimit === undefined ? {} : { timeLimit }) } as const;
  const claims = app.task('claims', options, run);
  const idempotent = app.task('idempotent', { ...options, idempotent: true }, run);
  const world: World = new World(app, {
    logger: checkedLines(),
    // Workers that may die.
    faults: {},
    wrapPorts: (ports: Ports): Ports => ({
      ...ports,
      backend: new Proxy(ports.backend, {
        get: (target, key) => {
          if (key === 'get') seen.reads += 1;
          return (Reflect.get(target, key) as () => unknown).bind(target);
        },
      }),
    }),
    ...worldOptions,
  });
  const receive = world.broker.receive.bind(world.broker);
  world.broker.receive = (queue, max) => {
    const batch = receive(queue, max);
    seen.receives = Math.max(seen.receives, ...batch.map(({ receiveCount }) => receiveCount));
    return batch;
  };
  const send = async (jobs: readonly Job[]): Promise<Sent[]> => {
    const sent: Sent[] = [];
    for (const each of jobs) {
      const task = each.idempotent === true ? idempotent : claims;
      const result = await task.applyAsync([each], fifo ? { groupKey: each.group ?? 'a' } : {});
      sent.push({ kind: each.kind, result });
    }
    return sent;
  };
  return { world, seen, send };
}

/** `count` innocent ones with one in their middle that ends its worker after half of their time. */
function withOneDeadly(count: number, seconds = 1): Job[] {
  const innocent: Job[] = Array.from({ length: count }, () => ({ kind: 'innocent', seconds }));
  return innocent.toSpliced(count / 2, 0, { kind: 'deadly', seconds: seconds / 2 });
}

async function statesOf(sent: readonly Sent[]): Promise<string[]> {
  return Promise.all(sent.map(async ({ kind, result }) => `${kind}: ${await result.state()}`));
}

const endOf = ({ kind }: Sent): string => (kind === 'deadly' ? 'deadly: FAILURE' : `${kind}: SUCCESS`);

describe('a batch with a task that ends its worker', () => {
  it('loses none of the nine others', async () => {
    const { world, seen, send } = worldOf({});
    const sent = await send(withOneDeadly(9));
    await world.drain('2d');
    expect(await statesOf(sent)).toEqual(sent.map(endOf));
    expect(world.deadLetters().map(({ attributes }) => attributes['reason'])).toEqual(['worker lost']);
    expect(seen.beside).toEqual([]);
  });

  it('has run all others after two more receives, whatever their places', async () => {
    for (let deadlyAt = 0; deadlyAt < 10; deadlyAt += 1) {
      const { world, seen, send } = worldOf({});
      const sent = await send(withOneDeadly(9));
      // Received at 0, 330 and 660 seconds; one alone takes a second.
      await world.advance(661 + 9);
      expect(seen.ends.size).toBe(9);
      expect(await statesOf(sent)).toEqual(
        sent.map((each) => (each.kind === 'deadly' ? 'deadly: PENDING' : endOf(each))),
      );
    }
  });

  it('property: whatever batch loses only what ends its workers', async () => {
    const kind = fc.constantFrom<Job['kind']>('innocent', 'innocent', 'deadly', 'requeued');
    const jobs = fc.array(fc.record({ kind, seconds: fc.integer({ min: 0, max: 20 }), idempotent: fc.boolean() }), {
      minLength: 2,
      maxLength: 10,
    });
    await fc.assert(
      fc.asyncProperty(jobs, fc.integer({ min: 1, max: 10 }), async (drawn, batchConcurrency) => {
        const { world, seen, send } = worldOf({ batchConcurrency });
        const sent = await send(drawn);
        await world.drain('3d');
        expect(await statesOf(sent)).toEqual(sent.map(endOf));
        expect(seen.beside).toEqual([]);
        expect(seen.most).toBeLessThanOrEqual(batchConcurrency);
      }),
      { numRuns: 8 },
    );
  });

  it('property: groups of a FIFO queue are not lost with one of them, and keep their order', async () => {
    const kind = fc.constantFrom<Job['kind']>('innocent', 'innocent', 'deadly');
    const group = fc.constantFrom('a', 'b', 'c');
    const jobs = fc.array(fc.record({ kind, seconds: fc.integer({ min: 1, max: 9 }), group }), {
      minLength: 2,
      maxLength: 10,
    });
    await fc.assert(
      fc.asyncProperty(jobs, async (drawn) => {
        const { world, seen, send } = worldOf({ fifo: true });
        const sent = await send(drawn);
        await world.drain('3d');
        expect(await statesOf(sent)).toEqual(sent.map(endOf));
        expect(seen.beside).toEqual([]);
        for (const name of ['a', 'b', 'c']) {
          const ends = sent.flatMap(({ result }, at) =>
            drawn[at]?.group === name ? (seen.ends.get(result.id) ?? []) : [],
          );
          expect(ends).toEqual(ends.toSorted((left, right) => left - right));
        }
      }),
      { numRuns: 8 },
    );
  });
});

describe('what had been begun when its worker ended', () => {
  it('is not kept waiting for ever by a busy queue, whose tasks take nearly a whole invocation', async () => {
    const { world, seen, send } = worldOf({ invocation: 60, timeLimit: 50 });
    const sent = await send(withOneDeadly(4));
    for (let third = 0; third < 60; third += 1) {
      await send(Array.from({ length: 3 }, () => ({ kind: 'innocent', seconds: 40 })));
      await world.advance('20s');
    }
    expect(await statesOf(sent)).toEqual(sent.map(endOf));
    expect(seen.receives).toBeLessThan(12);
  });

  it('comes again where no time is left after another that runs alone', async () => {
    const { world, seen, send } = worldOf({ invocation: 60, timeLimit: 50 });
    const sent = await send(withOneDeadly(4, 20));
    await world.drain('1h');
    expect(await statesOf(sent)).toEqual(sent.map(endOf));
    expect(seen.beside).toEqual([]);
  });

  it('runs beside others that were handed back on purpose only when these have ended', async () => {
    const { world, seen, send } = worldOf({});
    const dead = await send(withOneDeadly(1, 10));
    await world.advance('329s');
    // Handed back at once: received with what comes at 330 s.
    await send(Array.from({ length: 5 }, () => ({ kind: 'requeued', seconds: 10 })));
    await world.drain('1h');
    expect(await statesOf(dead)).toEqual(dead.map(endOf));
    expect(seen.beside).toEqual([]);
  });
});

describe('what came again without having ended its worker', () => {
  it('runs beside others, for one read each; what comes for the first time costs none', async () => {
    const { world, seen, send } = worldOf({});
    const startMs = world.clock.nowMs();
    await send(Array.from({ length: 10 }, () => ({ kind: 'innocent', seconds: 10 })));
    await world.run();
    expect(seen.reads).toBe(0);
    const sent = await send(Array.from({ length: 10 }, () => ({ kind: 'requeued', seconds: 10 })));
    await world.advance('20s');
    expect(seen.reads).toBe(10);
    expect(seen.most).toBe(10);
    expect([...seen.ends.values()].every((endMs) => endMs <= startMs + 20_000)).toBe(true);
    expect(await statesOf(sent)).toEqual(sent.map(endOf));
  });

  it('costs nothing alone in its batch', async () => {
    const { world, seen, send } = worldOf({});
    const [sent] = await send([{ kind: 'requeued', seconds: 1 }]);
    await world.advance('5s');
    expect(seen.reads).toBe(0);
    expect(await sent?.result.state()).toBe('SUCCESS');
  });
});

describe('the order of what came again', () => {
  const delivery = (messageId: string, receiveCount: number): Delivery => ({
    messageId,
    receiveCount,
    receipt: messageId,
    body: '',
    queue: 'default',
  });
  const ids = fc.uniqueArray(fc.uuid(), { minLength: 2, maxLength: 10 });
  const order = (of: readonly string[], receiveCount: number): string[] =>
    inOrder(of.map((id) => [delivery(id, receiveCount)])).map(([head]) => head?.messageId ?? '');

  it('property: first what is new, as it came; of two receives the second is the first in reverse', () => {
    fc.assert(
      fc.property(ids, fc.integer({ min: 1, max: 30 }), (some, pair) => {
        expect(order(some, 1)).toEqual(some);
        expect(order(some, 2 * pair + 1)).toEqual(order(some, 2 * pair).toReversed());
        const mixed = inOrder([[delivery('old', 2 * pair)], ...some.map((id) => [delivery(id, 1)])]);
        expect(mixed.at(-1)?.[0]?.messageId).toBe('old');
      }),
    );
  });

  it('is another one for each pair of receives', () => {
    const some = Array.from({ length: 10 }, (_, index) => `message-${index}`);
    const orders = Array.from({ length: 20 }, (_, pair) => order(some, 2 * pair + 2).join());
    expect(new Set(orders).size).toBe(20);
  });
});

describe('whether a worker had begun an attempt', () => {
  const record = (of: Partial<TaskRecord>): TaskRecord => ({ id: 'x', status: 'STARTED', ...of });

  it.each<[string, TaskRecord | undefined, boolean]>([
    ['nothing is known', undefined, false],
    ['it was only revoked', record({}), false],
    ['an older attempt ended', record({ attempt: 1, committed: 1, deliveries: 0 }), false],
    ['it was claimed', record({ attempt: 2, deliveries: 1 }), true],
    ['it was claimed and given back', record({ attempt: 2, deliveries: 2, requeues: 2 }), false],
    ['it was given back, and claimed again', record({ attempt: 2, deliveries: 2, requeues: 1 }), true],
    ['its outcome stands', record({ attempt: 2, committed: 2, deliveries: 0 }), true],
    ['a later attempt was claimed', record({ attempt: 3, deliveries: 1, requeues: 1 }), true],
  ])('%s', (_what, given, begun) => {
    expect(wasBegun(given, 2)).toBe(begun);
  });
});

it('without a time limit nobody is cut off who began alone, late in an invocation', async () => {
  const { world, send } = worldOf({ invocation: 10 });
  const sent = await send([
    { kind: 'deadly', seconds: 1 },
    ...Array.from({ length: 3 }, () => ({ kind: 'innocent', seconds: 4.5 }) as const),
  ]);
  await world.drain();
  for (const { kind, result } of sent) if (kind === 'innocent') expect(await result.state()).toBe('SUCCESS');
});
