/** What deployed functions load on demand of reading results does what it does elsewhere. */
import { TimeoutError } from 'celeriac';
import { ManualClock } from 'celeriac/testing';
import { expect, it } from 'vitest';

import { systemClock } from '../../lib/base/time.ts';
import { collect, iterdeps } from '../../lib/deployed/results/result-tree.ts';
import { awaitEnd } from '../../lib/deployed/results/await-end.ts';

const clock = new ManualClock(0);
/** Sleeps for no time. */
const hurried = { ...systemClock, nowMs: () => 0, sleep: async () => {} };

it('a wait ends with the task, or with its timeout', async () => {
  const states = ['PENDING', 'SUCCESS'];
  const read = async (): Promise<{ readonly status: string }> => ({ status: states.shift() ?? 'PENDING' });
  const first = awaitEnd('a', read, { interval: 0.001, timeout: 1 }, hurried);
  expect(await first).toEqual({ status: 'SUCCESS' });
  await expect(awaitEnd('b', read, { timeout: 0 }, clock)).rejects.toBeInstanceOf(TimeoutError);
});

it('a tree is walked and collected, breadth first', async () => {
  const leaf = { id: 'leaf', ready: async () => true, children: async () => [] };
  const root = { id: 'root', ready: async () => true, children: async () => [leaf, leaf] };
  const pairs: unknown[] = [];
  for await (const [parent, { id }] of iterdeps<typeof root | typeof leaf>(root, {})) pairs.push([parent?.id, id]);
  expect(pairs).toEqual([
    [undefined, 'root'],
    ['root', 'leaf'],
  ]);
  const values: unknown[] = [];
  for await (const [, value] of collect<typeof root | typeof leaf>(root, async ({ id }) => id)) values.push(value);
  expect(values).toEqual(['root', 'leaf']);
});
