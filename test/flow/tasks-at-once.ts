/** A queue of tasks that take their time, in a world where things go wrong: how many of them run at once. */
import { Celeriac, type QueueOptions, silentLogger } from 'celeriac';
import { World, type WorldOptions } from 'celeriac/testing';
import fc from 'fast-check';

import { CURRENT_INVOCATION, type SimulatedInvocation } from '../../lib/testing/simulated-invocation.ts';

export interface Program {
  readonly queue: QueueOptions;
  /** Of the tasks, in order: how long each takes, and its priority. */
  readonly tasks: readonly { readonly seconds: number; readonly priority: number }[];
  readonly world: WorldOptions;
}

export interface AtOnce {
  /** Most at once: of all, and of each lane. */
  readonly most: Readonly<Record<string, number>>;
  /** Ids that have no final state. */
  readonly open: readonly string[];
}

interface Run {
  readonly queue: string;
  readonly invocation: SimulatedInvocation | undefined;
  /** When Lambda ends its process. */
  readonly endMs: number;
}

export async function tasksAtOnce({ queue, tasks, world: options }: Program): Promise<AtOnce> {
  const app = new Celeriac('at-once', { queues: { default: {}, work: queue }, logger: silentLogger });
  const most: Record<string, number> = { all: 0 };
  const runs = new Set<Run>();
  const work = app.task('work', { bind: true, queue: 'work' }, async (self, seconds: number) => {
    const nowMs = world.clock.nowMs();
    const { queue: lane } = self.request.deliveryInfo;
    const endMs = nowMs + (self.remainingTime() ?? Infinity) * 1000;
    const run = { queue: lane, invocation: CURRENT_INVOCATION.getStore(), endMs };
    runs.add(run);
    // A process that has ended runs nothing, though its code goes on here.
    const live = [...runs].filter(({ invocation, endMs: overMs }) => invocation?.dead !== true && overMs > nowMs);
    most['all'] = Math.max(most['all'] ?? 0, live.length);
    most[lane] = Math.max(most[lane] ?? 0, live.filter((each) => each.queue === lane).length);
    await world.clock.sleep(seconds * 1000);
    runs.delete(run);
  });
  using world = new World(app, { invocation: 60, ...options });
  world.faults.on = false;
  const sent = [];
  for (const { seconds, priority } of tasks)
    sent.push(await work.applyAsync([seconds], queue.priorities === undefined ? {} : { priority }));
  world.faults.on = true;
  await world.advance('20m');
  world.faults.on = false;
  await world.drain();
  const open: string[] = [];
  for (const result of sent) if (!(await result.ready())) open.push(result.id);
  return { most, open };
}

export const programs: fc.Arbitrary<Program> = fc.record({
  queue: fc.oneof(
    fc.record({ concurrency: fc.integer({ min: 2, max: 12 }), batchConcurrency: fc.integer({ min: 1, max: 10 }) }),
    fc.record({ concurrency: fc.integer({ min: 4, max: 12 }), priorities: fc.constant([0, 5]) }),
    fc.record({
      concurrency: fc.constant({ 0: 4, 5: 2 }),
      priorities: fc.constant([0, 5]),
      batchSize: fc.constant(10),
    }),
    fc.record({
      concurrency: fc.integer({ min: 2, max: 12 }),
      fifo: fc.constant(false),
      batchSize: fc.integer({ min: 1, max: 10 }),
    }),
  ),
  tasks: fc.array(fc.record({ seconds: fc.integer({ min: 0, max: 30 }), priority: fc.integer({ min: 0, max: 9 }) }), {
    minLength: 10,
    maxLength: 40,
  }),
  world: fc.record({
    seed: fc.integer({ min: 0, max: 1_000_000 }),
    faults: fc.record({
      duplicate: chance(),
      reorder: chance(),
      error: chance(),
      lostResponse: chance(),
      crash: chance(),
      killBeforeCommit: chance(),
      freeze: chance(),
      throttledBatch: chance(),
    }),
  }),
});

function chance(): fc.Arbitrary<number> {
  return fc.constantFrom(0, 0, 0.02, 0.1);
}

/** What each lane may have, and all of them. */
export function allowed({ concurrency = Infinity, priorities }: QueueOptions): Readonly<Record<string, number>> {
  if (typeof concurrency === 'object') return { all: 6, work: 4, 'work-p5': 2 };
  if (priorities === undefined) return { all: concurrency, work: concurrency };
  return { all: concurrency, work: Math.ceil(concurrency / 2), 'work-p5': Math.floor(concurrency / 2) };
}
