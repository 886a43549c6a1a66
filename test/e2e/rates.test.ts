/** Rate limits and throttle on the embedded cloud: real requests, every function under its own role. */
import { Celeriac, silentLogger } from 'celeriac';
import type { LocalCloud } from 'celeriac/local';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { startCloud } from '../support/iam/cloud.ts';
import { PATIENCE_SECONDS } from '../support/patience.ts';

const app = new Celeriac('rates', { logger: silentLogger });
const starts: number[] = [];
const limited = app.task('limited', { rateLimit: { limit: '2/s', grace: '1s' } }, (n: number) => {
  starts.push(app.clock.nowMs());
  return n;
});
const report = app.task('report', { throttle: { key: (of: string) => of, per: '1h' } }, (of: string) => of);

let cloud: LocalCloud;
beforeAll(async () => {
  cloud = await startCloud(app, { sweepEvery: '1h', logger: silentLogger });
});
afterAll(() => cloud.stop());

it('rateLimit: each has a place of its own, none before it, and all run', async () => {
  const sentMs = app.clock.nowMs();
  const results = await app.sendMany(Array.from({ length: 5 }, (_, n) => limited.s(n)));
  expect(await Promise.all(results.map((result) => result.get({ timeout: PATIENCE_SECONDS })))).toEqual([
    0, 1, 2, 3, 4,
  ]);
  expect(starts).toHaveLength(5);
  // Two a second, of which the first starts at once: the last has its place two seconds behind it.
  expect(Math.max(...starts) - sentMs).toBeGreaterThanOrEqual(2000);
});

it('throttle: the first of a key within its time is the one that stands', async () => {
  const results = await app.sendMany([report.s('day'), report.s('day'), report.s('week')]);
  expect(results.map(({ duplicate }) => duplicate)).toEqual([false, true, false]);
  expect(await Promise.all(results.map((result) => result.get({ timeout: PATIENCE_SECONDS })))).toEqual([
    'day',
    'day',
    'week',
  ]);
  expect((await report.delay('day')).duplicate).toBe(true);
});
