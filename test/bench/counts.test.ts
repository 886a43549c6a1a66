/** The figures by which synth says what a task costs are those that the bench counts. */
import { expect, it } from 'vitest';

import { IDLE_SWEEP_READS, TASK_LOG_BYTES, TASK_WRITE_UNITS } from '../../infra/task-costs.ts';
import { counts } from './counts.ts';

it('are the same', async () => {
  const { tasks, itemBytes, idleSweep } = await counts(20);
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
  // Taken, told, freed; taken, told; opened, its token told, sealed, closed.
  expect(of('unique')?.writes).toBe(TASK_WRITE_UNITS + 3);
  expect(of('throttle')?.writes).toBe(TASK_WRITE_UNITS + 2);
  expect(of('debounce')?.writes).toBe(TASK_WRITE_UNITS + 4);
  // Taken and given back.
  expect(of('app.locks.with, keys of their own')?.writes).toBe(TASK_WRITE_UNITS + 2);
  // A tenth of a request for its token, and one for its message.
  expect(of('debounce')?.sends).toBeCloseTo(1.1, 1);
});
