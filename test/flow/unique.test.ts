/** One task of a key: in virtual time, and under faults. */
import { Celeriac, chain, enqueueMany, group, silentLogger, type TaskOptions } from 'celeriac';
import { World, type WorldOptions } from 'celeriac/testing';
import { describe, expect, it } from 'vitest';

import { dying, newCrashLog, tapped } from '../support/port-taps.ts';

const START_MS = Date.parse('2030-01-01T00:00:00Z');

function unique(options: TaskOptions, more: WorldOptions & { readonly runMs?: number } = {}) {
  const { runMs = 0, ...world } = more;
  const app = new Celeriac('unique', { logger: silentLogger });
  const runs: string[] = [];
  const task = app.task('work', options, async (order: string, note = '') => {
    runs.push(`${order}${note}`);
    if (runMs > 0) await made.clock.sleep(runMs);
    if (note === 'fails') throw new Error('failed');
    return order;
  });
  const made: World = new World(app, { start: new Date(START_MS), ...world });
  return { app, task, runs, world: made };
}

const byOrder = { key: (order: string) => order };

describe('unique', () => {
  it('sends nothing while a task of its key stands, and tells its id', async () => {
    const { task, runs, world } = unique({ unique: byOrder });
    using _world = world;
    const first = await task.delay('a');
    const second = await task.delay('a', 'again');
    const other = await task.delay('b');
    expect([first.duplicate, second.duplicate, other.duplicate]).toEqual([false, true, false]);
    expect(second.id).toBe(first.id);
    await world.drain();
    expect(runs.toSorted()).toEqual(['a', 'b']);
    const third = await task.delay('a', ' later');
    expect(third.duplicate).toBe(false);
    await world.drain();
    expect(await second.get()).toBe('a');
    expect(runs).toContain('a later');
  });

  it('stands until it has ended, retries among it', async () => {
    const app = new Celeriac('retries', { logger: silentLogger });
    const attempts: number[] = [];
    const task = app.task('work', { bind: true, unique: { key: 'one' }, maxRetries: 2 }, (self): void => {
      attempts.push(self.request.retries);
      if (self.request.retries < 2) self.retry({ countdown: 600 });
    });
    using world = new World(app);
    const first = await task.delay();
    await world.advance('15m');
    expect(attempts).toEqual([0, 1]);
    expect(await task.delay()).toMatchObject({ id: first.id, duplicate: true });
    await world.drain();
    expect(attempts).toEqual([0, 1, 2]);
    expect((await task.delay()).duplicate).toBe(false);
  });

  it.each([
    ['ends as a failure', async ({ task }: ReturnType<typeof unique>) => task.delay('a', 'fails')],
    [
      'expires',
      async ({ task, world }: ReturnType<typeof unique>) => {
        const result = await task.applyAsync(['a'], { countdown: 60, expires: 30 });
        await world.drain();
        return result;
      },
    ],
    [
      'is revoked',
      async ({ task }: ReturnType<typeof unique>) => {
        const result = await task.applyAsync(['a'], { countdown: 60 });
        await result.revoke();
        return result;
      },
    ],
  ])('frees its key when it %s', async (_what, end) => {
    const run = unique({ unique: byOrder });
    using world = run.world;
    const first = await end(run);
    await world.run();
    const next = await run.task.delay('a');
    expect(next.duplicate).toBe(false);
    expect(next.id).not.toBe(first.id);
    await world.drain();
    expect(await next.get()).toBe('a');
  });

  it('frees its key when its run begins', async () => {
    const { task, runs, world } = unique({ unique: { ...byOrder, until: 'started' } }, { runMs: 5000 });
    using _world = world;
    await task.delay('a');
    expect((await task.delay('a')).duplicate).toBe(true);
    await world.advance(1);
    expect((await task.delay('a', ' second')).duplicate).toBe(false);
    await world.drain();
    expect(runs).toEqual(['a', 'a second']);
  });

  it('stands for a time, whatever becomes of its task', async () => {
    const { task, world } = unique({ unique: { ...byOrder, until: '1h' } });
    using _world = world;
    await task.delay('a');
    await world.advance('59m');
    expect((await task.delay('a')).duplicate).toBe(true);
    await world.advance('2m');
    expect((await task.delay('a')).duplicate).toBe(false);
  });

  it('counts its longest time from the ETA', async () => {
    const { task, world } = unique({ unique: { ...byOrder, ttl: '1h' } });
    using _world = world;
    await task.applyAsync(['a'], { countdown: '5h' });
    await world.advance('4h');
    expect((await task.delay('a')).duplicate).toBe(true);
  });

  it('settles equal keys within one call', async () => {
    const { app, task, runs, world } = unique({ unique: byOrder });
    using _world = world;
    const stands = await task.delay('c');
    const results = await app.sendMany(['a', 'b', 'a', 'c', 'b'].map((order, index) => task.s(order, `${index}`)));
    expect(results.map(({ duplicate }) => duplicate)).toEqual([false, false, true, true, true]);
    expect([results[2]?.id, results[3]?.id, results[4]?.id]).toEqual([results[0]?.id, stands.id, results[1]?.id]);
    await world.drain();
    expect(runs.toSorted()).toEqual(['a0', 'b1', 'c']);
  });

  it('compares arguments as they are sent, whatever the order of their properties', async () => {
    const app = new Celeriac('arguments', { logger: silentLogger });
    const task = app.task('work', { unique: { key: 'args' } }, (_order: object, _n = 0) => 1);
    using world = new World(app);
    await task.delay({ a: 1, b: { c: [1, 2], d: null } });
    expect((await task.delay({ b: { d: null, c: [1, 2] }, a: 1 })).duplicate).toBe(true);
    expect((await task.delay({ a: 1, b: { c: [2, 1], d: null } })).duplicate).toBe(false);
    expect((await task.delay({ a: 1, b: { c: [1, 2], d: null } }, 1)).duplicate).toBe(false);
    await world.drain();
  });

  it('is said by the call, or taken back by it', async () => {
    const { app, task, runs, world } = unique({ unique: byOrder });
    using _world = world;
    await task.delay('a');
    expect((await task.applyAsync(['a', '1'], { unique: false })).duplicate).toBe(false);
    expect((await task.applyAsync(['a', '2'], { unique: { key: 'other' } })).duplicate).toBe(false);
    expect((await task.applyAsync(['b', '3'], { unique: { key: 'other' } })).duplicate).toBe(true);
    expect((await task.signature(['a', '4'], { unique: { key: 'other' } }).delay()) as object).toMatchObject({
      duplicate: true,
    });
    expect((await task.s('a', '5').delay()) as object).toMatchObject({ duplicate: true });
    expect((await app.send('work', ['a', '6'])).duplicate).toBe(true);
    expect((await enqueueMany([task.signature(['a', '7'], { unique: false })]))[0]?.duplicate).toBe(false);
    await world.drain();
    expect(runs.toSorted()).toEqual(['a', 'a1', 'a2', 'a7']);
  });

  it('runs each call eagerly', async () => {
    const { task, runs, world } = unique({ unique: byOrder });
    using _world = world;
    expect((await task.apply(['a'])).duplicate).toBe(false);
    expect((await task.apply(['a'])).duplicate).toBe(false);
    expect(runs).toEqual(['a', 'a']);
  });

  it('is no child of who was told that another stands', async () => {
    const { app, task, world } = unique({ unique: byOrder });
    using _world = world;
    const parent = app.task('parent', async () => {
      await task.delay('a');
      await task.delay('a');
    });
    const result = await parent.delay();
    await world.drain();
    expect(await result.children()).toHaveLength(1);
  });
});

