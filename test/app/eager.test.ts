/** Eager mode: the worker in the caller, on stores in memory. What trees end as is in test/canvas/eager-trees.test.ts. */
import { AsyncLocalStorage } from 'node:async_hooks';

import {
  type AnySignature,
  type AppOptions,
  type AsyncResult,
  Celeriac,
  chain,
  chord,
  currentTask,
  group,
  type GroupResult,
  Ignore,
  Reject,
} from 'celeriac';
import { World } from 'celeriac/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { silentLogger } from '../../lib/options/console-logger.ts';
import { refusing } from '../support/refusing-ports.ts';

class OwnError extends Error {
  override readonly name = 'OwnError';
  readonly detail = { here: true };
}

/** An app whose own ports refuse everything: eager mode asks none of them. */
function newApp(options: AppOptions = {}) {
  const app = new Celeriac('eager', { logger: silentLogger, ...options }).use(refusing());
  const runs: string[] = [];
  const note = (name: string): void => void runs.push(name);
  const tasks = {
    add: app.task('add', (x: number, y: number) => (note(`add ${x} ${y}`), x + y)),
    note: app.task('note', (...values: unknown[]): unknown => (note(`note ${JSON.stringify(values)}`), values)),
    list: app.task('list', (values: unknown) => values),
    fail: app.task('fail', (...values: unknown[]): number => {
      note(`fail ${JSON.stringify(values)}`);
      throw new OwnError('own');
    }),
  };
  return { app, runs, ...tasks };
}

const applied = (sig: AnySignature): Promise<AsyncResult & GroupResult> =>
  (sig as unknown as { apply(): Promise<AsyncResult & GroupResult> }).apply();

describe('its results', () => {
  it('are read from memory by every method, and nothing else is asked', async () => {
    const { add, note, list } = newApp();
    const result = await chain(add.s(1, 2), add.s(3).link(note.s('x'))).apply();
    expect(await result.get()).toBe(6);
    expect([await result.name(), await result.retries(), await result.queue()]).toEqual(['add', 0, 'default']);
    expect((await result.dateDone())?.getTime()).toBeGreaterThan(0);
    const [child] = await result.children();
    expect(await child?.get()).toEqual([6, 'x']);
    const tree: unknown[] = [];
    for await (const [, value] of result.collect()) tree.push(value);
    expect(tree).toEqual([6, [6, 'x']]);
    const all = (await applied(group(add.s(1, 1), add.s(2, 2)))) as GroupResult;
    expect([await all.join(), await all.progress()]).toEqual([[2, 4], { total: 2, done: 2, failed: 0 }]);
    await all.save();
    expect(await applied(chord([add.s(1, 1), add.s(2, 2)], list.s())).then((body) => body.get())).toEqual([2, 4]);
  });

  it('cannot be revoked any more, and stay when they are forgotten and when their time is over', async () => {
    const app = new Celeriac('expiring', { resultExpires: '1h' });
    const one = app.task('one', () => 1);
    using world = new World(app);
    const results = [await one.apply([]), (await applied(group(one.s()))) as AsyncResult] as const;
    for (const result of results) {
      await result.revoke();
      await result.forget();
    }
    await world.advance('40d');
    expect([await results[0].get(), await results[0].state(), await results[1].get()]).toEqual([1, 'SUCCESS', [1]]);
    expect(world.backend.all()).toEqual([]);
  });

  it('are there of tasks that ignore them, as in Celery, and tell of Ignore', async () => {
    const { app, add } = newApp();
    const silent = app.task('silent', { bind: true, ignoreResult: true }, (self) => self.request.ignoreResult);
    const once = app.task('once', { idempotent: true, ignoreResult: true }, () => 'once');
    const ignore = app.task('ignore', () => {
      throw new Ignore('never mind');
    });
    expect(await (await silent.apply([])).get()).toBe(true);
    expect(await (await once.apply([])).get()).toBe('once');
    expect((await add.apply([1, 1], { ignoreResult: true })).ignored).toBe(false);
    const ignored = await ignore.apply([]);
    expect([await ignored.get(), await ignored.state(), await ignored.ready()]).toEqual([undefined, 'IGNORED', true]);
    expect(await ((await applied(group(ignore.s(), silent.s()))) as GroupResult).join()).toEqual([undefined, true]);
  });

  it('throw the very error of the task, of a step that it kept from running too', async () => {
    const { fail, add } = newApp();
    for (const sig of [fail.s(), chain(fail.s(), add.s(1))]) {
      const result = await applied(sig);
      const error: unknown = await result.get().catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(OwnError);
      expect((error as OwnError).detail).toEqual({ here: true });
      expect([await result.info(), await result.state()]).toEqual([error, 'FAILURE']);
    }
    await expect(((await applied(group(add.s(1, 1), fail.s()))) as GroupResult).join()).rejects.toBeInstanceOf(
      OwnError,
    );
  });

  it('may be waited for within a task', async () => {
    const { app, add } = newApp();
    const outer = app.task('outer', async () => [
      await (await add.apply([1, 2])).get(),
      await ((await applied(group(add.s(1, 1)))) as GroupResult).join(),
    ]);
    expect(await (await outer.apply([])).get()).toEqual([3, [2]]);
  });
});

