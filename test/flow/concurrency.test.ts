/** Concurrency in virtual time: never more at once than the limit, in the order in which they came, and all of them some day. */
import { Celeriac, silentLogger, type TaskOptions } from 'celeriac';
import { World, type WorldOptions } from 'celeriac/testing';
import { describe, expect, it } from 'vitest';

import { resolveFlow } from '../../lib/options/resolve-flow.ts';
import { programOf, runProgram } from './slot-program.ts';

const START_MS = Date.parse('2030-01-01T00:00:00Z');

interface Run {
  readonly n: number;
  readonly fromMs: number;
  toMs?: number;
}

interface Limited {
  readonly app: Celeriac;
  readonly world: World;
  readonly runs: Run[];
  readonly task: {
    applyAsync(
      args: readonly [number, string?],
      options?: object,
    ): Promise<{ readonly id: string; get(): Promise<unknown>; revoke(): Promise<unknown> }>;
  };
}

function limited(
  options: TaskOptions,
  { fifo = false, seconds = 10, ...more }: WorldOptions & { readonly fifo?: boolean; readonly seconds?: number } = {},
): Limited {
  const app = new Celeriac('limited', { queues: { default: { fifo } }, logger: silentLogger });
  const runs: Run[] = [];
  const task = app.task('work', options, async (n: number, _tenant?: string) => {
    const run: Run = { n, fromMs: world.clock.nowMs() - START_MS };
    runs.push(run);
    await world.clock.sleep(seconds * 1000);
    run.toMs = world.clock.nowMs() - START_MS;
    return n;
  });
  const world = new World(app, { start: new Date(START_MS), ...more });
  return { app, world, runs, task };
}

/** Most runs at the same time. */
function mostAtOnce(runs: readonly Run[]): number {
  return Math.max(
    ...runs.map(
      ({ fromMs }) => runs.filter((other) => other.fromMs <= fromMs && (other.toMs ?? Infinity) > fromMs).length,
    ),
  );
}

async function send({ task, world }: Limited, count: number, tenant?: string): Promise<void> {
  for (let n = 0; n < count; n += 1) {
    await task.applyAsync(tenant === undefined ? [n] : [n, tenant]);
    await world.advance(0.001);
  }
}

