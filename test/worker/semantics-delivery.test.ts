import { Celeriac, Reject } from 'celeriac';
import { World } from 'celeriac/testing';
import { describe, expect, it } from 'vitest';
import { encodeMessage } from '../../lib/wire/encode-message.ts';
import { MAX_HOPS } from '../../lib/base/limits.ts';
import type { Message } from '../../lib/wire/message.ts';
import type { CommitRequest } from '../../lib/ports/backend.ts';
import { unloadableWorkers } from '../support/unloadable-workers.ts';
import { newWorld } from '../support/worlds.ts';
import { checkedLines } from '../support/log-lines.ts';

const START = Date.UTC(2030, 0, 1);
const fromPython = (change: Partial<Message>): string =>
  encodeMessage({
    id: 'py-1',
    task: 'job',
    args: [],
    kwargs: {},
    embed: { callbacks: null, errbacks: null, chain: null, chord: null },
    retries: 0,
    etaMs: null,
    expiresMs: null,
    rootId: 'py-1',
    parentId: null,
    groupId: null,
    groupIndex: null,
    timeLimit: [null, null],
    ignoreResult: null,
    argsrepr: '()',
    kwargsrepr: '{}',
    queue: 'default',
    priority: 0,
    shadow: null,
    origin: 'gen1@host',
    replyTo: null,
    replacedTaskNesting: 0,
    stampedHeaders: null,
    stamps: {},
    headers: {},
    properties: {},
    celeriac: {},
    ...change,
  });

describe('time', () => {
  it.each([[1], [899], [900], [901], [1020], [86_400], [30 * 86_400 + 7]])(
    'an ETA %i s away runs at its second, not before',
    async (seconds) => {
      const runs: number[] = [];
      const { world, tasks } = newWorld((app) => ({ job: app.task('job', () => void runs.push(world.clock.nowMs())) }));
      await tasks.job.applyAsync([], { eta: new Date(START + seconds * 1000) });
      await world.advance(seconds + 5);
      expect(runs).toEqual([START + seconds * 1000]);
      expect(world.timers.size()).toBe(0);
    },
  );

  it("a message that arrives before its ETA, as Python's do, is deferred: not run early, not held", async () => {
    const runs: number[] = [];
    const { world } = newWorld((app) => app.task('job', () => void runs.push((world.clock.nowMs() - START) / 1000)));
    await world.broker.send([{ queue: 'default', body: fromPython({ etaMs: START + 600_000 }) }]);
    await world.broker.send([
      { queue: 'default', body: fromPython({ id: 'py-2', rootId: 'py-2', etaMs: START + 7_200_000 }) },
    ]);
    await world.run();
    expect(world.broker.depth('default')).toEqual({ visible: 0, delayed: 1, inFlight: 0 });
    expect(world.timers.size()).toBe(1);
    await world.advance('3h');
    expect(runs).toEqual([600, 7200]);
  });

  it('timers survive an outage of the sweeper: sent late, run once', async () => {
    const runs: number[] = [];
    const app = new Celeriac('outage');
    const job = app.task('job', () => void runs.push(1));
    let down = true;
    const world = new World(app, {
      logger: checkedLines(),
      wrapPorts: (ports) => ({
        ...ports,
        timers: {
          put: (timers) => ports.timers.put(timers),
          remove: (timers) => ports.timers.remove(timers),
          eachDue: (...args) => (down ? Promise.reject(new Error('outage')) : ports.timers.eachDue(...args)),
        },
      }),
    });
    await job.applyAsync([], { countdown: '1h' });
    await world.advance('2h');
    expect(runs).toEqual([]);
    down = false;
    await world.advance('2m');
    expect(runs).toEqual([1]);
  });

  it('time limits: signal aborts at the soft one, the attempt fails at the hard one', async () => {
    const seen: unknown[] = [];
    const { world, tasks } = newWorld((app) => ({
      soft: app.task('soft', { bind: true, softTimeLimit: 5 }, async (self) => {
        await world.clock.sleep(6000, self.signal);
        self.signal.throwIfAborted();
      }),
      hard: app.task('hard', { bind: true, softTimeLimit: 5, timeLimit: 10 }, async (self) => {
        self.signal.addEventListener('abort', () =>
          seen.push((self.signal.reason as Error).name, self.remainingTime()),
        );
        await new Promise(() => {});
      }),
      retried: app.task(
        'retried',
        {
          bind: true,
          timeLimit: 10,
          autoretryFor: [(error): boolean => (error as Error).name === 'TimeLimitExceeded'],
          retryJitter: false,
        },
        async (self) => {
          if (self.request.retries === 0) await new Promise(() => {});
          return 'second';
        },
      ),
    }));
    const [soft, hard, retried] = await Promise.all([tasks.soft.delay(), tasks.hard.delay(), tasks.retried.delay()]);
    await world.advance('5m');
    await expect(soft.get()).rejects.toMatchObject({ name: 'SoftTimeLimitExceeded' });
    await expect(hard.get()).rejects.toMatchObject({
      name: 'TimeLimitExceeded',
      message: 'The time limit of 10 s is over.',
    });
    expect(seen).toEqual(['SoftTimeLimitExceeded', 5]);
    expect(await retried.get()).toBe('second');
  });
});

