/** Calls that come together run once, with the last arguments: in virtual time. */
import { Celeriac, silentLogger, type TaskOptions } from 'celeriac';
import { World, type WorldOptions } from 'celeriac/testing';
import { describe, expect, it } from 'vitest';

import { dying, newCrashLog, tapped } from '../support/port-taps.ts';

const START_MS = Date.parse('2030-01-01T00:00:00Z');

interface Run {
  readonly what: string;
  readonly seconds: number;
}

function debounced(options: TaskOptions, { fifo = false, ...more }: WorldOptions & { readonly fifo?: boolean } = {}) {
  const app = new Celeriac('debounced', { queues: { default: { fifo } }, logger: silentLogger });
  const runs: Run[] = [];
  const task = app.task('save', options, (document: string, text: string) => {
    runs.push({ what: `${document} ${text}`, seconds: (world.clock.nowMs() - START_MS) / 1000 });
    return text;
  });
  const world: World = new World(app, { start: new Date(START_MS), ...more });
  return { app, task, runs, world };
}

const BY_DOCUMENT = { key: (document: string) => document };

describe.each([
  ['a standard queue', false],
  ['a FIFO queue', true],
])('debounce in %s', (_what, fifo) => {
  it('runs once, so long after the last call, with its arguments', async () => {
    const { task, runs, world } = debounced({ debounce: { wait: 10, ...BY_DOCUMENT } }, { fifo });
    using _world = world;
    const results = [];
    for (const text of ['a', 'b', 'c', 'd']) {
      results.push(await task.delay('one', text));
      await world.advance(4);
    }
    results.push(await task.delay('two', 'e'));
    expect(results.map(({ duplicate }) => duplicate)).toEqual([false, true, true, true, false]);
    expect(new Set(results.slice(0, 4).map(({ id }) => id)).size).toBe(1);
    await world.drain();
    expect(runs).toEqual([
      { what: 'one d', seconds: 22 },
      { what: 'two e', seconds: 26 },
    ]);
    expect(await results[1]?.get()).toBe('d');
    expect((await task.delay('one', 'f')).duplicate).toBe(false);
    await world.drain();
    expect(runs.at(-1)).toMatchObject({ what: 'one f' });
  });

  it('runs so long after the first call at the latest', async () => {
    const { task, runs, world } = debounced({ debounce: { wait: 10, maxWait: 25, ...BY_DOCUMENT } }, { fifo });
    using _world = world;
    for (let second = 0; second < 60; second += 5) {
      await task.delay('one', `${second}`);
      await world.advance(5);
    }
    await world.drain();
    expect(runs.map(({ what }) => what)).toEqual(['one 20', 'one 45', 'one 55']);
    expect(runs.map(({ seconds }) => seconds)).toEqual([25, 50, 65]);
  });

  it('waits for longer than SQS can delay', async () => {
    const { task, runs, world } = debounced({ debounce: { wait: '2h' } }, { fifo });
    using _world = world;
    await task.delay('one', 'a');
    await world.advance('1h');
    await task.delay('two', 'b');
    await world.drain();
    expect(runs).toEqual([{ what: 'two b', seconds: 10_800 }]);
  });
});

describe('debounce', () => {
  it('is revoked with all its calls', async () => {
    const { task, runs, world } = debounced({ debounce: { wait: 10 } });
    using _world = world;
    await task.delay('one', 'a');
    const result = await task.delay('one', 'b');
    await result.revoke();
    await world.drain();
    expect(runs).toEqual([]);
    expect(await result.state()).toBe('REVOKED');
  });

  it('takes the last of a list, and one token for all of it', async () => {
    const { app, task, runs, world } = debounced({ debounce: { wait: 10, ...BY_DOCUMENT } });
    using _world = world;
    const results = await app.sendMany(['a', 'b', 'c'].map((text) => task.s('one', text)));
    expect(results.map(({ duplicate }) => duplicate)).toEqual([false, true, true]);
    expect(world.broker.depth('default')).toMatchObject({ delayed: 1, visible: 0 });
    await world.drain();
    expect(runs).toEqual([{ what: 'one c', seconds: 10 }]);
  });

  it('keeps its retries and its result like other tasks', async () => {
    const app = new Celeriac('retried', { logger: silentLogger });
    const attempts: number[] = [];
    const task = app.task('work', { bind: true, debounce: { wait: 5 } }, (self, text: string) => {
      attempts.push(self.request.retries);
      if (self.request.retries < 2) self.retry({ countdown: 60 });
      return text;
    });
    using world = new World(app);
    await task.delay('a');
    const result = await task.delay('b');
    await world.drain();
    expect(attempts).toEqual([0, 1, 2]);
    expect(await result.get()).toBe('b');
  });

  it('counts what its own call says, and each call eagerly', async () => {
    const { task, runs, world } = debounced({ debounce: { wait: 10 } });
    using _world = world;
    await task.applyAsync(['one', 'now'], { debounce: false });
    await task.applyAsync(['one', 'other'], { debounce: { key: 'other', wait: 3 } });
    await task.delay('one', 'own');
    await task.apply(['one', 'eager']);
    await world.drain();
    expect(runs.map(({ what }) => what)).toEqual(['one eager', 'one now', 'one other', 'one own']);
  });

  it('is sent again where its queue was purged', async () => {
    const { task, runs, world } = debounced({ debounce: { wait: 10, maxWait: 20 } });
    using _world = world;
    await task.delay('one', 'a');
    for (const { receipt } of world.broker.receive('default', 10)) world.broker.acknowledge('default', receipt);
    world.clock.moveTo(START_MS + 11_000);
    for (const delivery of world.broker.receive('default', 10)) world.broker.acknowledge('default', delivery.receipt);
    await world.drain();
    expect(runs).toEqual([]);
    await world.advance('2m');
    const result = await task.delay('one', 'b');
    await world.drain();
    expect(runs.map(({ what }) => what)).toEqual(['one b']);
    expect(await result.get()).toBe('b');
  });

  it('ends as lost where no worker ever handled its token', async () => {
    const { task, runs, world } = debounced(
      { debounce: { wait: 10 } },
      { faults: { throttledBatch: 1 }, maxReceiveCount: 5 },
    );
    using _world = world;
    world.faults.on = false;
    const result = await task.delay('one', 'a');
    world.faults.on = true;
    await world.advance('1h');
    world.faults.on = false;
    await world.drain();
    expect(runs).toEqual([]);
    expect(await result.state()).toBe('FAILURE');
    await world.advance('1h');
    const next = await task.delay('one', 'b');
    await world.drain();
    expect(next.id).not.toBe(result.id);
    expect(runs.map(({ what }) => what)).toEqual(['one b']);
  });
});

describe('a crash of a sender', () => {
  it.each([1, 2, 3, 4, 5])('before its call %i loses no call that was answered', async (crashAt) => {
    const { app, task, runs, world } = debounced({ debounce: { wait: 10 } });
    using _world = world;
    app.use(tapped(world.ports, dying({ call: crashAt, when: 'before' }, newCrashLog()), ['broker', 'marks']));
    void task.delay('one', 'of the dead');
    for (let turn = 0; turn < 5; turn += 1) await world.clock.nextTurn();
    app.use(world.ports);
    await world.advance(5);
    const next = await task.delay('one', 'of the next');
    await world.drain();
    expect(runs).toEqual([{ what: 'one of the next', seconds: 15 }]);
    expect(await next.get()).toBe('of the next');
    expect((await task.delay('one', 'c')).duplicate).toBe(false);
  });
});
