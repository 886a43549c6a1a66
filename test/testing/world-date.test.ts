/** `Date` on the world's clock. */
import { Celeriac } from 'celeriac';
import { World } from 'celeriac/testing';
import { expect, it } from 'vitest';

const START_MS = Date.UTC(2030, 0, 1);
const RealDate = Date;

function datedApp(): { app: Celeriac; dates: number[]; task: { delay: () => Promise<unknown> } } {
  const app = new Celeriac('dated');
  const dates: number[] = [];
  const task = app.task('dates', async () => {
    dates.push(Date.now(), new Date().getTime());
  });
  return { app, dates, task };
}

it("Date.now() and new Date() in tasks and tests are the world's, until it ends", async () => {
  const { app, dates, task } = datedApp();
  {
    using world = new World(app, { start: START_MS, useDate: true });
    await task.delay();
    await world.run();
    await world.advance('3d');
    await task.delay();
    await world.run();
    const later = START_MS + 3 * 86_400_000;
    expect(dates).toEqual([START_MS, START_MS, later, later]);
    expect(Date.now()).toBe(later);
    expect(Date()).toBe(new RealDate(later).toString());
  }
  expect(Date).toBe(RealDate);
  expect(Math.abs(Date.now() - performance.timeOrigin - performance.now())).toBeLessThan(60_000);
});

it('for a part of a test', async () => {
  using world = new World(new Celeriac('part'), { start: START_MS });
  expect(Date).toBe(RealDate);
  {
    using _date = world.useDate();
    expect(Date.now()).toBe(START_MS);
  }
  expect(Date).toBe(RealDate);
});

it('is a Date in every other way', () => {
  using world = new World(new Celeriac('same'), { start: START_MS, useDate: true });
  expect(world.clock.nowMs()).toBe(START_MS);
  expect(new Date()).toBeInstanceOf(RealDate);
  expect(new RealDate()).toBeInstanceOf(Date);
  expect(new Date(5).getTime()).toBe(5);
  expect(new Date(2020, 1, 2).getTime()).toBe(new RealDate(2020, 1, 2).getTime());
  expect(new Date('2020-01-01').toISOString()).toBe('2020-01-01T00:00:00.000Z');
  expect(Date.UTC(2020, 0)).toBe(RealDate.UTC(2020, 0));
  expect(Date.parse('2020-01-01')).toBe(RealDate.parse('2020-01-01'));
  expect(Date.length).toBe(RealDate.length);
  class Stamp extends Date {}
  expect(new Stamp()).toBeInstanceOf(Stamp);
  expect(new Stamp().getTime()).toBe(START_MS);
  expect(structuredClone(new Date()).getTime()).toBe(START_MS);
});

it('worlds that end in any order leave the real one', () => {
  const first = new World(new Celeriac('first'), { start: 1000, useDate: true });
  const second = new World(new Celeriac('second'), { start: 2000, useDate: true });
  expect(Date.now()).toBe(2000);
  first.dispose();
  expect(Date.now()).toBe(2000);
  second.dispose();
  expect(Math.abs(Date.now() - RealDate.now())).toBeLessThan(60_000);
});

it('time is whole milliseconds, as Date tells it, however short a sleep is', async () => {
  const app = new Celeriac('fractions', { queues: { orders: { fifo: true } }, defaultQueue: 'orders' });
  const later = app.task('later', () => 'ran');
  const world = new World(app);
  const first = app.task('first', async () => {
    await world.clock.sleep(0.25);
    const { id } = await later.applyAsync([], { countdown: 20 });
    return id;
  });
  const sent = await first.delay();
  await world.drain();
  expect(Number.isInteger(world.clock.nowMs())).toBe(true);
  expect(await app.result(await sent.get()).get()).toBe('ran');
});