describe('it runs', () => {
  it('in the order of calls: what follows from a task before what stands beside it', async () => {
    const { app, runs, note } = newApp();
    const flaky = app.task('flaky', { bind: true, maxRetries: 1 }, (self) => {
      runs.push(`flaky ${self.request.retries}`);
      if (self.request.retries === 0) throw self.retry({ countdown: '1h' });
    });
    const first = note.s('a').set({ countdown: '2h' }).link(note.si('link'));
    await applied(group(chain(first, note.si('b')), flaky.si(), chord([note.s('c'), note.s('d')], note.si('body'))));
    expect(runs).toEqual([
      'note ["a"]',
      'note ["link"]',
      'note ["b"]',
      'flaky 0',
      'flaky 1',
      'note ["c"]',
      'note ["d"]',
      'note ["body"]',
    ]);
  });

  it('at once, whatever countdown and eta say', async () => {
    const { app } = newApp();
    const seen = app.task('seen', { bind: true }, (self) => [self.request.isEager, self.request.eta]);
    expect(await (await seen.apply([], { countdown: '300d' })).get()).toEqual([true, null]);
    expect(await (await chain(seen.si(), seen.si().set({ countdown: '20m' })).apply()).get()).toEqual([true, null]);
  });

  it('where timers are faked, and in the contexts of its caller', async () => {
    const { app, add } = newApp();
    const storage = new AsyncLocalStorage<string>();
    const where = app.task('where', { autoretryFor: [RangeError], maxRetries: 3, bind: true }, (self) => {
      if (self.request.retries < 2) throw new RangeError('again');
      return storage.getStore();
    });
    vi.useFakeTimers();
    const result = await storage.run('mine', () => chain(add.s(1, 1), where.si()).apply());
    expect(await result.get()).toBe('mine');
  });

  it('what tasks send, with alwaysEager, before the sender goes on', async () => {
    const { app, runs, note } = newApp({ alwaysEager: true });
    const outer = app.task('outer', { bind: true }, async (self): Promise<unknown> => {
      const inner = await note.delay('inner');
      runs.push(`outer goes on as ${currentTask().request.task}`);
      return [self.request.id === currentTask().request.id, self.request.children, await inner.get()];
    });
    const result = await outer.delay();
    expect(await result.get()).toEqual([true, [], ['inner']]);
    expect(runs).toEqual(['note ["inner"]', 'outer goes on as outer']);
    // Others cannot read what ran within it.
    expect(await result.children()).toEqual([]);
  });

  it("Celery's composites that come by name, here too", async () => {
    const { app, runs, note } = newApp({ alwaysEager: true });
    await app.send('celery.group', [], { kwargs: { tasks: [note.s('x'), note.s('y')] } });
    expect(runs).toEqual(['note ["x"]', 'note ["y"]']);
  });

  it('one id as often as it is given', async () => {
    const { add, runs } = newApp();
    for (const y of [1, 2]) expect(await (await add.apply([1, y], { taskId: 'fixed' })).get()).toBe(1 + y);
    expect(runs).toEqual(['add 1 1', 'add 1 2']);
  });

  it('many signatures one after another, and nothing where one is wrong', async () => {
    const { app, add, runs } = newApp({ alwaysEager: true });
    const results = await app.sendMany([add.s(1, 1), add.s(2, 2)]);
    expect(await Promise.all(results.map((result) => result.get()))).toEqual([2, 4]);
    const wrong = app.sendMany([add.s(3, 3), { ...add.s(1, 1), args: [1n] }]);
    await expect(wrong).rejects.toMatchObject({ code: 'NOT_SERIALIZABLE' });
    expect(runs).toHaveLength(2);
  });

  it('long chains, wide groups and deep recursion', async () => {
    const { app, add, list } = newApp({ alwaysEager: true });
    const steps = Array.from({ length: 300 }, () => add.s(1));
    expect(await (await chain(add.s(0, 0), ...steps).apply()).get()).toBe(300);
    const wide = chord(
      Array.from({ length: 1200 }, (_, index) => add.s(index, 0)),
      list.s(),
    );
    expect(await (await wide.apply()).get()).toEqual(Array.from({ length: 1200 }, (_, index) => index));
    const down = app.task('down', async (depth: number): Promise<number> =>
      depth === 0 ? 0 : 1 + (await (await down.delay(depth - 1)).get()),
    );
    expect(await (await down.delay(200)).get()).toBe(200);
  });

  it('under time limits, as long as it takes without', async () => {
    const { app } = newApp();
    const limited = app.task('limited', { bind: true, timeLimit: 0.05 }, (self) => {
      expect(self.remainingTime()).toBeLessThanOrEqual(0.05);
      return new Promise<null>(() => {});
    });
    const free = app.task('free', { bind: true }, (self) => String(self.remainingTime()));
    await expect((await limited.apply([])).get()).rejects.toMatchObject({ code: 'TIME_LIMIT_EXCEEDED' });
    expect(await (await free.apply([])).get()).toBe('Infinity');
  });
});

