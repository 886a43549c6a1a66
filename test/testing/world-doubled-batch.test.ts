import { Celeriac, silentLogger } from 'celeriac';
import { World } from 'celeriac/testing';
import { expect, it } from 'vitest';

it.each([
  { fifo: false, first: 10, runs: 2, receives: [1, 1] },
  // What one worker has deleted, another may still hold.
  { fifo: false, first: 0, runs: 2, receives: [1, 1] },
  // A group of which something is in flight hands out nothing.
  { fifo: true, first: 10, runs: 1, receives: [1] },
])('a batch in two hands: %j', async ({ fifo, first, runs, receives }) => {
  const app = new Celeriac('doubled', { queues: { default: { fifo } }, logger: silentLogger });
  const seen: number[] = [];
  const task = app.task('work', { idempotent: true, bind: true }, async (self) => {
    seen.push(self.request.deliveryInfo.deliveries);
    await world.clock.sleep(first * 1000);
  });
  using world = new World(app, { faults: { doubledBatch: 1 } });
  await task.applyAsync([], fifo ? { groupKey: 'group' } : {});
  await world.drain();
  expect(seen).toEqual(receives);
  expect(world.faults.counts.doubledBatch).toBe(runs - 1);
  expect(world.broker.depth('default')).toEqual({ visible: 0, delayed: 0, inFlight: 0 });
});
