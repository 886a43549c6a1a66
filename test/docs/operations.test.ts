/** docs/operations.md: its figures are those of the bench and of AWS's prices, and what it says of two versions holds. */
import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { type CostSheet, idleCosts, type SourceSheet, sumOf, taskCost, type WorkerSheet } from '../../infra/costs.ts';
import { pricesOf } from '../../infra/prices.ts';
import { newWorld } from '../support/worlds.ts';

const page = readFileSync('docs/operations.md', 'utf8');

describe('figures of the page', () => {
  const prices = pricesOf('us-east-1');
  const worker = (change: Partial<WorkerSheet> = {}): WorkerSheet => ({
    queue: 'q',
    fifo: false,
    memoryMiB: 512,
    arm: true,
    batchSize: 10,
    warm: 0,
    logged: true,
    noted: true,
    ...change,
  });
  const lost = (fifo: boolean): SourceSheet => ({ queue: 'Lost', fifo });
  const idle = (workers: readonly WorkerSheet[], more: Partial<CostSheet> = {}): number =>
    idleCosts(
      {
        workers,
        sweeperSources: [lost(false)],
        sweeper: { memoryMiB: 512, arm: true },
        timerShards: 8,
        noted: true,
        alarmMetrics: 0,
        dashboardMetrics: 0,
        ...more,
      },
      prices,
    ).reduce((sum, { dollars }) => sum + dollars, 0);
  const million = (change: Partial<WorkerSheet> = {}): number => sumOf(taskCost(worker(change), prices));
  const FIGURES: Readonly<Record<string, number>> = {
    'idle, one queue, no alarms': idle([worker()]),
    'idle, three queues, with alarms and a dashboard': idle([worker(), worker(), worker()], {
      alarmMetrics: 15,
      dashboardMetrics: 38,
    }),
    'each queue or lane more, idle': idle([worker(), worker()]) - idle([worker()]),
    'each FIFO queue more, idle': idle([worker(), worker({ fifo: true })]) - idle([worker()]),
    'a million tasks': million(),
    'of it the two writes that claim and commit each task': taskCost(worker({ noted: false }), prices).dynamodb,
    'of it the history': million() - million({ noted: false }),
    'of it their log lines': million() - million({ logged: false }),
    'a million tasks that come one at a time': million({ batchSize: 1 }),
    'a million tasks of a FIFO queue': million({ fifo: true }),
  };

  it('are computed', () => {
    const rows = [...page.matchAll(/^\| ([^|]+?) +\| (\d+\.\d\d) +\|$/gm)].map(([, what = '', dollars = '']) => [
      what.replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1'),
      dollars,
    ]);
    expect(rows).toEqual(Object.entries(FIGURES).map(([what, dollars]) => [what, dollars.toFixed(2)]));
  });
});

it('names the alarms that are made', () => {
  const made = [...readFileSync('infra/alarms.ts', 'utf8').matchAll(/id: '(\w+)'/g)].map(([, id]) => id);
  const [, alarms = ''] = page.split('## Alarms to have');
  expect([...alarms.matchAll(/^\| (\w+) +\| (?!means)/gm)].map(([, id]) => id)).toEqual(made);
});

describe('two versions at once', () => {
  const older = () => newWorld(() => undefined, { resultExpires: '30d' });

  it('a task that this version does not know waits for the one that does, about 20 minutes', async () => {
    const { app, world } = older();
    app.taskNames = () => undefined;
    const { id } = await app.send('reports.new', [7]);
    await world.advance('15m');
    expect(await app.result(id).state()).toBe('PENDING');
    app.task('reports.new', (month: number) => `report ${month}`);
    await world.drain();
    expect(await app.result(id).get()).toBe('report 7');
  });

  it('longer than that it is put aside as NotRegistered, and redriven by the version that knows it', async () => {
    const { app, world } = older();
    app.taskNames = () => undefined;
    const { id } = await app.send('reports.new', [7]);
    await world.drain();
    expect(await app.result(id).state()).toBe('FAILURE');
    const later = (await app.deadLetters.list({ error: 'NotRegistered' })).letters;
    expect(later.map((letter) => letter.id)).toEqual([id]);
    app.task('reports.new', (month: number) => `report ${month}`);
    expect(await app.deadLetters.redrive({ error: 'NotRegistered' })).toMatchObject({ sent: 1 });
    await world.drain();
    expect(await app.result(id).get()).toBe('report 7');
  });

  it('messages without an argument that has a default run in the newer version', async () => {
    const { app, world } = newWorld((celeriac) =>
      celeriac.task('reports.make', (month: number, format = 'pdf') => `report ${month}.${format}`),
    );
    const [old, newer] = [await app.send('reports.make', [7]), await app.send('reports.make', [7, 'csv'])];
    await world.drain();
    expect([await old.get(), await newer.get()]).toEqual(['report 7.pdf', 'report 7.csv']);
  });

  it("what goes back by the console's redrive runs nothing", async () => {
    const { app, world } = older();
    app.taskNames = () => undefined;
    const { id } = await app.send('reports.new', [7]);
    await world.drain();
    app.task('reports.new', () => 'it ran');
    const [letter] = world.deadLetters();
    const [held] = (await world.ports.deadLetters?.receive('default', { limit: 1, hiddenSeconds: 60 })) ?? [];
    expect(letter).toBeDefined();
    // As SQS moves it: the same body, to the queue.
    await world.ports.broker.send([{ queue: 'default', body: held?.body ?? '' }]);
    await world.drain();
    expect(await app.result(id).state()).toBe('FAILURE');
  });
});
