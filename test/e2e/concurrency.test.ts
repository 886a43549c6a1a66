/** Slots on the embedded cloud: real requests, and functions that may do what their roles grant. */
import { Celeriac, silentLogger } from 'celeriac';
import { LocalCloud } from 'celeriac/local';
import { expect, it } from 'vitest';
import { PATIENCE_SECONDS } from '../support/patience.ts';

it('runs two at a time of each customer, and all of them in the end', async () => {
  const app = new Celeriac('slots', { logger: silentLogger });
  const running: string[] = [];
  let most = 0;
  const sync = app.task(
    'sync',
    { concurrency: { limit: 2, key: (customer: string) => customer } },
    async (customer: string, n: number) => {
      running.push(customer);
      most = Math.max(most, running.filter((other) => other === customer).length);
      await app.clock.sleep(30);
      running.splice(running.indexOf(customer), 1);
      return n;
    },
  );
  const cloud = await LocalCloud.start(app, { sweepEvery: '1h' });
  try {
    const calls = Array.from({ length: 10 }, (_, n) => sync.s(n % 2 === 0 ? 'acme' : 'globex', n));
    const results = await app.sendMany(calls);
    expect(await Promise.all(results.map((result) => result.get({ timeout: PATIENCE_SECONDS })))).toEqual(
      Array.from({ length: 10 }, (_, n) => n),
    );
  } finally {
    await cloud.stop();
  }
  // That two run at once, and that customers do not wait for each other, is for a clock that no busy machine moves.
  expect(most).toBeLessThanOrEqual(2);
});
