/** `app.locks` in virtual time: one owner at a time, tokens that rise, whatever goes wrong. */
import { Celeriac, LockLost, LockNotAcquired, silentLogger } from 'celeriac';
import { World, type WorldOptions } from 'celeriac/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { LOCK_WALKS, lockWalk } from './lock-walk.ts';

function appWithWorld(options: WorldOptions = {}): { readonly app: Celeriac; readonly world: World } {
  const app = new Celeriac('locked', { logger: silentLogger });
  return { app, world: new World(app, options) };
}

describe('acquire', () => {
  it('gives a lock to one, and to the next when it is given back', async () => {
    const { app, world } = appWithWorld();
    using _ = world;
    const first = await app.locks.acquire('import', { ttl: '30s', info: 'by hand' });
    expect(await app.locks.acquire('import')).toBeNull();
    expect(await app.locks.acquire('export')).not.toBeNull();
    expect(await first?.release()).toBe(true);
    const second = await app.locks.acquire('import');
    expect(second?.token).toBeGreaterThan(first?.token ?? Infinity);
    expect(second?.until.getTime()).toBe(world.clock.nowMs() + 7_200_000);
    // Given back twice it is not taken from the next.
    expect(await first?.release()).toBe(true);
    expect(await app.locks.acquire('import')).toBeNull();
  });

  it('waits, with pauses that grow to a second', async () => {
    const { app, world } = appWithWorld();
    using _ = world;
    await app.locks.acquire('import', { ttl: '30s' });
    let asked = 0;
    const { locks } = world.ports;
    const count = locks?.acquire.bind(locks);
    Object.assign(locks ?? {}, { acquire: (request: never) => ((asked += 1), count?.(request)) });
    const before = world.clock.nowMs();
    expect(await app.locks.acquire('import', { wait: '10s' })).toBeNull();
    expect(world.clock.nowMs() - before).toBe(10_000);
    expect(asked).toBeGreaterThan(10);
    expect(asked).toBeLessThan(60);
    // It lapses after thirty seconds, and two more for clocks that differ.
    const lock = await app.locks.acquire('import', { wait: '1m' });
    expect(lock).not.toBeNull();
    expect(world.clock.nowMs() - before).toBeGreaterThan(32_000);
    expect(world.clock.nowMs() - before).toBeLessThanOrEqual(33_100);
  });

  it('is kept by renewing it, and not beyond', async () => {
    const { app, world } = appWithWorld();
    using _ = world;
    const lock = await app.locks.acquire('import', { ttl: '30s' });
    const { signal } = lock ?? {};
    await world.advance('20s');
    await lock?.renew();
    await world.advance('28s');
    expect(signal?.aborted).toBe(false);
    await world.advance('1s');
    expect(signal?.reason).toMatchObject({ code: 'LOCK_LOST', message: expect.stringContaining('lapses at') });
    await world.advance('4s');
    expect(await app.locks.acquire('import')).not.toBeNull();
    await expect(lock?.renew()).rejects.toBeInstanceOf(LockLost);
    expect(await lock?.release()).toBe(false);
  });

  it('is disposed of by its block', async () => {
    const { app, world } = appWithWorld();
    using _ = world;
    {
      await using lock = await app.locks.acquire('import');
      expect(lock?.key).toBe('import');
      expect(await app.locks.acquire('import')).toBeNull();
    }
    expect(await app.locks.acquire('import')).not.toBeNull();
  });

  it('says at once when a renewal finds it freed', async () => {
    const { app, world } = appWithWorld();
    using _ = world;
    const lock = await app.locks.acquire('import', { ttl: '30s' });
    const aborted = lock?.signal;
    await app.locks.free('import');
    await expect(lock?.renew()).rejects.toMatchObject({ code: 'LOCK_LOST', message: expect.stringContaining('freed') });
    expect(aborted?.aborted).toBe(true);
  });

  it('keeps no process alive for a lock whose signal nobody asked for', async () => {
    const { app, world } = appWithWorld();
    using _ = world;
    const lock = await app.locks.acquire('import');
    expect(world.clock.nextMs()).toBeUndefined();
    expect(lock?.signal.aborted).toBe(false);
    expect(world.clock.nextMs()).toBe(world.clock.nowMs() + 7_199_000);
    await lock?.release();
    expect(world.clock.nextMs()).toBeUndefined();
  });

  it('leaves nothing behind where nobody knows whether it was written', async () => {
    const { app, world } = appWithWorld();
    using _ = world;
    const { locks } = world.ports;
    const real = locks?.acquire.bind(locks);
    const lost = Object.assign(new Error('no answer'), { name: 'TimeoutError' });
    const losing = async (request: never): Promise<never> => {
      await real?.(request);
      throw lost;
    };
    Object.assign(locks ?? {}, { acquire: losing });
    await expect(app.locks.acquire('import')).rejects.toBe(lost);
    Object.assign(locks ?? {}, { acquire: real });
    expect(await app.locks.list()).toEqual([]);
  });
});