describe('errors', () => {
  it('an error link of three arguments gets the request, the error and its stack', async () => {
    const { app, fail } = newApp();
    const calls: unknown[][] = [];
    const told = app.task('told', (request: { id: string; task: string }, error: Error, traceback: string | null) => {
      calls.push([request.id, request.task, error, traceback?.split('\n')[0]]);
    });
    const sent = app.task('sent', (id: string) => void calls.push([id]));
    const result = await fail.apply([], { linkError: [told.s(), sent.s()] });
    expect(calls).toEqual([[result.id, 'fail', await result.info(), 'OwnError: own'], [result.id]]);
  });

  it('reach the caller at once with eagerPropagates, and nothing follows, as in Celery', async () => {
    const { app, fail, note, runs } = newApp({ eagerPropagates: true });
    const error: unknown = await fail.apply([], { linkError: note.s() }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(OwnError);
    await expect(applied(group(chain(fail.s(), note.s()), note.s('beside')))).rejects.toThrow('own');
    expect(runs).toEqual(['fail []', 'fail []']);
    const flaky = app.task('flaky', { bind: true, maxRetries: 1 }, (self) => {
      if (self.request.retries === 0) throw self.retry();
      return 'at last';
    });
    expect(await (await flaky.apply([])).get()).toBe('at last');
  });

  it('given back to a caller a task is rejected', async () => {
    const { app, runs } = newApp();
    const back = app.task('back', () => {
      runs.push('back');
      throw new Reject('later', { requeue: true });
    });
    const result = await back.apply([]);
    expect([await result.state(), runs]).toEqual(['REJECTED', ['back']]);
  });

  it('what runs elsewhere is refused before anything runs, wherever it stands', async () => {
    const { app, add, runs } = newApp({ queues: { default: {}, python: { external: true } } });
    const elsewhere = app.remote<(x: number) => number>('proj.there', { queue: 'python' });
    const refused = { code: 'NOT_REGISTERED', message: expect.stringContaining("'proj.there'") as string };
    await expect(applied(elsewhere.s(1))).rejects.toMatchObject(refused);
    await expect(add.apply([1, 2], { link: elsewhere.s() })).rejects.toMatchObject(refused);
    await expect(applied(chain(add.s(1, 2), elsewhere.s()))).rejects.toMatchObject(refused);
    await expect(applied(group(add.s(1, 2).linkError(elsewhere.s())))).rejects.toMatchObject(refused);
    expect(runs).toEqual([]);
    // A task of this process runs here, whoever else consumes its queue.
    expect(await (await chord([add.s(1, 2).set({ queue: 'python' })], add.si(4, 5)).apply()).get()).toBe(9);
  });

  it('a name that only a task brought in ends too, at once', async () => {
    const { app, note } = newApp();
    const retried = app.task('retried', { bind: true }, (self) => {
      if (self.request.retries === 0) throw self.retry({ link: { ...note.s(), task: 'nobody.knows' } });
      return 'done';
    });
    const result = await retried.apply([]);
    expect(await result.get()).toBe('done');
    const [link] = await result.children();
    expect(await link?.info()).toMatchObject({ code: 'NOT_REGISTERED' });
  });

  it('what the services refuse is refused', async () => {
    const { app, note } = newApp();
    await expect(note.apply(['x'.repeat(1_100_000)])).rejects.toMatchObject({ code: 'MESSAGE_TOO_LARGE' });
    const large = app.task('large', () => 'x'.repeat(500_000));
    await expect((await large.apply([])).get()).rejects.toMatchObject({ code: 'RESULT_TOO_LARGE' });
  });

  it('warnings and errors are logged, a task logs what it likes', async () => {
    const lines: string[] = [];
    const logger = { log: (level: string, message: string) => void lines.push(`${level} ${message.split('[')[0]}`) };
    const app = new Celeriac('logged', { logger });
    const fail = app.task('fail', { bind: true }, (self) => {
      self.logger.info('mine');
      throw new RangeError('no');
    });
    await fail.apply([]);
    expect(lines).toEqual(['info mine', 'error Task fail']);
  });
});

afterEach(() => {
  vi.useRealTimers();
});
