/** `revoke({ terminate: true })`: a running task is told, and left alone where it does not listen. */
import {
  type AsyncResult,
  Celeriac,
  chain,
  chord,
  currentTask,
  group,
  type GroupResult,
  Ignore,
  Reject,
  type TaskContext,
} from 'celeriac';
import { World } from 'celeriac/testing';
import { describe, expect, it } from 'vitest';

import { checkedLines } from '../support/log-lines.ts';

const START = Date.parse('2030-01-01T00:00:00Z');

function newWorld(options: ConstructorParameters<typeof World>[1] = {}) {
  const app = new Celeriac('terminated');
  const seen: string[] = [];
  const at = (): number => (world.clock.nowMs() - START) / 1000;
  const aborted = (self: TaskContext): Promise<void> =>
    new Promise((resolve) => self.signal.addEventListener('abort', () => resolve()));
  const note = (what: string): void => {
    seen.push(`${what} at ${at()}`);
  };
  const heeds = app.task('heeds', { bind: true }, async (self): Promise<string> => {
    await aborted(self);
    note(`aborted: ${(self.signal.reason as Error).name} ${(self.signal.reason as Error).message}`);
    self.signal.throwIfAborted();
    return 'never';
  });
  const deaf = app.task('deaf', { timeLimit: 120 }, async (): Promise<void> => {
    await world.clock.sleep(60_000);
    note('went on');
  });
  const quick = app.task('quick', async (): Promise<number> => {
    await world.clock.sleep(4000);
    return 1;
  });
  const world = new World(app, { start: START, ...options, logger: checkedLines(options.logger) });
  let looks = 0;
  const asked: (readonly string[])[] = [];
  const terminated = world.backend.terminated.bind(world.backend);
  world.backend.terminated = (ids) => {
    looks += 1;
    asked.push(ids);
    return terminated(ids);
  };
  return { app, world, seen, note, heeds, deaf, quick, aborted, asked, looks: () => looks };
}