describe('concurrency', () => {
  it.each([1, 2, 5])('runs %i at a time, in the order in which they came', async (limit) => {
    const run = limited({ concurrency: limit });
    using world = run.world;
    await send(run, 30);
    await world.drain();
    expect(run.runs).toHaveLength(30);
    expect(mostAtOnce(run.runs)).toBe(limit);
    expect(run.runs.map(({ n }) => n)).toEqual(Array.from({ length: 30 }, (_, n) => n));
    // Nobody waits for anything but the one before him.
    expect(Math.max(...run.runs.map(({ toMs = 0 }) => toMs))).toBeLessThan((30 / limit) * 10_000 + 2000);
  });

  it('puts those that were sent early in the order in which they were due', async () => {
    const run = limited({ concurrency: 1 }, { seconds: 100 });
    using world = run.world;
    await run.task.applyAsync([0]);
    await world.advance(1);
    await run.task.applyAsync([3], { countdown: 40 });
    await world.advance(1);
    await run.task.applyAsync([2], { countdown: 20 });
    await world.advance(1);
    await run.task.applyAsync([1]);
    await world.drain();
    expect(run.runs.map(({ n }) => n)).toEqual([0, 1, 2, 3]);
  });

  it('has a line for each key', async () => {
    const run = limited({ concurrency: { limit: 1, key: (_n: number, tenant: string) => tenant } });
    using world = run.world;
    await send(run, 3, 'acme');
    await send(run, 3, 'globex');
    await world.drain();
    expect(mostAtOnce(run.runs)).toBe(2);
    expect(run.runs.map(({ n }) => n)).toEqual([0, 0, 1, 1, 2, 2]);
  });

  it('tells who runs and who waits', async () => {
    const run = limited({ concurrency: { limit: 2, key: (_n: number, tenant: string) => tenant } }, { invocation: 60 });
    using world = run.world;
    const ids = [];
    for (let n = 0; n < 5; n += 1) {
      ids.push((await run.task.applyAsync([n, 'acme'], n === 4 ? { expires: 100 } : {})).id);
      await world.advance(0.001);
    }
    const view = await run.app.control.slots('work', { key: 'acme', limit: 2 });
    expect(view.active.map(({ id, retries, until }) => [id, retries, until.getTime() - START_MS])).toEqual([
      [ids[0], 0, 62_000],
      [ids[1], 0, 62_001],
    ]);
    expect(view).toMatchObject({ limit: 2, scheduled: [], waiting: 3 });
    expect(view.reserved).toEqual([
      { id: ids[2], retries: 0, since: new Date(START_MS + 2) },
      { id: ids[3], retries: 0, since: new Date(START_MS + 3) },
    ]);
    const { reserved } = await run.app.control.slots('work', { key: 'acme' });
    expect(reserved[2]).toMatchObject({ id: ids[4], expires: new Date(START_MS + 100_004) });
    expect(await run.app.control.slots('work', { key: 'globex' })).toEqual({
      limit: undefined,
      active: [],
      scheduled: [],
      reserved: [],
      waiting: 0,
    });
    await expect(run.app.control.slots('work', { limit: 0 })).rejects.toMatchObject({ code: 'INVALID_OPTION' });
  });

  it('is shared by tasks of its scope that have the same key', async () => {
    const app = new Celeriac('shared', { logger: silentLogger });
    const runs: Run[] = [];
    const concurrency = { limit: 1, key: (tenant: string) => tenant, scope: 'app' } as const;
    const tasks = ['one', 'two'].map((name, n) =>
      app.task(name, { concurrency }, async (_tenant: string) => {
        const run: Run = { n, fromMs: world.clock.nowMs() };
        runs.push(run);
        await world.clock.sleep(10_000);
        run.toMs = world.clock.nowMs();
      }),
    );
    using world = new World(app);
    for (const tenant of ['acme', 'acme', 'globex']) for (const task of tasks) await task.delay(tenant);
    await world.drain();
    expect(runs).toHaveLength(6);
    expect(mostAtOnce(runs)).toBe(2);
  });

  it('makes no request while nothing ends, however many wait, and one look a quarter of an hour', async () => {
    let requests = 0;
    const counting = <T extends object>(port: T): T =>
      new Proxy(port, {
        get(target, name) {
          const value: unknown = Reflect.get(target, name, target);
          if (typeof value !== 'function') return value;
          return (...args: readonly unknown[]) => {
            requests += 1;
            return Reflect.apply(value, target, args) as unknown;
          };
        },
      });
    const run = limited(
      { concurrency: { limit: 1, key: (_n: number, tenant: string) => tenant } },
      {
        seconds: 800,
        invocation: '15m',
        // Each run asks its own record whether it was revoked, whoever waits.
        wrapPorts: ({ broker, timers, slots, ...ports }) => ({
          ...ports,
          broker: counting(broker),
          timers: counting(timers),
          slots: slots && counting(slots),
        }),
      },
    );
    using world = run.world;
    const keys = 20;
    for (let n = 0; n < 21 * keys; n += 1) {
      await run.task.applyAsync([n, `tenant ${n % keys}`]);
      await world.run();
    }
    expect(run.runs).toHaveLength(keys);
    expect(await world.ports.slots?.count('slots#work#tenant 7')).toBe(20);
    requests = 0;
    await world.advance('790s');
    expect(requests).toBe(0);
    expect(world.broker.depth('default')).toEqual({ visible: 0, delayed: keys, inFlight: keys });
  });

  it('takes over the slot of a dead worker, and keeps the place of its task', async () => {
    const run = limited({ concurrency: 1 }, { faults: { killBeforeCommit: 1 }, invocation: 60 });
    using world = run.world;
    await send(run, 6);
    await world.advance('20s');
    expect(run.runs.map(({ n }) => n)).toEqual([0]);
    world.faults.on = false;
    await world.drain();
    // Its message is visible again after 90 s, half a minute after its lease has passed.
    expect(run.runs.map(({ n }) => n)).toEqual([0, 1, 2, 3, 0, 4, 5]);
    expect(run.runs[1]?.fromMs).toBeLessThan(66_000);
  });

  it('holds no slot between two attempts, and a retry waits behind the others', async () => {
    const app = new Celeriac('retries', { logger: silentLogger });
    const runs: string[] = [];
    const task = app.task('work', { bind: true, concurrency: 1 }, async (self, n: number) => {
      runs.push(`${n}.${self.request.retries}`);
      await world.clock.sleep(10_000);
      if (self.request.retries === 0) self.retry({ countdown: 1 });
    });
    using world = new World(app);
    for (let n = 0; n < 3; n += 1) {
      await task.delay(n);
      await world.advance(0.001);
    }
    await world.drain();
    expect(runs).toEqual(['0.0', '1.0', '2.0', '0.1', '1.1', '2.1']);
  });

  it('lets what waits expire and be revoked, and goes on behind it', async () => {
    const run = limited({ concurrency: 1 });
    using world = run.world;
    await send(run, 1);
    const expires = await run.task.applyAsync([1], { expires: 15 });
    await world.advance(0.001);
    const revoked = await run.task.applyAsync([2]);
    await world.advance(0.001);
    const last = await run.task.applyAsync([3]);
    await world.advance('5s');
    await revoked.revoke();
    await world.advance('11s');
    // Its turn would have come at ten seconds, when it had not expired yet.
    await world.drain();
    expect(run.runs.map(({ n }) => n)).toEqual([0, 1, 3]);
    await expect(revoked.get()).rejects.toThrow(/revoked/);
    expect(await last.get()).toBe(3);
    const late = limited({ concurrency: 1 }, { seconds: 30 });
    using second = late.world;
    await send(late, 1);
    const over = await late.task.applyAsync([1], { expires: 15 });
    await send(late, 1);
    await second.drain();
    expect(late.runs.map(({ n }) => n)).toEqual([0, 0]);
    await expect(over.get()).rejects.toThrow(/expired/);
    expect(late.runs[1]?.fromMs).toBeLessThan(31_000);
    await expect(expires.get()).resolves.toBe(1);
  });

  it('goes together with a rate limit: who waits for its rate slot holds no other', async () => {
    const run = limited({ concurrency: 1, rateLimit: '2/m' }, { seconds: 50 });
    using world = run.world;
    await send(run, 5);
    await world.drain();
    expect(run.runs).toHaveLength(5);
    expect(mostAtOnce(run.runs)).toBe(1);
    const starts = run.runs.map(({ fromMs }) => fromMs);
    expect(starts.every((start, at) => at === 0 || start - (starts[at - 1] ?? 0) >= 30_000)).toBe(true);
  });

  it('keeps the order of FIFO groups', async () => {
    const run = limited({ concurrency: 1 }, { fifo: true });
    using world = run.world;
    for (let n = 0; n < 6; n += 1) await run.task.applyAsync([n], { groupKey: `group-${n % 2}` });
    await world.drain();
    expect(run.runs).toHaveLength(6);
    expect(mostAtOnce(run.runs)).toBe(1);
    for (const group of [0, 1])
      expect(run.runs.map(({ n }) => n).filter((n) => n % 2 === group)).toEqual([group, group + 2, group + 4]);
    expect(Math.max(...run.runs.map(({ toMs = 0 }) => toMs))).toBeLessThan(62_000);
  });

  it('waits in its queue where its message is too large to be stored', async () => {
    const app = new Celeriac('large', { logger: silentLogger });
    const runs: Run[] = [];
    const task = app.task('work', { concurrency: 1 }, async (n: number, _text: string) => {
      const run: Run = { n, fromMs: world.clock.nowMs() };
      runs.push(run);
      await world.clock.sleep(10_000);
      run.toMs = world.clock.nowMs();
    });
    using world = new World(app);
    for (let n = 0; n < 3; n += 1) await task.delay(n, 'x'.repeat(400_000));
    await world.drain();
    expect(runs).toHaveLength(3);
    expect(mostAtOnce(runs)).toBe(1);
  });

  it('with idempotent tasks the slot stands in for the claim', async () => {
    const run = limited({ concurrency: 2, idempotent: true });
    using world = run.world;
    await send(run, 8);
    await world.drain();
    expect(run.runs).toHaveLength(8);
    expect(mostAtOnce(run.runs)).toBe(2);
    expect(run.runs.map(({ n }) => n)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it.each([
    [1, 4],
    [4, 1],
  ])('of %i that a deployment makes %i takes effect on what waits', async (before, after) => {
    const run = limited({ concurrency: before });
    using world = run.world;
    await send(run, 20);
    await world.advance('15s');
    const definition = run.app.registry.find('work');
    const flow = { ...definition?.options.flow, resolved: () => resolveFlow('work', { concurrency: after }) };
    Object.assign(definition?.options ?? {}, { flow });
    await world.advance('15s');
    await world.drain();
    expect(run.runs).toHaveLength(20);
    expect(mostAtOnce(run.runs)).toBe(Math.max(before, after));
    expect(mostAtOnce(run.runs.filter(({ fromMs }) => fromMs >= 25_000))).toBe(after);
    expect(run.runs.map(({ n }) => n)).toEqual(Array.from({ length: 20 }, (_, n) => n));
  });

  it('fails a task whose key function throws, and lets the others run', async () => {
    const run = limited({
      concurrency: {
        limit: 1,
        key: (n: number) => {
          if (n === 0) throw new Error('no tenant');
          return 'key';
        },
      },
    });
    using world = run.world;
    const bad = await run.task.applyAsync([0]);
    await run.task.applyAsync([1]);
    await world.drain();
    await expect(bad.get()).rejects.toMatchObject({ code: 'INVALID_KEY' });
    expect(run.runs.map(({ n }) => n)).toEqual([1]);
  });
});

// `SEEDS=2000 npm test -- test/flow/concurrency` looks further; slots.long.test.ts does.
const SEEDS = Number(process.env['SEEDS'] ?? 8);

it('never holds more slots than there are, whatever goes wrong, and ends all', async () => {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const program = programOf(seed);
    expect((await runProgram(program)).broken, JSON.stringify(program)).toEqual([]);
  }
});

it('needs nobody to look after it where nothing goes wrong', async () => {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const program = { ...programOf(seed), fifo: false, latencyMs: 400, looksAfter: false, faults: {} };
    expect((await runProgram(program)).broken, JSON.stringify(program)).toEqual([]);
  }
});

it('starts the tasks of a key in the order in which they came, where nothing goes wrong', async () => {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const program = { ...programOf(seed), fifo: false, latencyMs: 0, faults: {} };
    const { broken, starts } = await runProgram(program);
    expect(broken, JSON.stringify(program)).toEqual([]);
    for (const key of starts) expect(key, JSON.stringify(program)).toEqual(key.toSorted((left, right) => left - right));
  }
});
