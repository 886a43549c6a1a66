/** Rate limits in virtual time: never too many starts, all of them some day, in order. */
import { Celeriac, silentLogger, type TaskOptions } from 'celeriac';
import { World, type WorldOptions } from 'celeriac/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { declareFlow } from '../../lib/options/declare-flow.ts';
import type { Rate } from '../../lib/options/rate-limit.ts';

const START_MS = Date.parse('2030-01-01T00:00:00Z');

interface Start {
  readonly n: number;
  readonly ms: number;
}

interface Limited {
  readonly app: Celeriac;
  readonly world: World;
  readonly starts: Start[];
  readonly task: {
    applyAsync(
      args: readonly [number, string?],
      options?: object,
    ): Promise<{ readonly id: string; get(): Promise<unknown> }>;
  };
}

function limited(
  options: TaskOptions,
  { fifo = false, ...more }: WorldOptions & { readonly fifo?: boolean } = {},
): Limited {
  const app = new Celeriac('limited', { queues: { default: { fifo } }, logger: silentLogger });
  const starts: Start[] = [];
  const task = app.task('work', options, async (n: number, _tenant?: string) => {
    starts.push({ n, ms: world.clock.nowMs() - START_MS });
    return Promise.resolve(n);
  });
  const world = new World(app, { start: new Date(START_MS), ...more });
  return { app, world, starts, task };
}

/** Most starts within any time of this length. */
function mostIn(starts: readonly Start[], windowMs: number): number {
  const times = starts.map(({ ms }) => ms).toSorted((left, right) => left - right);
  return Math.max(...times.map((from) => times.filter((ms) => ms >= from && ms < from + windowMs).length));
}

async function send({ task }: Limited, count: number, tenant?: string): Promise<void> {
  for (let n = 0; n < count; n += 1) await task.applyAsync(tenant === undefined ? [n] : [n, tenant]);
}

describe('rateLimit', () => {
  it('spaces starts evenly, whatever comes at once', async () => {
    const run = limited({ rateLimit: '100/m' });
    using world = run.world;
    await send(run, 300);
    await world.drain();
    expect(run.starts).toHaveLength(300);
    // Starts are whole seconds where SQS delays them.
    expect(mostIn(run.starts, 60_000)).toBeLessThanOrEqual(101);
    expect(Math.max(...run.starts.map(({ ms }) => ms))).toBe(180_000);
  });

  it('lets a burst start at once after a pause, and no more', async () => {
    const run = limited({ rateLimit: { limit: '60/m', burst: 20 } });
    using world = run.world;
    await send(run, 40);
    await world.run();
    expect(run.starts).toHaveLength(21);
    await world.drain();
    await world.advance('1h');
    await send(run, 40);
    await world.run();
    expect(run.starts).toHaveLength(40 + 21);
  });

  it('has a line for each key', async () => {
    const run = limited({ rateLimit: { limit: '1/m', key: (_n: number, tenant: string) => tenant } });
    using world = run.world;
    await send(run, 3, 'acme');
    await send(run, 3, 'globex');
    await world.drain();
    expect(run.starts.map(({ ms }) => ms)).toEqual([0, 0, 60_000, 60_000, 120_000, 120_000]);
  });

  it('waits for longer than SQS can delay', async () => {
    const run = limited({ rateLimit: '1/h' });
    using world = run.world;
    await send(run, 4);
    await world.drain();
    expect(run.starts.map(({ ms }) => ms)).toEqual([0, 1, 2, 3].map((hour) => hour * 3_600_000));
  });

  it('revokes at once what would have expired before its slot', async () => {
    const run = limited({ rateLimit: '1/m' });
    using world = run.world;
    await send(run, 3);
    const late = await run.task.applyAsync([9], { expires: 100 });
    await world.run();
    expect(world.backend.all().find(({ id }) => id === late.id)?.status).toBe('REVOKED');
    await world.drain();
    expect(run.starts.map(({ n }) => n)).toEqual([0, 1, 2]);
  });

  it('takes a slot for each retry', async () => {
    const app = new Celeriac('retries', { logger: silentLogger });
    const times: number[] = [];
    const task = app.task('work', { bind: true, rateLimit: '1/m', maxRetries: 2 }, async (self) => {
      times.push(world.clock.nowMs() - START_MS);
      if (self.request.retries < 2) self.retry({ countdown: 1 });
      return Promise.resolve();
    });
    using world = new World(app, { start: new Date(START_MS) });
    await task.delay();
    await task.delay();
    await world.drain();
    expect(times).toHaveLength(6);
    expect(times.toSorted((left, right) => left - right)).toEqual([0, 1, 2, 3, 4, 5].map((minute) => minute * 60_000));
  });

  it('takes none for a delivery that comes again', async () => {
    const run = limited({ rateLimit: '1/m' }, { faults: { killBeforeCommit: 1 } });
    using world = run.world;
    await send(run, 1);
    await world.run();
    world.faults.on = false;
    await world.drain();
    expect(run.starts).toHaveLength(2);
    expect(
      await world.ports.rates?.reserve({ key: 'work#', count: 0, paceMicros: 60_000_000, nowMs: START_MS }),
    ).toEqual({
      nextMicros: (START_MS + 60_000) * 1000,
    });
  });

  it('keeps the order of a FIFO group, and its slots', async () => {
    const run = limited({ rateLimit: '1/m' }, { fifo: true });
    using world = run.world;
    await send(run, 5);
    await world.drain();
    expect(run.starts).toEqual([0, 1, 2, 3, 4].map((n) => ({ n, ms: n * 60_000 })));
  });

  it('fails what would wait for longer than a FIFO queue keeps it', async () => {
    const run = limited({ rateLimit: '1/d' }, { fifo: true });
    using world = run.world;
    const results = [];
    for (let n = 0; n < 6; n += 1) results.push(await run.task.applyAsync([n], { groupKey: `group-${n}` }));
    await world.run();
    await expect(results[5]?.get()).rejects.toMatchObject({ code: 'RATE_LIMIT_TOO_LONG' });
    expect(world.deadLetters()).toHaveLength(2);
    await world.drain();
    expect(new Set(run.starts.map(({ n }) => n))).toEqual(new Set([0, 1, 2, 3]));
  });

  it.each([
    [
      'throws',
      () => {
        throw new Error('no tenant');
      },
    ],
    ['gives a number', (() => 7) as never],
    ['gives nothing', () => ''],
    ['gives too much', () => 'x'.repeat(257)],
    ['gives a promise', (() => Promise.resolve('a')) as never],
  ])('fails a task whose key function %s', async (_what, key: () => string) => {
    const run = limited({ rateLimit: { limit: 1, key } });
    using world = run.world;
    const result = await run.task.applyAsync([1]);
    await world.drain();
    await expect(result.get()).rejects.toMatchObject({ code: 'INVALID_KEY' });
  });

  it('never starts a backlog at once after an outage', async () => {
    const run = limited({ rateLimit: '100/m' }, { faults: { throttledBatch: 1 }, maxReceiveCount: 1000 });
    using world = run.world;
    world.faults.on = false;
    await send(run, 400);
    await world.advance('1m');
    world.faults.on = true;
    await world.advance('10m');
    world.faults.on = false;
    await world.drain();
    expect(run.starts).toHaveLength(400);
    // What is at most its grace too late still starts: that is a sixth more.
    expect(mostIn(run.starts, 60_000)).toBeLessThanOrEqual(120);
  });
});

