/** Tasks some of which are sent twice, whose second message waits until nobody knows any more that the first has run. */
import { Celeriac, silentLogger, type TaskOptions } from 'celeriac';
import { World } from 'celeriac/testing';

import { expect } from 'vitest';

import { MAX_PARKED_BYTES, MIN_RECORD_SECONDS } from '../../lib/base/limits.ts';

const START = new Date('2030-01-01T00:00:00Z');

export interface Given {
  readonly options: TaskOptions;
  readonly large?: boolean;
  /** All in one group of a FIFO queue. */
  readonly fifo?: boolean;
  /** How long each task runs. */
  readonly seconds?: number;
  /** Tasks by number in the order in which they are sent, those that are sent twice more than once. */
  readonly sent: readonly number[];
  /** Seconds between two of them. */
  readonly apartSeconds?: number;
}

export interface Ran {
  /** By number, in the order of their starts. */
  readonly runs: readonly number[];
  readonly lastSeconds: number;
}

export async function runTwice({
  options,
  large = false,
  fifo = false,
  seconds = 0,
  sent,
  apartSeconds = 1,
}: Given): Promise<Ran> {
  // Records go as soon as they may.
  const app = new Celeriac('late', { queues: { default: { fifo } }, resultExpires: 1, logger: silentLogger });
  const runs: number[] = [];
  let lastMs = 0;
  const task = app.task('work', options, async (n: number, _text: string) => {
    runs.push(n);
    await world.clock.sleep(seconds * 1000);
    lastMs = world.clock.nowMs() - START.getTime();
  });
  using world = new World(app, { start: START, invocation: 900 });
  for (const n of sent) {
    await task.applyAsync([n, large ? 'x'.repeat(MAX_PARKED_BYTES) : ''], { taskId: `task-${n}` });
    await world.advance(apartSeconds);
  }
  await world.drain('10d');
  return { runs, lastSeconds: lastMs / 1000 };
}

/** Other tasks, which stand between. */
export function others(count: number): readonly number[] {
  return Array.from({ length: count }, (_, at) => 100 + at);
}

export async function expectOnce(given: Given): Promise<void> {
  const { runs, lastSeconds } = await runTwice(given);
  expect(runs.toSorted((left, right) => left - right)).toEqual(
    [...new Set(given.sent)].toSorted((left, right) => left - right),
  );
  // Long enough that the first one's record is gone.
  expect(lastSeconds).toBeGreaterThan(MIN_RECORD_SECONDS + 900);
}