describe('with', () => {
  it('runs alone for longer than the lock lasts, and gives it back', async () => {
    const { app, world } = appWithWorld();
    using _ = world;
    const ran: string[] = [];
    const task = app.task(
      'work',
      { autoretryFor: [LockNotAcquired], maxRetries: null, retryBackoff: 60, retryJitter: false },
      (name: string) =>
        app.locks.with('import', { ttl: '30s' }, async (lock) => {
          ran.push(`${name} begins`);
          await world.clock.sleep(50_000);
          expect(lock.signal.aborted).toBe(false);
          ran.push(`${name} ends`);
        }),
    );
    await task.delay('a');
    await task.delay('b');
    await world.drain();
    expect(ran).toEqual(['a begins', 'a ends', 'b begins', 'b ends']);
    expect(await app.locks.list()).toEqual([]);
  });

  it('tells who has it', async () => {
    const { app, world } = appWithWorld();
    using _ = world;
    const task = app.task('work', () => app.locks.with('import', () => world.clock.sleep(5000)));
    const other = app.task('other', () => app.locks.with('import', { wait: 1 }, () => 1));
    const holding = await task.delay();
    const refused = await other.delay();
    await world.advance(3);
    const [held] = await app.locks.list();
    expect(held).toMatchObject({ key: 'import', info: `work ${holding.id}` });
    await world.drain();
    await expect(refused.get()).rejects.toMatchObject({
      code: 'LOCK_NOT_ACQUIRED',
      message: expect.stringContaining(`Lock 'import' is held by ${held?.owner} (work ${holding.id}) until 20`),
    });
    const error = new LockNotAcquired('m', { key: 'k', owner: 'o', until: new Date(0) });
    expect(error).toMatchObject({ key: 'k', owner: 'o', until: new Date(0) });
  });

  it('throws what its work throws, and gives the lock back', async () => {
    const { app, world } = appWithWorld();
    using _ = world;
    await expect(app.locks.with('import', () => Promise.reject(new RangeError('no')))).rejects.toThrow('no');
    expect(await app.locks.with('import', () => 7)).toBe(7);
  });

  it('fails where it was lost meanwhile', async () => {
    const { app, world } = appWithWorld();
    using _ = world;
    const work = app.locks.with('import', async () => {
      await app.locks.free('import');
      expect(await app.locks.acquire('import')).not.toBeNull();
      return 7;
    });
    await expect(work).rejects.toMatchObject({ code: 'LOCK_LOST' });
    // Whoever has it now still has it.
    expect(await app.locks.list()).toHaveLength(1);
  });

  it('keeps a result whose lock cannot be given back: it lapses', async () => {
    const { app, world } = appWithWorld();
    using _ = world;
    const { locks } = world.ports;
    Object.assign(locks ?? {}, { release: () => Promise.reject(new Error('AccessDenied')) });
    expect(await app.locks.with('import', { ttl: '30s' }, () => 7)).toBe(7);
    expect(world.clock.nextMs()).toBeUndefined();
    await world.advance('33s');
    expect(await app.locks.acquire('import')).not.toBeNull();
  });

  it('ends its wait with its task', async () => {
    const { app, world } = appWithWorld();
    using _ = world;
    await app.locks.acquire('import');
    const task = app.task('work', { softTimeLimit: 5, timeLimit: 30 }, () =>
      app.locks.with('import', { wait: 20 }, () => 1),
    );
    const result = await task.delay();
    await world.advance(6);
    await expect(result.get()).rejects.toMatchObject({ code: 'SOFT_TIME_LIMIT_EXCEEDED' });
  });
});