describe('a limit that a deployment changes', () => {
  async function changed(before: Rate, after: Rate): Promise<Start[]> {
    const first = limited({ rateLimit: before });
    await send(first, 60);
    await first.world.run();
    const definition = first.app.registry.find('work');
    Object.assign(definition?.options ?? {}, { flow: declareFlow('work', { rateLimit: after }, {}) });
    await first.world.drain();
    first.world.dispose();
    return first.starts;
  }

  it('slows what waits', async () => {
    const starts = await changed('60/m', '6/m');
    expect(starts).toHaveLength(60);
    expect(
      mostIn(
        starts.filter(({ ms }) => ms > 2000),
        60_000,
      ),
    ).toBeLessThanOrEqual(7);
    // The whole line is stretched, and nothing of it is wasted.
    expect(Math.max(...starts.map(({ ms }) => ms))).toBeLessThan(620_000);
  });

  it('hastens what waits, within an hour', async () => {
    const starts = await changed('1/h', '60/m');
    expect(starts).toHaveLength(60);
    expect(mostIn(starts, 60_000)).toBeLessThanOrEqual(61);
    expect(Math.max(...starts.map(({ ms }) => ms))).toBeLessThanOrEqual(3_600_000 + 120_000);
  });
});

// `SEEDS=2000 npm test -- test/flow` looks further.
const SEEDS = Number(process.env['SEEDS'] ?? 40);
const GRACE_MS = 10_000;

it('never starts more than the limit and the burst allow, whatever goes wrong, and ends all', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        seed: fc.nat(),
        tasks: fc.integer({ min: 1, max: 60 }),
        perMinute: fc.constantFrom(6, 20, 60, 300),
        burst: fc.constantFrom(1, 5, 20),
        keys: fc.integer({ min: 1, max: 3 }),
        fifo: fc.boolean(),
      }),
      async ({ seed, tasks, perMinute, burst, keys, fifo }) => {
        const faults = {
          duplicate: 0.1,
          reorder: 0.2,
          error: 0.05,
          lostResponse: 0.05,
          crash: 0.02,
          clockSkewSeconds: 1,
        };
        const app = new Celeriac('property', { queues: { default: { fifo } }, logger: silentLogger });
        const starts: (Start & { readonly key: number })[] = [];
        const seen = new Set<number>();
        const task = app.task(
          'work',
          {
            rateLimit: { limit: `${perMinute}/m`, burst, key: (_n: number, key: number) => `key ${key}` },
            maxDeliveries: 50,
          },
          async (n: number, key: number) => {
            // A delivery that comes again takes no slot.
            if (!seen.has(n)) starts.push({ n, key, ms: world.clock.nowMs() });
            seen.add(n);
            return Promise.resolve(n);
          },
        );
        using world = new World(app, { seed, faults, maxReceiveCount: 1000 });
        const results = [];
        for (let n = 0; n < tasks; n += 1)
          results.push(await task.applyAsync([n, n % keys], { groupKey: `group-${n % 2}` }));
        await world.drain();
        expect(seen.size).toBe(tasks);
        for (let key = 0; key < keys; key += 1) {
          const own = starts.filter((start) => start.key === key);
          if (own.length === 0) continue;
          // What is within its grace starts late, and the clocks of two workers differ.
          const windowMs = 60_000 + GRACE_MS + 3000;
          expect(mostIn(own, 60_000)).toBeLessThanOrEqual(Math.ceil((perMinute * windowMs) / 60_000) + burst);
        }
      },
    ),
    { numRuns: SEEDS },
  );
});