it('is asked for where a sender by name is told that the task has one, and has no code of it', async () => {
  process.env['CELERIAC_SERVICE_BYNAME'] = JSON.stringify({ app: 'byname', queues: {}, markedTasks: ['work'] });
  try {
    const app = new Celeriac('byname', { logger: silentLogger });
    using world = new World(app);
    app.taskNames = () => undefined;
    await expect(app.send('work', ['a'])).rejects.toThrow(
      /'work' is unique, throttled or debounced, and its code.*is not here/,
    );
    expect((await app.send('work', ['a'], { unique: { key: 'a' } })).duplicate).toBe(false);
    expect((await app.send('work', ['a'], { unique: { key: 'a' } })).duplicate).toBe(true);
    expect((await app.send('work', ['a'], { unique: false })).duplicate).toBe(false);
    expect((await app.send('other', ['a'])).duplicate).toBe(false);
    expect(world.broker.depth('default').visible).toBe(3);
  } finally {
    delete process.env['CELERIAC_SERVICE_BYNAME'];
  }
});

describe('throttle', () => {
  it('lets one call of a key through in a time', async () => {
    const { task, runs, world } = unique({ throttle: { per: '1h', ...byOrder } });
    using _world = world;
    for (let minute = 0; minute < 130; minute += 10) {
      await task.delay('a', ` ${minute}`);
      await world.advance('10m');
    }
    expect(runs).toEqual(['a 0', 'a 70']);
  });

  it('has one key where none is given', async () => {
    const { task, world } = unique({ throttle: { per: 5 } });
    using _world = world;
    expect((await task.delay('a')).duplicate).toBe(false);
    expect((await task.delay('b')).duplicate).toBe(true);
  });
});