describe('revoke({ terminate: true })', () => {
  it('aborts the signal of a running task, which ends as REVOKED', async () => {
    const { world, heeds, seen } = newWorld();
    const result = await heeds.delay();
    await world.advance(12);
    expect(await result.revoke({ terminate: true })).toBe('STARTED');
    await world.drain();
    expect(seen).toEqual(['aborted: TaskRevokedError terminated at 15']);
    expect(await result.state()).toBe('REVOKED');
    await expect(result.get()).rejects.toMatchObject({ name: 'TaskRevokedError', message: 'terminated' });
  });

  it('leaves alone after five seconds what does not listen', async () => {
    const { world, deaf, seen } = newWorld();
    const result = await deaf.delay();
    await world.advance(1);
    await result.revoke({ terminate: true });
    await world.advance(8);
    expect(await result.state()).toBe('PENDING');
    await world.advance(1);
    expect(await result.state()).toBe('REVOKED');
    await world.advance('2m');
    expect(seen).toEqual(['went on at 60']);
    expect(await result.state()).toBe('REVOKED');
  });

  it('asks nothing for what is shorter than five seconds, and once for all runs of a batch', async () => {
    const { world, quick, deaf, looks } = newWorld();
    await Promise.all([quick.delay(), quick.delay()]);
    await world.drain();
    expect(looks()).toBe(0);
    const results = await group(Array.from({ length: 10 }, () => deaf.s())).delay();
    await world.advance(11);
    expect(looks()).toBe(2);
    await results.revoke({ terminate: true });
    await world.drain();
    expect(looks()).toBe(3);
    expect(await Promise.all(results.results.map((each) => each.state()))).toEqual(Array(10).fill('REVOKED'));
  });

  it('is told at once to who stores a state', async () => {
    const { app, world, seen, note } = newWorld();
    const steps = app.task('steps', { bind: true }, async (self): Promise<void> => {
      for (let done = 0; done < 100; done += 1) {
        await self.progress(done, 100);
        if (self.signal.aborted) note(`after ${done}`);
        self.signal.throwIfAborted();
        await world.clock.sleep(1000);
      }
    });
    const result = await steps.delay();
    await world.advance(2.5);
    await result.revoke({ terminate: true });
    await world.drain();
    expect(seen).toEqual(['after 3 at 3']);
    expect(await result.state()).toBe('REVOKED');
  });

  it.each([
    ['returns', () => 'done'],
    [
      'throws what would be retried',
      () => {
        throw new TypeError('aborted');
      },
    ],
    [
      'asks for a retry',
      (self: TaskContext) => {
        throw self.retry({ countdown: 1 });
      },
    ],
    [
      'rejects',
      () => {
        throw new Reject('no', { requeue: true });
      },
    ],
    [
      'ignores',
      () => {
        throw new Ignore('no');
      },
    ],
  ])('%s: it ends as REVOKED all the same', async (_what, make) => {
    const { app, world, aborted } = newWorld();
    let runs = 0;
    const task = app.task('answer', { bind: true, autoretryFor: [TypeError] }, async (self): Promise<unknown> => {
      runs += 1;
      await aborted(self);
      return make(self);
    });
    const result = await task.delay();
    await world.advance(1);
    await result.revoke({ terminate: true });
    await world.drain();
    expect(await result.state()).toBe('REVOKED');
    expect(runs).toBe(1);
    expect(world.deadLetters()).toEqual([]);
  });

  it('calls no error link and no handler of failures, and what waits for the task is told', async () => {
    const { app, world, heeds, seen, note } = newWorld();
    const told = app.task('told', () => note('errback'));
    const step = app.task('step', (value: string) => value);
    const body = app.task('body', (values: readonly string[]) => values.length);
    class Handled extends app.Task<[], Promise<string>> {
      static override readonly taskName = 'handled';
      override async run(): Promise<string> {
        await new Promise((resolve) => currentTask().signal.addEventListener('abort', resolve));
        throw new Error('stopped');
      }
      override onFailure(): void {
        note('onFailure');
      }
    }
    const handled = app.register(Handled);
    const alone = await handled.delay();
    const linked = await heeds.applyAsync([], { linkError: told.si() });
    const last = await chain(heeds.s(), step.s()).delay();
    const joined = await chord([heeds.s(), step.si('kept')], body.s()).delay();
    await world.advance(1);
    for (const result of [alone, linked, last.parent as AsyncResult, joined.parent as GroupResult])
      await result.revoke({ terminate: true });
    await world.drain();
    expect(seen.filter((line) => !line.startsWith('aborted'))).toEqual([]);
    expect(await alone.state()).toBe('REVOKED');
    expect(await linked.state()).toBe('REVOKED');
    await expect(last.get()).rejects.toThrow('terminated');
    await expect(joined.get()).rejects.toMatchObject({ name: 'ChordError' });
  });

  it('keeps one that waits from starting, as a plain revoke does', async () => {
    const { world, heeds, seen } = newWorld();
    const result = await heeds.applyAsync([], { countdown: 60 });
    expect(await result.revoke({ terminate: true })).toBe('REVOKED');
    await world.drain();
    expect(seen).toEqual([]);
  });

  it('ends a task whose worker has died meanwhile without another run', async () => {
    const { app, world, seen, note } = newWorld({ faults: { killBeforeCommit: 1 } });
    const mortal = app.task('mortal', async () => {
      note('run');
      await world.clock.sleep(3000);
    });
    const result = await mortal.delay();
    await world.advance(1);
    await result.revoke({ terminate: true });
    await world.advance(60);
    world.faults.on = false;
    await world.drain();
    expect(seen).toEqual(['run at 0']);
    expect(await result.state()).toBe('REVOKED');
  });

  it('lets an outcome stand that came first', async () => {
    const { world, quick } = newWorld();
    const result = await quick.delay();
    await world.advance(1);
    await result.revoke({ terminate: true });
    await world.drain();
    expect(await result.get()).toBe(1);
  });

  it('makes a plain revoke of a running task a terminating one, and not the other way round', async () => {
    const { world, heeds, seen } = newWorld();
    const [first, second] = [await heeds.delay(), await heeds.delay()];
    await world.advance(1);
    await first.revoke();
    await second.revoke({ terminate: true });
    await second.revoke();
    await world.advance(10);
    expect(await first.state()).toBe('PENDING');
    expect(await second.state()).toBe('REVOKED');
    await first.revoke({ terminate: true });
    await world.advance(10);
    expect(await first.state()).toBe('REVOKED');
    expect(seen).toHaveLength(2);
  });

  it('reaches an idempotent task too, and one that ignores its result', async () => {
    const { app, world, aborted } = newWorld();
    const free = app.task('free', { bind: true, idempotent: true }, (self) => aborted(self));
    const silent = app.task('silent', { bind: true, ignoreResult: true, storeErrorsEvenIfIgnored: false }, (self) =>
      aborted(self),
    );
    const results = [await free.delay(), app.result((await silent.delay()).id)];
    await world.advance(1);
    for (const result of results) await result.revoke({ terminate: true });
    await world.advance(10);
    for (const result of results) expect(await result.state()).toBe('REVOKED');
  });

  it('asks about two deliveries of one idempotent task once, and about runs that hold slots together', async () => {
    const { app, world, aborted, asked } = newWorld();
    const free = app.task('free', { bind: true, idempotent: true }, (self) => aborted(self));
    const held = app.task('held', { bind: true, concurrency: 5 }, (self) => aborted(self));
    // DynamoDB refuses a request that has a key twice.
    const results = [
      await free.applyAsync([], { taskId: 'same' }),
      await free.applyAsync([], { taskId: 'same' }),
      await held.applyAsync([], { taskId: 'one' }),
      await held.applyAsync([], { taskId: 'two' }),
    ];
    await world.advance(6);
    expect(asked.map((ids) => ids.toSorted())).toEqual([['one', 'same', 'two']]);
    for (const result of results) await result.revoke({ terminate: true });
    await world.drain();
  });

  it('frees the slot that the run held: who waits for it begins', async () => {
    const { app, world } = newWorld();
    const begun: number[] = [];
    const only = app.task('only', { concurrency: 1, timeLimit: 250 }, async () => {
      begun.push((world.clock.nowMs() - START) / 1000);
      await world.clock.sleep(200_000);
    });
    const [first, second] = [await only.delay(), await only.delay()];
    await world.advance(8);
    expect(begun).toEqual([0]);
    await first.revoke({ terminate: true });
    await world.advance(8);
    // Told at 10, left alone at 15.
    expect(begun).toEqual([0, 15]);
    expect(await first.state()).toBe('REVOKED');
    await second.revoke({ terminate: true });
    await world.drain();
  });

  it('tells who cannot look, once, and the task ends by itself', async () => {
    const lines: string[] = [];
    const { world, deaf } = newWorld({ logger: { log: (level, text) => void lines.push(`${level} ${text}`) } });
    world.backend.terminated = () => Promise.reject(new Error('AccessDenied'));
    const result = await deaf.delay();
    await world.advance(1);
    await result.revoke({ terminate: true });
    await world.drain();
    expect(await result.state()).toBe('SUCCESS');
    expect(lines.filter((line) => line.startsWith('warn'))).toEqual([
      'warn Whether running tasks were revoked could not be read: Error: AccessDenied',
    ]);
  });
});