describe('list and free', () => {
  it('lists what is held, by key, and frees one holding', async () => {
    const { app, world } = appWithWorld();
    using _ = world;
    for (const key of ['b', 'a', 'c']) await app.locks.acquire(key, { ttl: key === 'c' ? '3s' : '1h' });
    await world.advance(6);
    const held = await app.locks.list();
    expect(held.map(({ key }) => key)).toEqual(['a', 'b']);
    const token = held[0]?.token ?? 0;
    expect(await app.locks.free('a', { token: token + 1 })).toBeNull();
    expect(await app.locks.free('a', { token })).toEqual(held[0]);
    expect(await app.locks.free('a', { token })).toBeNull();
    expect(await app.locks.list({ limit: 1 })).toHaveLength(1);
  });
});

describe('what is refused', () => {
  const { app } = appWithWorld();
  it.each([
    ['an empty key', () => app.locks.acquire(''), "key of a lock: '' given"],
    ['a long key', () => app.locks.acquire('k'.repeat(257)), '1 to 256 characters'],
    ['half a pair', () => app.locks.acquire('\ud800'), 'key of a lock'],
    ['no text', () => app.locks.free(7 as never), 'key of a lock: 7 given'],
    ['a short ttl', () => app.locks.acquire('k', { ttl: 2 }), 'ttl: 2 is no duration'],
    ['a long ttl', () => app.locks.acquire('k', { ttl: '31d' }), 'up to 30 days are allowed'],
    ['a long wait', () => app.locks.acquire('k', { wait: '16m' }), 'up to 900 seconds are allowed'],
    ['a long note', () => app.locks.acquire('k', { info: 'x'.repeat(1025) }), 'info: '],
    ['an unknown option', () => app.locks.acquire('k', { timeout: 3 } as never), "'timeout' is no option"],
    ['options that are none', () => app.locks.acquire('k', null as never), 'options of a lock: null given'],
    ['no work', () => app.locks.with('k', {} as never), 'give a function that does the work'],
    ['no token', () => app.locks.free('k', { token: -1 }), 'token: -1 given'],
    ['no limit', () => app.locks.list({ limit: 0 }), 'limit: 0 given'],
  ])('%s', async (_what, call: () => Promise<unknown>, words) => {
    await expect(call()).rejects.toMatchObject({ code: 'INVALID_OPTION', message: expect.stringContaining(words) });
  });

  it('a service without a store of locks', async () => {
    const bare = new Celeriac('bare', { logger: silentLogger });
    const { broker, backend, timers, schedules, groups } = appWithWorld().world.ports;
    bare.use({ broker, backend, timers, schedules, groups });
    await expect(bare.locks.acquire('k')).rejects.toMatchObject({ code: 'IMPROPERLY_CONFIGURED' });
  });
});

// test/flow/locks.long.test.ts looks further.
const RUNS = 4;

it('has one live owner at a time, with tokens that rise, and all work is done, whatever goes wrong', async () => {
  await fc.assert(
    fc.asyncProperty(LOCK_WALKS, async (drawn) => {
      expect(await lockWalk(drawn)).toEqual([]);
    }),
    { numRuns: RUNS },
  );
});
