/** Unique and debounced tasks over real HTTP, every function under its own role. */
import { Celeriac, silentLogger } from 'celeriac';
import type { LocalCloud } from 'celeriac/local';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { startCloud } from '../support/iam/cloud.ts';
import { PATIENCE_SECONDS } from '../support/patience.ts';

const app = new Celeriac('marks', { queues: { default: {}, orders: { fifo: true } }, logger: silentLogger });
const charge = app.task('charge', { unique: { key: (order: string) => order } }, (order: string) => `charged ${order}`);
const save = app.task(
  'save',
  { debounce: { key: (document: string, _text: string) => document, wait: 1 } },
  (document: string, text: string) => `${document} ${text}`,
);
const parent = app.task('parent', async (): Promise<readonly [boolean, boolean, string]> => {
  const first = await charge.applyAsync(['of a task'], { countdown: 2 });
  const second = await charge.delay('of a task');
  await save.delay('of a task', 'first');
  return [first.duplicate, second.duplicate, (await save.delay('of a task', 'last')).id];
});

let cloud: LocalCloud;
beforeAll(async () => {
  cloud = await startCloud(app, { invocation: 10, sweepEvery: 1, logger: silentLogger });
});
afterAll(() => cloud.stop());

it('one task of a key stands, from the call to its end', async () => {
  const results = await app.sendMany(['a', 'b', 'a'].map((order) => charge.s(order)));
  expect(results.map(({ duplicate }) => duplicate)).toEqual([false, false, true]);
  expect(await Promise.all(results.map((result) => result.get({ timeout: PATIENCE_SECONDS })))).toEqual([
    'charged a',
    'charged b',
    'charged a',
  ]);
  const again = await charge.delay('a');
  expect(again.duplicate).toBe(false);
  expect(await again.get({ timeout: PATIENCE_SECONDS })).toBe('charged a');
});

it.each(['default', 'orders'])(
  'calls that come together run once, with the last arguments: queue %s',
  async (queue) => {
    const results = [];
    for (const text of ['x', 'y', 'z']) results.push(await save.applyAsync([queue, text], { queue }));
    expect(results.map(({ duplicate }) => duplicate)).toEqual([false, true, true]);
    expect(await results[0]?.get({ timeout: PATIENCE_SECONDS })).toBe(`${queue} z`);
  },
);

it('the same from within a task', async () => {
  const [first, second, id] = await (await parent.delay()).get({ timeout: PATIENCE_SECONDS });
  expect([first, second]).toEqual([false, true]);
  expect(await app.result(id).get({ timeout: PATIENCE_SECONDS })).toBe('of a task last');
});
