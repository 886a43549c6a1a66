/** A world beside vitest's fake timers, installed before it or after it, whatever they fake. */
import { readFile } from 'node:fs/promises';

import { Celeriac } from 'celeriac';
import { World } from 'celeriac/testing';
import { afterEach, describe, expect, it, vi } from 'vitest';

const START_MS = Date.UTC(2030, 0, 1);
type Fakes = NonNullable<NonNullable<Parameters<typeof vi.useFakeTimers>[0]>['toFake']>;

const FAKES: readonly (readonly [string, Fakes | undefined])[] = [
  ['the default', undefined],
  ['Date', ['Date']],
  ['timers', ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval']],
  ['timers and immediates', ['setTimeout', 'clearTimeout', 'setImmediate', 'clearImmediate', 'Date']],
  ['microtasks', ['setTimeout', 'clearTimeout', 'queueMicrotask', 'Date']],
  ['every watch', ['setTimeout', 'clearTimeout', 'performance', 'hrtime']],
];

afterEach(() => void vi.useRealTimers());

function fake(toFake: Fakes | undefined): void {
  vi.useFakeTimers(toFake === undefined ? {} : { toFake });
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, milliseconds));
}

describe.each(['before', 'after'])('installed %s the world', (order) => {
  it.each(FAKES)('%s: tasks, retries and timers go on', async (_, toFake) => {
    const app = new Celeriac('fakes');
    const task = app.task('task', { bind: true, maxRetries: 2 }, async (self) => {
      await readFile('package.json');
      if (self.request.retries < 2) throw self.retry({ countdown: '1h' });
      return self.request.retries;
    });
    if (order === 'before') fake(toFake);
    using world = new World(app, { start: START_MS });
    if (order === 'after') fake(toFake);
    const result = await task.delay();
    await world.advance('3h');
    expect(await result.get()).toBe(2);
  });

  it('a task that sleeps by a fake timer wakes at its instant', async () => {
    const app = new Celeriac('sleepers');
    const woken: string[] = [];
    const task = app.task('sleeps', { timeLimit: 20 }, async (name: string, milliseconds: number) => {
      await sleep(milliseconds);
      await sleep(milliseconds);
      woken.push(`${name} ${world.clock.nowMs() - START_MS}`);
    });
    if (order === 'before') vi.useFakeTimers({ now: START_MS });
    using world = new World(app, { start: START_MS });
    if (order === 'after') vi.useFakeTimers({ now: START_MS });
    await task.delay('slow', 7000);
    await task.delay('quick', 30);
    const late = await task.delay('late', 15_000);
    await world.run();
    expect(woken).toEqual([]);
    await world.advance('1h');
    expect(woken.slice(0, 2)).toEqual(['quick 60', 'slow 14000']);
    // Both clocks moved by the same.
    expect(Date.now()).toBe(world.clock.nowMs());
    expect(await late.state()).toBe('FAILURE');
  });
});

it('faked immediates and microtasks run', async () => {
  vi.useFakeTimers({ toFake: ['setImmediate', 'queueMicrotask', 'setTimeout'] });
  const app = new Celeriac('turns');
  const task = app.task('turns', async () => {
    for (let count = 0; count < 50; count += 1) await new Promise((resolve) => void setImmediate(resolve));
    await new Promise<void>((resolve) => queueMicrotask(resolve));
    return 'turned';
  });
  using world = new World(app);
  const result = await task.delay();
  await world.run();
  expect(await result.state()).toBe('SUCCESS');
});

it('immediates that never end do not hang it', async () => {
  vi.useFakeTimers({ toFake: ['setImmediate'] });
  const app = new Celeriac('turns');
  const again = (): void => void setImmediate(again);
  const task = app.task('turns', { timeLimit: 1 }, () => {
    again();
    return new Promise(() => {});
  });
  using world = new World(app);
  const result = await task.delay();
  await world.run();
  await world.advance('2s');
  expect(await result.state()).toBe('FAILURE');
});

it('ticks that are never run do not hang it', async () => {
  // As vitest fakes them with --pool=threads; it refuses to in a child process.
  const nextTick = Object.getOwnPropertyDescriptor(process, 'nextTick') ?? {};
  const app = new Celeriac('ticks');
  const task = app.task('task', { bind: true, maxRetries: 1 }, (self) => {
    if (self.request.retries === 0) throw self.retry({ countdown: '1h' });
    return 'done';
  });
  using world = new World(app);
  process.nextTick = () => {};
  try {
    const result = await task.delay();
    await world.advance('2h');
    expect(await result.get()).toBe('done');
  } finally {
    Object.defineProperty(process, 'nextTick', nextTick);
  }
});

it('moveFakeTimers: false leaves them alone', async () => {
  vi.useFakeTimers({ now: 5000 });
  using world = new World(new Celeriac('alone'), { moveFakeTimers: false });
  await world.advance('1h');
  expect(Date.now()).toBe(5000);
});

it('useDate stands over a faked Date, and gives it back', async () => {
  vi.useFakeTimers({ now: 5000 });
  {
    using world = new World(new Celeriac('over'), { start: START_MS, useDate: true });
    await world.advance('1h');
    expect(Date.now()).toBe(START_MS + 3_600_000);
  }
  expect(Date.now()).toBe(5000 + 3_600_000);
});

it('faked while the modules are loaded', async () => {
  vi.resetModules();
  vi.useFakeTimers();
  const fresh = { ...(await import('celeriac')), ...(await import('celeriac/testing')) };
  const app = new fresh.Celeriac('late');
  const task = app.task('reads', async () => (await readFile('package.json', 'utf8')).length > 0);
  using world = new fresh.World(app);
  const result = await task.delay();
  await world.advance('1h');
  expect(await result.get()).toBe(true);
});
