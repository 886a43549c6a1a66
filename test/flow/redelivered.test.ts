/** A message that was delivered before stays one, whatever sends it on: a new SQS message counts its receives from one. */
import fc from 'fast-check';
import { Celeriac, currentTask, Reject, silentLogger, type TaskOptions } from 'celeriac';
import { World, type WorldOptions } from 'celeriac/testing';
import { describe, expect, it } from 'vitest';

import type { Clock } from '../../lib/base/time.ts';
import { REFUSED_RECEIVES } from '../../lib/base/limits.ts';
import { CURRENT_INVOCATION } from '../../lib/testing/simulated-invocation.ts';

const START = new Date('2030-01-01T00:00:00Z');

interface Given {
  readonly options: TaskOptions;
  readonly fifo?: boolean;
  /** Tasks that are sent at once. */
  readonly tasks?: number;
  /** Deliveries that each asks for before it ends. */
  readonly wanted?: number;
  readonly world?: WorldOptions;
  /** Once a run has given its message back. */
  readonly requeued?: (app: Celeriac) => void;
  readonly send?: (task: Work['task'], world: World) => Promise<unknown>;
}

interface Told {
  readonly deliveries: number;
  readonly redelivered: boolean;
  readonly hops: number;
}

interface Work {
  readonly app: Celeriac;
  readonly task: { applyAsync(args: [number, string?], options?: object): Promise<unknown> };
  /** What the runs of each task were told, in order. */
  readonly told: Told[][];
  readonly clock: { current?: Clock };
}

function workOf({ options, fifo = false, wanted = 2, requeued }: Given): Work {
  const app = new Celeriac('redelivered', { queues: { default: { fifo } }, logger: silentLogger });
  const told: Told[][] = [];
  const clock: { current?: Clock } = {};
  const task = app.task(
    'work',
    { maxDeliveries: 20, rateLimit: null, ...options },
    async (n: number, _text?: string): Promise<number> => {
      const { deliveryInfo, hops } = currentTask().request;
      const { deliveries, redelivered } = deliveryInfo;
      (told[n] ??= []).push({ deliveries, redelivered, hops });
      await clock.current?.sleep(5000);
      if (deliveries < wanted) {
        requeued?.(app);
        throw new Reject('again', { requeue: true });
      }
      return n;
    },
  );
  return { app, task, told, clock };
}

async function run(given: Given): Promise<{ readonly told: readonly Told[][]; readonly ends: readonly string[] }> {
  const { app, task, told, clock } = workOf(given);
  using world = new World(app, { start: START, invocation: 60, maxReceiveCount: 1000, ...given.world });
  clock.current = world.clock;
  if (given.send !== undefined) await given.send(task, world);
  for (let n = 0; given.send === undefined && n < (given.tasks ?? 2); n += 1) {
    await task.applyAsync([n], given.fifo === true ? { groupKey: `group-${n % 2}` } : {});
    await world.advance(0.001);
  }
  await world.drain('3d');
  return { told, ends: world.backend.all().map(({ status }) => status ?? '') };
}

/** The clocks of the first invocations, by seconds ahead of the true time. */
function differingClocks(...aheadSeconds: readonly number[]): NonNullable<WorldOptions['wrapPorts']> {
  const seen: string[] = [];
  return (ports, { requestId }) => {
    if (!seen.includes(requestId)) seen.push(requestId);
    const { clock } = ports;
    const aheadMs = (aheadSeconds[seen.indexOf(requestId)] ?? 0) * 1000;
    return {
      ...ports,
      clock: {
        nowMs: () => clock.nowMs() + aheadMs,
        sleep: (ms, signal) => clock.sleep(ms, signal),
        schedule: (ms, callback) => clock.schedule(ms, callback),
        nextTurn: () => clock.nextTurn(),
      },
    };
  };
}

/** Once it has run, so many workers do not know the task: a deployment is under way. */
function unknownFor(workers: number): Pick<Given, 'requeued'> {
  return {
    requeued: ({ registry }) => {
      const find = registry.find.bind(registry);
      let left = workers;
      registry.find = (name) => {
        if (name !== 'work' || left === 0 || CURRENT_INVOCATION.getStore() === undefined) return find(name);
        left -= 1;
        return undefined;
      };
    },
  };
}

