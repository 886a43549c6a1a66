/** The history on the embedded cloud: written by workers, rolled up, listed and counted from DynamoDB's items. */
import { Celeriac, type HistoryOption, silentLogger } from 'celeriac';
import { LocalCloud } from 'celeriac/local';
import { afterEach, expect, it } from 'vitest';

import { paginateScan } from '@aws-sdk/client-dynamodb';
import { systemClock } from '../../lib/base/time.ts';
import { HistoryBook } from '../../lib/history/history-book.ts';
import { rollUp } from '../../lib/history/roll-up.ts';
import { PATIENCE_SECONDS } from '../support/patience.ts';

let cloud: LocalCloud | undefined;
afterEach(() => cloud?.stop());

async function service(history: HistoryOption) {
  const app = new Celeriac('kept', { history, logger: silentLogger });
  const add = app.task('add', (x: number, y: number) => x + y);
  const flaky = app.task('flaky', { bind: true, maxRetries: 1 }, (self) => {
    if (self.request.retries === 0) throw self.retry({ countdown: 0 });
    throw new RangeError('still not');
  });
  cloud = await LocalCloud.start(app, { logger: silentLogger });
  const results = [await add.delay(1, 2), await add.delay(3, 4), await flaky.delay()];
  for (const result of results) await result.get({ propagate: false, timeout: PATIENCE_SECONDS, interval: 0.05 });
  return { app, cloud, ids: results.map(({ id }) => id) };
}

/** Partition keys of all items of the table of state. */
async function partitions({ dynamodb, environment }: LocalCloud): Promise<string[]> {
  const keys = new Set<string>();
  for await (const { Items = [] } of paginateScan({ client: dynamodb as never }, { TableName: environment.stateTable }))
    for (const { pk } of Items) keys.add(pk?.S ?? '');
  return [...keys].toSorted();
}

it('lists each attempt, tells a story, and counts the same before and after it is rolled up', async () => {
  const { app, cloud: running, ids } = await service('all');
  const [, , flaky = ''] = ids;
  // What is written with the end of a batch may come a moment after the result.
  await expect.poll(async () => (await app.history.list()).entries.length).toBe(4);
  const { entries } = await app.history.list({ state: ['RETRY', 'FAILURE'] });
  expect(entries.map(({ id, attempt, state }) => [id, attempt, state])).toEqual([
    [flaky, 1, 'FAILURE'],
    [flaky, 0, 'RETRY'],
  ]);
  expect(await app.history.task(flaky)).toMatchObject({ state: 'FAILURE', isComplete: true, attempts: [{}, {}] });
  const states = { FAILURE: 1, RETRY: 1, SUCCESS: 2 };
  expect((await app.stats({ from: '10m' })).total).toMatchObject({ count: 4, states });

  // Four minutes later, by the clock of who sweeps and reads.
  const clock = { ...systemClock, nowMs: () => systemClock.nowMs() + 240_000 };
  const { history, backend } = await app.ports();
  if (history === undefined) throw new Error('there is no history');
  const ports = { history, backend, logger: silentLogger };
  await rollUp({ ...ports, clock });
  const later = new HistoryBook({ clock, ports: () => Promise.resolve(ports) });
  for (const every of ['minute', 'hour', 'day'] as const)
    expect((await later.stats({ every })).total, every).toMatchObject({ count: 4, states });
  expect((await partitions(running)).filter((key) => key.startsWith('stats#'))).toEqual([
    'stats#day',
    'stats#hour',
    'stats#minute',
  ]);
});

it("with history: 'off' nothing of it is written, and asking says why", async () => {
  const { app, cloud: running } = await service('off');
  await app.sweep();
  expect((await partitions(running)).filter((key) => /^(?:history|stats)/.test(key))).toEqual([]);
  expect((await app.history.list()).entries).toEqual([]);
});
