/** Schedule entries of tasks that have limits: their ticks wait as calls do. */
import { Celeriac, InvalidOption, type TaskOptions } from 'celeriac';
import { World } from 'celeriac/testing';
import { expect, it } from 'vitest';

it('concurrency: ticks that come while it runs wait, and run one after another', async () => {
  const app = new Celeriac('entries');
  let running = 0;
  let most = 0;
  let runs = 0;
  const slow = app.task('slow', { concurrency: 1 }, async () => {
    running += 1;
    most = Math.max(most, running);
    await app.clock.sleep(25_000);
    running -= 1;
    runs += 1;
  });
  app.beat({ often: { task: slow.s(), schedule: '20s' } });
  const world = new World(app);
  await world.advance('5m');
  expect(most).toBe(1);
  // 25 s each, without a gap but for what wakes the next one.
  expect(runs).toBeGreaterThanOrEqual(9);
  expect(runs).toBeLessThanOrEqual(12);
});

it('rateLimit: ticks start at the rate, and wait for it', async () => {
  const app = new Celeriac('entries');
  const startsMs: number[] = [];
  const limited = app.task('limited', { rateLimit: { limit: '2/m', grace: '1s' } }, () => {
    startsMs.push(app.clock.nowMs());
  });
  app.beat({ often: { task: limited.s(), schedule: '15s' } });
  const world = new World(app);
  await world.advance('10m');
  const within = (fromMs: number): number => startsMs.filter((ms) => ms >= fromMs && ms < fromMs + 60_000).length;
  expect(Math.max(...startsMs.map(within))).toBeLessThanOrEqual(3);
  expect(startsMs.length).toBeGreaterThanOrEqual(18);
});

it('oneInstance: ticks that come while it runs are left out', async () => {
  const app = new Celeriac('entries');
  let runs = 0;
  const report = app.task('report', { oneInstance: true, timeLimit: '10m' }, async () => {
    runs += 1;
    await app.clock.sleep(150_000);
  });
  app.beat({ often: { task: report.s(), schedule: '1m' } });
  const world = new World(app);
  await world.advance('9m');
  // Two and a half minutes each: every third tick finds it free.
  expect(runs).toBeLessThanOrEqual(4);
  expect(runs).toBeGreaterThanOrEqual(3);
});

it.each<[string, TaskOptions]>([
  ['unique', { unique: { key: () => 'k' } }],
  ['throttle', { throttle: { key: () => 'k', per: '1m' } }],
  ['debounce', { debounce: { key: () => 'k', wait: '1m' } }],
])('%s of an entry is refused where it is declared', (name, options: TaskOptions) => {
  const app = new Celeriac('entries');
  const task = app.task('marked', options, () => 1);
  const declare = (): unknown => app.beat({ often: { task: task.s(), schedule: '1m' } });
  expect(declare).toThrow(InvalidOption);
  expect(declare).toThrow(new RegExp(`${name} of task 'marked'.*${name}: false`));
});