describe('large messages', () => {
  it('a retry too far away to be stored fails the task; an ETA of Python goes by SQS delays', async () => {
    const runs: number[] = [];
    const { world, app } = newWorld((celeriac) => {
      celeriac.task('retry', { bind: true }, (self, _data: string) => self.retry({ countdown: '2h' }));
      celeriac.task('job', (_data: string) => void runs.push((world.clock.nowMs() - START) / 1000));
    });
    const data = 'x'.repeat(300_000);
    const result = await app.send('retry', [data]);
    await world.broker.send([{ queue: 'default', body: fromPython({ args: [data], etaMs: START + 3_600_000 }) }]);
    await world.advance('2h');
    await expect(result.get()).rejects.toMatchObject({ name: 'MessageTooLarge' });
    expect(runs).toEqual([3600]);
    expect(world.timers.size()).toBe(0);
  });
});

describe('what cannot run', () => {
  it('an item that the table refuses does not take its batch along', async () => {
    const { world, tasks } = newWorld(
      (app) => ({ job: app.task('job', (x: number) => x) }),
      {},
      {
        wrapPorts: (ports) => ({
          ...ports,
          backend: new Proxy(ports.backend, {
            get: (target, key) =>
              key === 'claim'
                ? (requests: readonly { readonly id: string }[]) =>
                    requests.some(({ id }) => id === 'bad') && world.clock.nowMs() < START + 5000
                      ? Promise.reject(new Error('throttled'))
                      : target.claim(requests as never)
                : (Reflect.get(target, key) as () => unknown).bind(target),
          }),
        }),
      },
    );
    const good = await tasks.job.delay(1);
    const bad = await tasks.job.applyAsync([2], { taskId: 'bad' });
    await world.run();
    expect(await good.state()).toBe('SUCCESS');
    expect(await bad.state()).toBe('PENDING');
    await world.advance(11);
    expect(await bad.get()).toBe(2);
  });

  it('an unknown task waits for a rolling deploy, then is given up with a dead letter', async () => {
    const { app, world } = newWorld(() => {});
    const saved = await app.send('new.task', [1], { taskId: 'saved' });
    const lost = await app.send('never.deployed', [], { taskId: 'lost' });
    await world.advance('1m');
    app.task('new.task', (x: number) => x + 1);
    await world.drain('1h');
    expect(await saved.get()).toBe(2);
    await expect(lost.get()).rejects.toMatchObject({ name: 'NotRegistered', message: 'never.deployed' });
    expect(world.deadLetters().map((deadLetter) => deadLetter.attributes['reason'])).toEqual(['not registered']);
  });

  it('malformed messages are dead-lettered at once and do not block their batch', async () => {
    const { world, tasks } = newWorld((app) => ({ job: app.task('job', () => 'ran') }));
    const bad = ['hello world', '{"task":"x"}', fromPython({}).slice(4), '[]', ' '];
    await world.broker.send(bad.map((body) => ({ queue: 'default', body })));
    const result = await tasks.job.delay();
    await world.run();
    expect(await result.get()).toBe('ran');
    expect(world.deadLetters().map(({ body }) => body)).toEqual(bad);
    for (const { attributes } of world.deadLetters())
      expect(attributes).toMatchObject({ reason: 'invalid message', origin_queue: 'default' });
  });

  it('a loop of tasks ends at the hop limit', async () => {
    let runs = 0;
    const { world } = newWorld((app) => app.task('job', () => (runs += 1)));
    await world.broker.send([
      { queue: 'default', body: fromPython({ celeriac: { hops: MAX_HOPS } }) },
      { queue: 'default', body: fromPython({ id: 'py-2', celeriac: { hops: MAX_HOPS + 1 } }) },
    ]);
    await world.run();
    expect(runs).toBe(1);
    expect(world.deadLetters()[0]?.attributes).toMatchObject({ reason: 'hop limit', task_id: 'py-2' });
  });

  it('poison: a worker that dies each time ends as WorkerLostError after maxDeliveries', async () => {
    let starts = 0;
    const { world, tasks } = newWorld(
      (app) => ({
        poison: app.task('poison', { maxDeliveries: 3 }, async () => {
          starts += 1;
          await new Promise(() => {});
        }),
      }),
      {},
      {
        // What a dead process would still write reaches nobody: here, that its time was over.
        wrapPorts: (ports) => ({
          ...ports,
          backend: new Proxy(ports.backend, {
            get: (target, key) =>
              key === 'commit'
                ? (requests: readonly CommitRequest[]) =>
                    requests.some((request) => request.meta?.includes('TimeLimitExceeded'))
                      ? new Promise(() => {})
                      : target.commit(requests)
                : (Reflect.get(target, key) as () => unknown).bind(target),
          }),
        }),
      },
    );
    const result = await tasks.poison.delay();
    await world.drain('2d');
    expect(starts).toBe(3);
    await expect(result.get()).rejects.toMatchObject({
      name: 'WorkerLostError',
      message: expect.stringContaining('delivered 4 times'),
    });
    expect(world.deadLetters()[0]?.attributes).toMatchObject({ reason: 'worker lost', deliveries: '4' });
  });

  it('what no worker handled comes to the lost queue, gets its state and a dead letter', async () => {
    let loads = 0;
    const workers = unloadableWorkers((queue) => {
      if (queue !== 'other') return false;
      loads += 1;
      return true;
    });
    const { world, tasks } = newWorld(
      (app) => ({ job: app.task('job', () => 1) }),
      { queues: { default: {}, other: {} }, routes: { job: 'other' } },
      {
        maxReceiveCount: 3,
        wrapPorts: workers.wrapPorts,
      },
    );
    workers.attach(world);
    const result = await tasks.job.delay();
    await world.drain('1h');
    // Three receives, and three more when it comes back for what follows.
    expect(loads).toBe(6);
    await expect(result.get()).rejects.toMatchObject({ name: 'WorkerLostError' });
    expect(world.deadLetters('other')[0]?.attributes).toMatchObject({
      reason: 'worker lost',
      task: 'job',
      task_id: result.id,
    });
    expect(world.deadLetters('default')).toEqual([]);
  });
});