describe('a crash of the sender', () => {
  it.each([1, 2, 3])('before or after its call %i of the store loses nothing and blocks nobody', async (crashAt) => {
    const run = unique({ unique: byOrder });
    using world = run.world;
    const { ports } = world;
    run.app.use(tapped(ports, dying({ call: crashAt, when: 'before' }, newCrashLog()), ['broker', 'marks']));
    void run.task.delay('a', ' of the dead');
    await world.clock.nextTurn();
    await world.clock.nextTurn();
    run.app.use(ports);
    const next = await run.task.delay('a', ' of the next');
    await world.drain();
    expect(run.runs).toHaveLength(1);
    expect(await next.get()).toBe('a');
    expect((await run.task.delay('a')).duplicate).toBe(false);
  });
});

describe('what is refused', () => {
  const app = new Celeriac('refused', { logger: silentLogger, queues: { default: {}, python: { external: true } } });
  const fn = (order: string): string => order;
  let count = 0;
  const declare = (options: object) => (): unknown => app.task(`refused.${(count += 1)}`, options as TaskOptions, fn);
  it.each<[string, object, RegExp]>([
    ['a key that is left out', { unique: {} }, /key of unique of task 'refused.\d+': none given/],
    ['a key that is a number', { unique: { key: 7 } }, /key of unique.*7 given; a function/],
    ['an empty key', { throttle: { key: '', per: 5 } }, /key of throttle.*text of 1 to 256/],
    ['a long key', { debounce: { key: 'x'.repeat(257), wait: 5 } }, /key of debounce.*text of 1 to 256/],
    ['true', { unique: true }, /unique of task.*true given; an object such as/],
    ['a misspelt key', { unique: { key: 'a', untill: 'started' } }, /'untill' is no option.*until/],
    ['a misspelt key of throttle', { throttle: { every: 5 } }, /'every' is no option.*per/],
    ['a misspelt key of debounce', { debounce: { wait: 5, max: 7 } }, /'max' is no option/],
    ['throttle without a time', { throttle: {} }, /per of throttle.*undefined is no duration/],
    ['debounce without a time', { debounce: {} }, /wait of debounce.*undefined is no duration/],
    [
      'another word',
      { unique: { key: 'a', until: 'success' } },
      /until of unique.*'success' given; 'started', 'finished' or a time/,
    ],
    ['a time of nothing', { throttle: { per: 0 } }, /per of throttle.*0 is no duration/],
    ['a time without end', { throttle: { per: '500d' } }, /per of throttle.*34560000 s are allowed/],
    ['two times', { unique: { key: 'a', until: '1h', ttl: '2h' } }, /ttl of unique.*together with until/],
    ['maxWait below wait', { debounce: { wait: 10, maxWait: 5 } }, /maxWait of debounce.*5 is shorter than wait, 10/],
    [
      'throttle with debounce',
      { throttle: { per: 5 }, debounce: { wait: 5 } },
      /throttle and debounce of task.*Give one/,
    ],
    ['debounce with unique', { unique: { key: 'a' }, debounce: { wait: 5 } }, /unique and debounce of task.*Give one/],
    ['unique with throttle', { unique: { key: 'a' }, throttle: { per: 5 } }, /unique and throttle of task.*Give one/],
  ])('%s', (_what, options, message) => {
    expect(declare(options)).toThrow(message);
  });

  const task = app.task('one', { unique: { key: fn } }, fn);
  const plain = app.task('plain', fn);
  const waiting = app.task('waiting', { debounce: { wait: 10 } }, fn);
  it.each<[string, () => unknown, RegExp]>([
    ['a member', () => group([task.s('a'), plain.s('a')]).delay(), /unique of task 'one': it is a member, a step/],
    ['a step', () => chain(plain.s('a'), task.s()).delay(), /unique of task 'one'/],
    ['a first step', () => chain(waiting.s('a'), plain.s()).delay(), /debounce of task 'waiting'.*debounce: false/],
    ['a link', () => plain.applyAsync(['a'], { link: waiting.s() }), /debounce of task 'waiting'/],
    ['a link of a signature', () => plain.s('a').link(waiting.s()).delay(), /debounce of task 'waiting'/],
    ['a link of many', () => app.sendMany([plain.s('a').link(waiting.s())]), /debounce of task 'waiting'/],
    ['a map', () => task.map(['a']).delay(), /unique of task 'one'/],
    ['a group that is unique', () => group([plain.s('a')]).applyAsync([], { unique: { key: 'a' } }), /unique: a group/],
    [
      'a schedule entry',
      () => app.beat({ entry: { task: task.s('a'), schedule: 60 } }).manifest(),
      /entry.*unique of task 'one': a schedule sends its ticks before.*unique: false/,
    ],
    ['a function of the call', () => plain.applyAsync(['a'], { unique: { key: fn } }), /key of unique of the call/],
    [
      'wrong options of the call',
      () => plain.applyAsync(['a'], { throttle: { per: -1 } }),
      /per of throttle of the call/,
    ],
    ['an ETA with debounce', () => waiting.applyAsync(['a'], { countdown: 5 }), /countdown or eta of task 'waiting'/],
    [
      'debounce in Python',
      () => plain.applyAsync(['a'], { queue: 'python', debounce: { wait: 5 } }),
      /workers elsewhere/,
    ],
    [
      'unique until an end in Python',
      () => plain.applyAsync(['a'], { queue: 'python', unique: { key: 'a' } }),
      /unique of task 'plain'.*workers elsewhere.*until: a time/,
    ],
    ['a body that no item holds', () => waiting.delay('x'.repeat(400_000)), /what is debounced is stored in DynamoDB/],
  ])('%s', async (_what, send, message) => {
    using world = new World(app);
    await expect((async () => send())()).rejects.toThrow(message);
    await world.drain();
    expect(world.backend.all()).toEqual([]);
  });

  it('a key function that throws, or gives no text', async () => {
    const throws = app.task(
      'throws',
      {
        unique: {
          key: () => {
            throw new Error('no tenant');
          },
        },
      },
      fn,
    );
    const gives = app.task('gives', { debounce: { key: (() => 7) as never, wait: 5 } }, fn);
    using world = new World(app);
    await expect(throws.delay('a')).rejects.toMatchObject({ code: 'INVALID_KEY' });
    await expect(gives.delay('a')).rejects.toMatchObject({ code: 'INVALID_KEY' });
    await world.drain();
    expect(world.backend.all()).toEqual([]);
  });

  it('nothing where the call says false', async () => {
    using world = new World(app);
    const off = task.signature(['a'], { unique: false });
    await group([off, off]).delay();
    await chain(off, plain.s()).delay();
    await world.drain();
    expect(world.backend.all().filter(({ status }) => status === 'SUCCESS')).toHaveLength(4);
  });
});