describe.each([{ idempotent: false }, { idempotent: true }])('idempotent: $idempotent', ({ idempotent }) => {
  const ways: Record<string, Given & { readonly isSentOn: boolean }> = {
    'stays in its queue': { options: {}, isSentOn: false },
    'waits for a slot of its concurrency': { options: { concurrency: 1 }, isSentOn: true },
    'waits for the other instance': { options: { oneInstance: { whenLocked: 'wait' } }, isSentOn: true },
    'has a slot in a FIFO queue': { options: { concurrency: 1 }, tasks: 1, fifo: true, isSentOn: false },
    // One with a claim has started, and asks for no second slot.
    'waits for its rate slot': { options: { rateLimit: '1/m' }, isSentOn: idempotent },
    'waits for its rate slot as a timer': { options: { rateLimit: '1/h' }, isSentOn: idempotent },
    'waits for a rate slot and another': { options: { rateLimit: '20/m', concurrency: 1 }, tasks: 4, isSentOn: true },
    'is not known for a while': { options: {}, tasks: 1, ...unknownFor(3), isSentOn: true },
    'is not known for a while, in a FIFO queue': {
      options: {},
      tasks: 1,
      fifo: true,
      ...unknownFor(3),
      isSentOn: true,
    },
    'is early by the next clock': {
      options: {},
      world: { wrapPorts: differingClocks(6, -6) },
      send: (task) => task.applyAsync([0], { countdown: 10 }),
      isSentOn: true,
    },
  };

  it.each(Object.entries(ways))('one that %s', async (_way, { options, isSentOn, ...given }) => {
    const { told, ends } = await run({ ...given, options: { ...options, idempotent } });
    expect(told.length).toBeGreaterThan(0);
    for (const runs of told)
      expect(runs.map(({ deliveries, redelivered }) => [deliveries, redelivered])).toEqual([
        [1, false],
        [2, true],
      ]);
    expect(told.some(([first, second]) => (second?.hops ?? 0) > (first?.hops ?? 0))).toBe(isSentOn);
    expect(new Set(ends)).toEqual(new Set(['SUCCESS']));
  });

  it('one that is early and too large to tell', async () => {
    const eta = new Date(START.getTime() + 10_000).toISOString();
    const body = rawBody({ eta }, [0, 'é'.repeat(450_000)]);
    const { told, ends } = await run({
      options: { idempotent },
      world: { wrapPorts: differingClocks(0, 6, -6) },
      send: (_task, world) => world.broker.send([{ queue: 'default', body }]),
    });
    expect(told.flat().map(({ redelivered, hops }) => [redelivered, hops])).toEqual([
      [false, 0],
      [true, 0],
    ]);
    expect(ends).toEqual(['SUCCESS']);
  });

  const gates = fc.record({
    concurrency: fc.option(fc.integer({ min: 1, max: 2 }), { nil: null }),
    rateLimit: fc.constantFrom(null, '20/m', '6/m', '30/h'),
    fifo: fc.boolean(),
    tasks: fc.integer({ min: 1, max: 5 }),
    wanted: fc.integer({ min: 1, max: 5 }),
    seed: fc.nat(),
  });

  it('counts on, whatever it waits for, and how often', async () => {
    await fc.assert(
      fc.asyncProperty(gates, async ({ concurrency, rateLimit, fifo, tasks, wanted, seed }) => {
        const faults = { duplicate: 0, reorder: 0.2, throttledBatch: 0.1 };
        const options = { concurrency, rateLimit, idempotent };
        const { told, ends } = await run({ options, fifo, tasks, wanted, world: { seed, faults } });
        expect(ends).toEqual(Array.from({ length: tasks }, () => 'SUCCESS'));
        for (const runs of told) {
          const counts = runs.map(({ deliveries }) => deliveries);
          // Nothing but its receives tells of a task without a claim: those too that came to nothing count.
          const expected = idempotent
            ? counts.toSorted((left, right) => left - right)
            : Array.from({ length: wanted }, (_, n) => n + 1);
          expect(counts).toEqual(expected);
          expect(new Set(counts).size).toBe(counts.length);
          expect(runs.slice(1).every(({ redelivered }) => redelivered)).toBe(true);
        }
      }),
      { numRuns: 15 },
    );
  });

  it.each<TaskOptions>([{}, { concurrency: 1 }, { rateLimit: '30/m' }, { concurrency: 2, rateLimit: '30/m' }])(
    'one that is always given back ends after maxDeliveries, with %j',
    async (options) => {
      const { told, ends } = await run({
        options: { ...options, idempotent, maxDeliveries: 4 },
        tasks: 3,
        wanted: Infinity,
      });
      expect(told.map((runs) => runs.length)).toEqual([4, 4, 4]);
      expect(ends).toEqual(['REJECTED', 'REJECTED', 'REJECTED']);
    },
  );

  it('a retry is a new attempt, and begins anew', async () => {
    const app = new Celeriac('retried', { logger: silentLogger });
    const told: [number, number][] = [];
    const task = app.task('work', { concurrency: 1, idempotent, bind: true, retryJitter: false }, async (self) => {
      const { retries, deliveryInfo } = self.request;
      told.push([retries, deliveryInfo.deliveries]);
      await world.clock.sleep(1000);
      if (deliveryInfo.deliveries < 3) throw new Reject('again', { requeue: true });
      if (retries < 2) self.retry({ countdown: 1 });
    });
    using world = new World(app);
    await Promise.all([task.delay(), task.delay()]);
    await world.drain();
    const each = [0, 1, 2].flatMap((retries) => [1, 2, 3].map((deliveries) => [retries, deliveries]));
    expect(told.map(String).toSorted()).toEqual([...each, ...each].map(String).toSorted());
  });
});

