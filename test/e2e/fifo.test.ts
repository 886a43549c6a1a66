/** FIFO queues over real HTTP: the first sweep is over before anything is sent, and the next comes after the test. */
import { Celeriac, every, silentLogger } from 'celeriac';
import type { LocalCloud } from 'celeriac/local';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startCloud } from '../support/iam/cloud.ts';

const app = new Celeriac('fifo', { queues: { orders: { fifo: true } } });
const runs: { readonly name: string; readonly atMs: number }[] = [];
const note = app.task('note', { ignoreResult: true }, (name: string) => {
  runs.push({ name, atMs: Date.now() });
});
const flaky = app.task('flaky', { bind: true }, (self) => {
  runs.push({ name: `flaky ${self.request.retries}`, atMs: Date.now() });
  if (self.request.retries === 0) throw self.retry({ countdown: 1 });
});

const namesOf = (group: string): string[] => runs.map(({ name }) => name).filter((name) => name.startsWith(group));
const timesOf = (group: string): number[] => runs.filter(({ name }) => name.startsWith(group)).map(({ atMs }) => atMs);

let cloud: LocalCloud;
beforeAll(async () => {
  cloud = await startCloud(app, { invocation: 10, sweepEvery: '10m', logger: silentLogger });
});
afterAll(() => cloud.stop());

describe('on the embedded cloud', () => {
  it('delayed messages of a group come on time and in order, a retry too, and an entry that is stored now', async () => {
    const sentMs = Date.now();
    for (const place of [3, 1, 0, 4, 2])
      await note.applyAsync([`due ${place}`], { eta: new Date(sentMs + 2000 + place * 10), groupKey: 'due' });
    for (const place of [0, 1, 2, 3, 4])
      await note.applyAsync([`same ${place}`], { eta: new Date(sentMs + 2000), groupKey: 'same' });
    await Promise.all([
      flaky.applyAsync([], { groupKey: 'flaky' }),
      app.schedules.put('tick', { task: note.signature(['tick'], { groupKey: 'tick' }), schedule: every('1s') }),
    ]);
    await expect
      .poll(() => [namesOf('due'), namesOf('same'), namesOf('flaky'), namesOf('tick').length >= 3])
      .toEqual([
        [0, 1, 2, 3, 4].map((place) => `due ${place}`),
        [0, 1, 2, 3, 4].map((place) => `same ${place}`),
        ['flaky 0', 'flaky 1'],
        true,
      ]);
    // How late they are on time is for a clock that a busy machine does not move: the World's.
    for (const atMs of [...timesOf('due'), ...timesOf('same')]) expect(atMs).toBeGreaterThanOrEqual(sentMs + 2000);
    const [first = 0, second = 0] = timesOf('flaky');
    expect(second - first).toBeGreaterThanOrEqual(1000);
  });
});