describe('who may run', () => {
  it('acksLate: false is lost with its worker; idempotent tasks write nothing', async () => {
    const { world, tasks } = newWorld((app) => ({
      free: app.task('free', { idempotent: true, ignoreResult: true }, () => 1),
      seen: app.task('seen', { idempotent: true }, () => 2),
    }));
    const free = await tasks.free.delay();
    const seen = await tasks.seen.delay();
    await world.run();
    expect(world.backend.all().map((record) => record.id)).toEqual([seen.id]);
    expect(await seen.get()).toBe(2);
    expect(await free.get()).toBeUndefined();
  });

  it('keyword arguments arrive as one trailing object, or in their places by params', async () => {
    const { world, app } = newWorld((celeriac) => {
      celeriac.task('trailing', (...args: unknown[]) => args);
      celeriac.task('placed', { params: ['x', 'y', 'z'] }, (...args: unknown[]) => args.map((arg) => arg ?? null));
    });
    const send = async (task: string, args: unknown[], kwargs: Record<string, unknown>): Promise<unknown> => {
      const result = await app.send(task, args, { kwargs });
      await world.run();
      return result.get({ propagate: false });
    };
    expect(await send('trailing', [1], { y: 2 })).toEqual([1, { y: 2 }]);
    expect(await send('placed', [1], { z: 3 })).toEqual([1, null, 3]);
    expect(String(await send('placed', [1], { x: 3 }))).toContain("multiple values for argument 'x'");
    expect(String(await send('placed', [], { w: 3 }))).toContain("unexpected keyword argument 'w'");
  });

  it('FIFO: a group keeps its order, also when its head comes back', async () => {
    const runs: string[] = [];
    const { world, tasks } = newWorld(
      (app) => ({
        place: app.task('place', { bind: true }, (self, order: string) => {
          if (order === 'a1' && !self.request.deliveryInfo.redelivered) throw new Reject('again', { requeue: true });
          runs.push(order);
        }),
      }),
      { queues: { orders: { fifo: true } } },
    );
    for (const order of ['a1', 'a2', 'b1', 'a3']) await tasks.place.applyAsync([order], { groupKey: order.charAt(0) });
    await world.drain();
    expect(runs.filter((order) => order.startsWith('a'))).toEqual(['a1', 'a2', 'a3']);
    expect(runs).toHaveLength(4);
    await tasks.place.applyAsync(['late'], { countdown: 90 });
    await world.advance(89);
    expect(runs).toHaveLength(4);
    await world.advance(2);
    expect(runs).toHaveLength(5);
  });

  it('a chain from Python goes on step by step, and its rest fails with a failing step', async () => {
    const { world, app } = newWorld((celeriac) => {
      celeriac.task('add', { params: ['x', 'y'] }, (x: number, y: number) => {
        if (y < 0) throw new RangeError('negative');
        return x + y;
      });
    });
    const step = (
      id: string,
      y: number,
    ): Message['embed']['chain'] extends readonly (infer S)[] | null ? S : never => ({
      task: 'add',
      args: [y],
      kwargs: {},
      options: { task_id: id },
      subtask_type: null,
      immutable: false,
    });
    const chain = (prefix: string, ys: readonly number[]): string =>
      fromPython({
        id: `${prefix}0`,
        rootId: `${prefix}0`,
        task: 'add',
        args: [1, 2],
        embed: {
          callbacks: null,
          errbacks: null,
          chord: null,
          chain: ys.map((y, index) => step(`${prefix}${index + 1}`, y)).toReversed(),
        },
      });
    await world.broker.send([
      { queue: 'default', body: chain('good', [3, 4]) },
      { queue: 'default', body: chain('bad', [-1, 4, 5]) },
    ]);
    await world.drain('1h');
    expect(await app.result('good2').get()).toBe(10);
    for (const id of ['bad1', 'bad2', 'bad3'])
      await expect(app.result(id).get()).rejects.toMatchObject({ name: 'RangeError', message: 'negative' });
  });
});

it('logs hold names, ids and errors; never arguments, results or secrets', async () => {
  const lines: string[] = [];
  const { world, tasks } = newWorld(
    (app) => ({
      job: app.task('job', (secret: string) => `result of ${secret}`),
      broken: app.task('broken', (_secret: string) => {
        throw new Error('down');
      }),
    }),
    {},
    { logger: { log: (level, message, fields) => lines.push(JSON.stringify({ level, message, fields })) } },
  );
  await tasks.job.delay('hunter2');
  await tasks.broken.delay('hunter2');
  await world.run();
  expect(lines.length).toBeGreaterThanOrEqual(4);
  expect(lines.filter((line) => line.includes('hunter2'))).toEqual([]);
});
