/** A world that is held wrong says so. */
import { Celeriac, ImproperlyConfigured, InvalidOption, QueueNotFound } from 'celeriac';
import { World, type WorldOptions } from 'celeriac/testing';
import { describe, expect, it } from 'vitest';

const queues = { default: {}, mail: {}, python: { external: true } } as const;

describe('queues that are not declared', () => {
  const world = new World(new Celeriac('shop', { queues }));
  it.each<[string, () => unknown]>([
    ['deadLetters', () => world.deadLetters('mial')],
    ['broker.deadLetters', () => world.broker.deadLetters('mial')],
    ['broker.peekAll', () => world.broker.peekAll('mial')],
    ['broker.depth', () => world.broker.depth('mial')],
  ])('%s', (_, look) => {
    expect(look).toThrow(QueueNotFound);
    expect(look).toThrow("There is no queue 'mial'. Declared are: default, mail, python.");
  });
  it('declared ones, external and default ones too, are looked into', () => {
    expect([world.deadLetters(), world.deadLetters('mail'), world.broker.peekAll('python')]).toEqual([[], [], []]);
  });
});

describe('options', () => {
  it.each<[string, object, string]>([
    ['a name that is none', { sed: 3 }, "World: 'sed' is no option. Allowed are batchSize"],
    ['start of nothing', { start: new Date('never') }, 'World: start: an invalid Date given'],
    ['start as text', { start: '2030-01-01' }, "World: start: '2030-01-01' given"],
    ['start beyond Date', { start: 1e18 }, 'World: start'],
    ['half a seed', { seed: 0.5 }, 'World: seed: 0.5 given'],
    ['no batch', { batchSize: 0 }, 'World: batchSize: 0 given'],
    ['no receive', { maxReceiveCount: 0 }, 'World: maxReceiveCount'],
    ['no invocation', { invocation: 0 }, 'World: invocation'],
    ['patience without end', { patienceMs: Infinity }, 'World: patienceMs'],
    ['a fault that is none', { faults: { crsh: 1 } }, "faults: 'crsh' is no fault"],
    ['no flag', { useDate: 'yes' }, 'World: useDate'],
    ['no flag either', { moveFakeTimers: 1 }, 'World: moveFakeTimers'],
  ])('%s', (_, options, message) => {
    const make = (): World => new World(new Celeriac('shop'), options as WorldOptions);
    expect(make).toThrow(InvalidOption);
    expect(make).toThrow(message);
  });

  it('an app that is refused its world keeps the one it has', async () => {
    const app = new Celeriac('shop');
    const add = app.task('add', (left: number, right: number) => left + right);
    using world = new World(app);
    expect(() => new World(app, { seed: -1 })).toThrow(InvalidOption);
    const result = await add.delay(1, 2);
    await world.run();
    expect(await result.get()).toBe(3);
  });

  it('an eager app has no messages', () => {
    expect(() => new World(new Celeriac('eager', { alwaysEager: true }))).toThrow(ImproperlyConfigured);
  });
});

describe('durations', () => {
  const world = new World(new Celeriac('shop'));
  it.each([-1, Number.NaN, Infinity, 'soon', '3 days', undefined, null, 1e15, '900000y'])('%s', async (duration) => {
    const before = world.clock.nowMs();
    await expect(world.advance(duration as number)).rejects.toThrow(InvalidOption);
    if (duration !== undefined) await expect(world.drain(duration as number)).rejects.toThrow(InvalidOption);
    expect(world.clock.nowMs()).toBe(before);
  });
});

describe('which world', () => {
  it('after dispose() it says so; twice is once', async () => {
    const app = new Celeriac('shop');
    const add = app.task('add', (left: number, right: number) => left + right);
    const world = new World(app);
    world.dispose();
    world.dispose();
    for (const use of [() => world.run(), () => world.advance(1), () => world.drain()])
      await expect(use()).rejects.toThrow(/after dispose\(\)/);
    expect(() => world.useDate()).toThrow(/after dispose\(\)/);
    await expect(add.delay(1, 2)).rejects.toThrow();
  });

  it('the last world of an app gets its calls; the one before says so', async () => {
    const app = new Celeriac('shop');
    const add = app.task('add', (left: number, right: number) => left + right);
    const first = new World(app);
    using second = new World(app);
    await expect(first.advance('1s')).rejects.toThrow("app 'shop' has another World");
    first.dispose();
    const result = await add.delay(1, 2);
    await second.run();
    expect(await result.get()).toBe(3);
  });

  it('moving it within a task tells what to do', async () => {
    const app = new Celeriac('shop');
    const inner = app.task('inner', () => world.advance('1s'));
    using world = new World(app);
    const result = await inner.delay();
    await world.run();
    await expect(result.get()).rejects.toThrow('world.clock.sleep');
  });
});

describe('a result that never comes', () => {
  it('has expired: the wait ends, and tells why', async () => {
    const app = new Celeriac('shop', { resultExpires: '1d' });
    const add = app.task('add', (left: number, right: number) => left + right);
    using world = new World(app);
    const result = await add.delay(1, 2);
    await world.advance('3d');
    await expect(result.get()).rejects.toThrow('no message, no timer, no run');
    await expect(result.get({ timeout: '1h' })).rejects.toThrow('did not finish within 3600 s');
  });
});

describe('what a test brings along throws', () => {
  it('wrapPorts: the call that moves time throws it, and the next one goes on', async () => {
    const app = new Celeriac('shop');
    const add = app.task('add', (left: number, right: number) => left + right);
    let bad = true;
    using world = new World(app, {
      wrapPorts: (ports) => {
        if (bad) throw new Error('my wrapPorts');
        return ports;
      },
    });
    const result = await add.delay(1, 2);
    await expect(world.run()).rejects.toThrow('my wrapPorts');
    bad = false;
    await world.advance('10m');
    expect(await result.get()).toBe(3);
  });

  it('a callback on its clock: the others still fire', async () => {
    const app = new Celeriac('shop');
    const fired: string[] = [];
    using world = new World(app);
    world.clock.schedule(1000, () => {
      throw new Error('my callback');
    });
    world.clock.schedule(1000, () => fired.push('second'));
    await expect(world.advance('1s')).rejects.toThrow('my callback');
    await world.advance('1s');
    expect(fired).toEqual(['second']);
  });

  it('a sleep whose signal has aborted before does not begin', async () => {
    using world = new World(new Celeriac('shop'));
    await world.clock.sleep(60_000, AbortSignal.abort());
    const abort = new AbortController();
    const app = world.app;
    const task = app.task('sleeps', () => world.clock.sleep(60_000, abort.signal));
    const result = await task.delay();
    await world.run();
    abort.abort();
    await world.run();
    expect(await result.state()).toBe('SUCCESS');
  });
});
