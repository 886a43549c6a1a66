/** What the simulation has found, each in the smallest form that shows it. */
import { Celeriac } from 'celeriac';
import { World } from 'celeriac/testing';
import { expect, it } from 'vitest';

it('a timer of a FIFO queue that arrives at a worker whose clock is behind is put off, not lost', async () => {
  const app = new Celeriac('found', { queues: { default: {}, orders: { fifo: true } } });
  let runs = 0;
  const order = app.task('order', { queue: 'orders' }, () => void (runs += 1));
  const world = new World(app, { faults: { clockSkewSeconds: 2 }, seed: 3 });
  for (let index = 0; index < 60; index += 1) {
    await order.applyAsync([], { countdown: 1200 + index * 7, groupKey: `customer-${index}` });
  }
  await world.drain();
  expect(runs).toBe(60);
});