it('what is refused for good is given up after as many tries, though it waits for a slot between them', async () => {
  let refused = 0;
  const app = new Celeriac('refused', { logger: silentLogger });
  const task = app.task('work', { concurrency: 1 }, async (_n: number) => world.clock.sleep(5000));
  using world = new World(app, {
    wrapPorts: (ports) => ({
      ...ports,
      backend: new Proxy(ports.backend, {
        get: (backend, name) => {
          const value: unknown = Reflect.get(backend, name, backend);
          if (typeof value !== 'function') return value;
          return (...args: readonly unknown[]) => {
            if (name === 'claim' && JSON.stringify(args).includes(id)) {
              refused += 1;
              throw new Error('This item is refused.');
            }
            return Reflect.apply(value, backend, args) as unknown;
          };
        },
      }),
    }),
  });
  const { id } = await task.applyAsync([0]);
  for (let n = 1; n < 40; n += 1) await task.applyAsync([n]);
  await world.drain();
  expect(refused).toBe(REFUSED_RECEIVES);
  expect(world.backend.all().filter(({ status }) => status === 'SUCCESS')).toHaveLength(39);
  expect(world.backend.all().find((record) => record.id === id)?.status).toBe('FAILURE');
});

it.each(['many', -1, 1.5, {}, null])('a header that says %j says nothing', async (deliveries) => {
  const body = rawBody({ celeriac: { deliveries } }, [0]);
  const { told } = await run({
    options: { idempotent: true },
    send: (_task, world) => world.broker.send([{ queue: 'default', body }]),
  });
  expect(told.flat().map((each) => each.deliveries)).toEqual([1, 2]);
});

/** As anybody may write it. */
function rawBody(headers: object, args: readonly unknown[]): string {
  const embed = { callbacks: null, errbacks: null, chain: null, chord: null };
  return JSON.stringify({
    body: JSON.stringify([args, {}, embed]),
    'content-encoding': 'utf-8',
    'content-type': 'application/json',
    headers: { task: 'work', id: '00000000-0000-4000-8000-0000000000ab', ...headers },
    properties: { delivery_info: { exchange: '', routing_key: 'default' } },
  });
}
