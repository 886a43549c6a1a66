/** `concurrency` of a queue means tasks at once: never more, whatever goes wrong, and as many where nothing does. */
import { Celeriac, silentLogger } from 'celeriac';
import { World } from 'celeriac/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { allowed, programs, tasksAtOnce } from './tasks-at-once.ts';

const SIXTY = Array.from({ length: 60 }, (_, index) => ({ seconds: 10, priority: index % 10 }));

describe('concurrency', () => {
  it.each([
    [{ concurrency: 2 }, { all: 2, work: 2 }],
    [{ concurrency: 5 }, { all: 5, work: 5 }],
    [{ concurrency: 20 }, { all: 20, work: 20 }],
    [
      { concurrency: 7, batchConcurrency: 1 },
      { all: 7, work: 7 },
    ],
    [
      { concurrency: 20, batchSize: 4 },
      { all: 20, work: 20 },
    ],
    [
      { concurrency: 9, priorities: [0, 5] },
      { all: 9, work: 5, 'work-p5': 4 },
    ],
    [
      { concurrency: { 0: 4, 5: 2 }, priorities: [0, 5] },
      { all: 6, work: 4, 'work-p5': 2 },
    ],
  ])('%j is reached, and kept', async (queue, most) => {
    expect(await tasksAtOnce({ queue, tasks: SIXTY, world: {} })).toEqual({ most, open: [] });
  });

  it('is kept under faults, and every task ends', async () => {
    await fc.assert(
      fc.asyncProperty(programs, async (program) => {
        const { most, open } = await tasksAtOnce(program);
        expect(open).toEqual([]);
        for (const [name, bound] of Object.entries(allowed(program.queue)))
          expect(most[name] ?? 0).toBeLessThanOrEqual(bound);
      }),
      { numRuns: 25 },
    );
  });

  it('tasks that take nearly their whole invocation are not handed back until they are lost', async () => {
    const tasks = Array.from({ length: 40 }, () => ({ seconds: 55, priority: 0 }));
    const app = { queue: { concurrency: 2 }, tasks, world: { invocation: 60, maxReceiveCount: 10 } } as const;
    expect(await tasksAtOnce(app)).toEqual({ most: { all: 2, work: 2 }, open: [] });
  });

  it('without it a batch runs as many at once as its queue says: one for tasks that need a processor', async () => {
    const app = new Celeriac('cpu', { queues: { default: {}, cpu: { batchConcurrency: 1 } }, logger: silentLogger });
    const inOne = new Map<object, number>();
    const { CURRENT_INVOCATION } = await import('../../lib/testing/simulated-invocation.ts');
    const count = app.task('count', { queue: 'cpu' }, async () => {
      const invocation = CURRENT_INVOCATION.getStore() ?? {};
      inOne.set(invocation, (inOne.get(invocation) ?? 0) + 1);
      await world.clock.sleep(1000);
    });
    using world = new World(app);
    for (let index = 0; index < 20; index += 1) await count.delay();
    await world.drain();
    // Each has a worker to itself, and all of them at once.
    expect([...inOne.values()]).toEqual(Array.from({ length: 20 }, () => 1));
  });
});
