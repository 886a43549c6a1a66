/** A queue's concurrency is the event source mapping's: messages wait in the queue, and burn no receives. */
import { Celeriac } from 'celeriac';
import { World } from 'celeriac/testing';
import { expect, it } from 'vitest';

it('no more workers run at once than the queue may have', async () => {
  const app = new Celeriac('few', { queues: { default: { concurrency: 2 } }, batchConcurrency: 1 });
  let running = 0;
  let most = 0;
  const slow = app.task('slow', { bind: true }, async (self) => {
    running += 1;
    most = Math.max(most, running);
    await world.clock.sleep(10_000);
    running -= 1;
    return self.request.deliveryInfo.deliveries;
  });
  const world = new World(app, { batchSize: 1 });
  const results = [];
  for (let index = 0; index < 7; index += 1) results.push(await slow.delay());
  await world.advance('35s');
  expect(most).toBe(2);
  await world.drain();
  for (const result of results) expect(await result.get()).toBe(1);
});
