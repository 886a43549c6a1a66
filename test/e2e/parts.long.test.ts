/** Tasks longer than an invocation, over real HTTP and under the rights that a service's policy gives: invocations of five seconds. */
import { Celeriac, chord, silentLogger, type TaskContext } from 'celeriac';
import type { LocalCloud } from 'celeriac/local';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { startCloud } from '../support/iam/cloud.ts';
import { PATIENCE_MS, PATIENCE_SECONDS } from '../support/patience.ts';

const INVOCATION_SECONDS = 5;
const STEP_MS = 250;

const app = new Celeriac('parts', {
  callTimeout: PATIENCE_SECONDS,
  queues: { default: {}, orders: { fifo: true } },
});
const steps: string[] = [];
const parts = new Map<string, number>();
const long = app.task('long', { bind: true, maxParts: 50, oneInstance: { key: (name: string) => name } }, run);
const ordered = app.task('ordered', { bind: true, maxParts: 20, queue: 'orders' }, run);
const sum = app.task('sum', (counts: readonly number[]) => counts.reduce((all, each) => all + each, 0));

async function run(self: TaskContext, name: string, count: number): Promise<number> {
  let done = (self.state ?? 0) as number;
  parts.set(name, self.part);
  while (done < count) {
    await app.clock.sleep(STEP_MS);
    done += 1;
    steps.push(`${name} ${done}`);
    await self.checkpoint(done);
  }
  return done;
}

let cloud: LocalCloud;
beforeAll(async () => {
  cloud = await startCloud(app, { invocation: INVOCATION_SECONDS, sweepEvery: 1, logger: silentLogger });
});
afterAll(() => cloud.stop());

/** Steps in the order in which they ran. On a busy machine a part is cut off, and the step that was under way comes again. */
const stepsOf = (name: string): string[] =>
  steps.filter(
    (step, index) =>
      step.startsWith(`${name} `) && step !== steps.slice(0, index).findLast((each) => each.startsWith(`${name} `)),
  );
const all = (name: string, count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${name} ${index + 1}`);

it('goes on in parts, each step once; a chord waits for the last part, and nobody runs beside it', async () => {
  // Twelve seconds and six, each in invocations of five.
  const result = await chord([long.s('slow', 48), long.s('quick', 24)], sum.s()).delay();
  await expect.poll(() => parts.get('slow') ?? 0, { timeout: PATIENCE_MS }).toBeGreaterThan(1);
  const left = await long.delay('slow', 1);
  expect(await result.get({ timeout: PATIENCE_SECONDS })).toBe(72);
  expect(await left.state()).toBe('IGNORED');
  expect(stepsOf('slow')).toEqual(all('slow', 48));
  expect(stepsOf('quick')).toEqual(all('quick', 24));
  // Four seconds of work fit into each, one step at least on a slow machine.
  expect(parts.get('slow')).toBeGreaterThanOrEqual(3);
  expect(parts.get('slow')).toBeLessThanOrEqual(49);
});

it('in a FIFO queue what comes behind it waits for its last part', async () => {
  const first = await ordered.applyAsync(['first', 24], { groupKey: 'one' });
  const second = await ordered.applyAsync(['second', 1], { groupKey: 'one' });
  expect(await second.get({ timeout: PATIENCE_SECONDS })).toBe(1);
  expect(await first.get()).toBe(24);
  expect(stepsOf('first')).toEqual(all('first', 24));
  expect(steps.at(-1)).toBe('second 1');
  expect(stepsOf('second')).toHaveLength(1);
  expect(parts.get('first')).toBeGreaterThan(1);
});
