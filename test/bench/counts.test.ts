/** The figures by which synth says what a task costs are those that the bench counts. */
import { expect, it } from 'vitest';

import {
  HISTORY_BATCH_WRITE_UNITS,
  HISTORY_SWEEP_READS,
  IDLE_SWEEP_READS,
  TASK_LOG_BYTES,
  TASK_WRITE_UNITS,
} from '../../infra/task-costs.ts';
import { counts, historyCount } from './counts.ts';

// Without those that wait for a rate or a slot, which takes seconds.
const QUICK = [
  'plain',
  'ignoreResult',
  'idempotent and ignoreResult',
  'one retry',
  'a part more',
  'checkpoint',
  'app.locks.with, keys of their own',
  'unique',
  'throttle',
  'debounce',
];

it('are the same', async () => {
  const { tasks, itemBytes, idleSweep } = await counts(20, { only: new Set(QUICK) });
  expect(tasks.map(({ kind }) => kind)).toEqual(QUICK);
  const of = (kind: string): (typeof tasks)[number] | undefined => tasks.find((count) => count.kind === kind);
  expect(of('plain')?.writes).toBe(TASK_WRITE_UNITS);
  // One item is one write unit up to here.
  expect(itemBytes).toBeLessThan(1024);
  expect(of('plain')?.sends).toBe(0.1);
  const logged = of('plain')?.logBytes ?? 0;
  expect(Math.abs(logged / TASK_LOG_BYTES - 1)).toBeLessThan(0.05);
  expect(idleSweep.table).toBe(idleSweep.shards + IDLE_SWEEP_READS);
  // What the docs say of these options.
  expect(of('ignoreResult')?.writes).toBe(TASK_WRITE_UNITS);
  expect(of('idempotent and ignoreResult')?.writes).toBe(0);
  expect(of('one retry')?.writes).toBe(2 * TASK_WRITE_UNITS);
  expect(of('a part more')?.writes).toBe(2 * TASK_WRITE_UNITS);
  expect(of('a part more')?.sends).toBe(of('one retry')?.sends);
  expect(of('checkpoint')?.writes).toBe(TASK_WRITE_UNITS + 1);
  // Taken, told, freed; taken, told; opened, its token told, sealed, closed.
  expect(of('unique')?.writes).toBe(TASK_WRITE_UNITS + 3);
  expect(of('throttle')?.writes).toBe(TASK_WRITE_UNITS + 2);
  expect(of('debounce')?.writes).toBe(TASK_WRITE_UNITS + 4);
  // Taken and given back.
  expect(of('app.locks.with, keys of their own')?.writes).toBe(TASK_WRITE_UNITS + 2);
  // A tenth of a request for its token, and one for its message.
  expect(of('debounce')?.sends).toBeCloseTo(1.1, 1);
});

it('the history costs a write and a request a batch; of tasks that succeed nothing where only failures are kept', async () => {
  const [all, failures] = [
    await counts(20, { history: 'all', only: new Set(['plain']) }),
    await historyCount(20, 'failures'),
  ];
  const [plain] = all.tasks;
  // A batch that ends in the next minute writes twice.
  const batches = all.historyBytes.length;
  expect([2, 3, 4]).toContain(batches);
  expect(plain?.writes).toBeCloseTo(TASK_WRITE_UNITS + (batches * HISTORY_BATCH_WRITE_UNITS) / 20, 6);
  expect(Math.max(...all.historyBytes)).toBeLessThan(1024);
  // The sweep of the cloud's start may come in between.
  expect(failures.writes - TASK_WRITE_UNITS).toBeLessThanOrEqual(0.05);
  expect(failures.bytes).toEqual([]);
  // A second sweep of the same minute has nothing to look at; one of the next asks the parts of the hour too.
  expect([1, HISTORY_SWEEP_READS]).toContain(all.idleSweep.table - all.idleSweep.shards - IDLE_SWEEP_READS);
});
