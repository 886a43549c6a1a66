/** A task that ends its worker process takes nobody along for good. In virtual time. */
import type { AsyncResult, QueueOptions } from 'celeriac';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { ProcessWorld } from '../support/process-world.ts';

const PAUSE = { sinceMs: 0, by: 'ada', why: 'the disk is full' };

interface Run {
  readonly name: string;
  /** Which process it runs in. */
  readonly by: string;
  readonly fromSeconds: number;
  untilSeconds?: number;
}

interface Fleet {
  readonly processes: number;
  readonly concurrency: number;
  readonly maxDeliveries?: number;
  readonly idempotent?: boolean;
  readonly queue?: QueueOptions;
}

/** Processes, each of which is started again when it is killed. */
function fleet({ processes, concurrency, queue = {}, ...options }: Fleet) {
  const world = new ProcessWorld({ default: { worker: 'process', ...queue } });
  const runs: Run[] = [];
  const alive = new Map<string, ReturnType<typeof world.startMortal>>();
  let born = 0;
  const start = (): void => {
    const name = `process-${(born += 1)}`;
    alive.set(name, world.startMortal({ concurrency, name }));
  };
  const kill = (name: string): void => {
    alive.get(name)?.kill();
    alive.delete(name);
    for (const run of runs) if (run.by === name) run.untilSeconds ??= world.at();
    start();
  };
  // Idempotent tasks claim nothing that tells who runs them: there is one process then.
  const whoRuns = async (id: string): Promise<string> =>
    (await world.backend.get([id], world.clock.nowMs()))[0]?.owner?.split('/')[0] ?? [...alive.keys()].join();
  const job = world.app.task(
    'job',
    { bind: true, ...options },
    async (self, name: string, seconds: number, ending: 'ends' | 'kills') => {
      const by = await whoRuns(self.request.id);
      const run: Run = { name, by, fromSeconds: world.at() };
      runs.push(run);
      await world.clock.sleep(seconds * 1000);
      if (ending === 'kills' && alive.has(by)) kill(by);
      run.untilSeconds ??= world.at();
      return name;
    },
  );
  for (let n = 0; n < processes; n += 1) start();
  const runsOf = (name: string): Run[] => runs.filter((run) => run.name === name);
  /** What ran in the same process at the same time. */
  const beside = (run: Run): string[] =>
    runs
      .filter(
        (other) =>
          other !== run &&
          other.by === run.by &&
          other.fromSeconds < (run.untilSeconds ?? Infinity) &&
          (other.untilSeconds ?? Infinity) > run.fromSeconds,
      )
      .map(({ name }) => name);
  return { world, job, runs, runsOf, beside, alive, kill };
}

describe('a task that ends its process', () => {
  it('runs alone from its third time on, and is lost alone', async () => {
    const { world, job, runsOf, beside } = fleet({ processes: 1, concurrency: 10 });
    const deadly = await job.delay('deadly', 5, 'kills');
    const company = [];
    for (let n = 0; n < 6; n += 1) company.push(await job.delay(`beside ${n}`, 60, 'ends'));
    await world.advance(3600);
    await expect(deadly.get()).rejects.toMatchObject({ name: 'WorkerLostError' });
    expect(await Promise.all(company.map((result) => result.state()))).toEqual(Array(6).fill('SUCCESS'));
    expect(runsOf('deadly').map((run) => beside(run).length)).toEqual([6, 6, 0, 0, 0]);
    for (let n = 0; n < 6; n += 1) expect(runsOf(`beside ${n}`)).toHaveLength(3);
  });

  it('at the second time already where a task may be lost no more than once', async () => {
    const { world, job, runsOf, beside } = fleet({ processes: 1, concurrency: 10, maxDeliveries: 2 });
    const deadly = await job.delay('deadly', 5, 'kills');
    const company = await job.delay('beside', 60, 'ends');
    await world.advance(600);
    expect([await deadly.state(), await company.state()]).toEqual(['FAILURE', 'SUCCESS']);
    expect(runsOf('deadly').map((run) => beside(run).length)).toEqual([1, 0]);
  });

  it('an idempotent one, of which nothing tells whether it ran, alone after its receives', async () => {
    const { world, job, runsOf, beside } = fleet({ processes: 1, concurrency: 10, idempotent: true });
    await job.delay('deadly', 5, 'kills');
    await job.delay('beside', 60, 'ends');
    await world.advance(900);
    expect(runsOf('deadly').slice(2).length).toBeGreaterThan(1);
    expect(runsOf('deadly').slice(2).flatMap(beside)).toEqual([]);
    expect(runsOf('beside')).toHaveLength(3);
  });
});

it('one process taken away: its tasks of hours go on side by side', async () => {
  const { world, job, runs, alive, kill } = fleet({ processes: 1, concurrency: 5 });
  const results = [];
  for (let n = 0; n < 5; n += 1) results.push(await job.delay(`long ${n}`, 3600, 'ends'));
  await world.advance(1800);
  const before = Array.from(alive.keys());
  for (const name of before) kill(name);
  await world.advance(3600 + 120);
  expect(await Promise.all(results.map((result) => result.state()))).toEqual(Array(5).fill('SUCCESS'));
  expect(runs).toHaveLength(10);
});

describe('what is to run alone', () => {
  /** One that has ended two processes waits for another that was received before. */
  async function waiting() {
    const all = fleet({ processes: 1, concurrency: 4 });
    const { world, job, runsOf } = all;
    const suspect = await job.delay('suspect', 5, 'kills');
    while (runsOf('suspect').length < 2) await world.advance(1);
    // A killed process may have asked for messages that nobody gets then.
    await world.advance(20);
    const before = await job.delay('before', 600, 'ends');
    // Both come to the process of which it is the third.
    await world.advance(120);
    expect(runsOf('before')).toHaveLength(1);
    return { ...all, suspect, before };
  }

  it('waits until what runs has ended, and nothing begins meanwhile; then all goes on', async () => {
    const { world, job, runsOf, beside } = await waiting();
    const behind = await job.delay('behind', 5, 'ends');
    await world.advance(300);
    expect([runsOf('suspect').length, runsOf('behind').length]).toEqual([2, 0]);
    await world.advance(1800);
    expect(await behind.state()).toBe('SUCCESS');
    expect(runsOf('suspect').slice(2).flatMap(beside)).toEqual([]);
  });

  it('goes back where its process drains', async () => {
    const { world, alive, runsOf } = await waiting();
    const [process] = alive.values();
    await world.during(process?.worker.drain(700) ?? Promise.resolve(0));
    expect(runsOf('suspect')).toHaveLength(2);
    expect(world.broker.depth('default')).toEqual({ visible: 1, delayed: 0, inFlight: 0 });
  });

  it('goes back where its queue is paused, and what runs goes on', async () => {
    const { world, runsOf, before } = await waiting();
    await world.pauses.put({ queue: 'default', ...PAUSE });
    await world.advance(10);
    expect(world.broker.depth('default')).toMatchObject({ visible: 1, inFlight: 1 });
    await world.advance(600);
    expect([await before.state(), runsOf('suspect').length]).toEqual(['SUCCESS', 2]);
  });
});

it('whatever a fleet does: only what ends processes is lost', async () => {
  const task = fc.record({ seconds: fc.integer({ min: 1, max: 300 }), isDeadly: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        processes: fc.integer({ min: 1, max: 3 }),
        concurrency: fc.integer({ min: 1, max: 6 }),
        maxDeliveries: fc.integer({ min: 2, max: 5 }),
        queue: fc.constantFrom<QueueOptions>({}, { fifo: true }),
      }),
      fc.array(task, { minLength: 2, maxLength: 10 }),
      async (plan, tasks) => {
        const { world, job, runsOf } = fleet(plan);
        const results: AsyncResult<string>[] = [];
        for (const [n, { seconds, isDeadly }] of tasks.entries())
          results.push(
            await job.applyAsync(
              [`${n}`, seconds, isDeadly ? 'kills' : 'ends'],
              plan.queue.fifo === true ? { groupKey: `${n % 3}` } : {},
            ),
          );
        const isOver = async (): Promise<boolean> =>
          (await Promise.all(results.map((result) => result.ready()))).every(Boolean);
        for (let rounds = 0; rounds < 40 && !(await isOver()); rounds += 1) await world.advance(300);
        for (const [n, { isDeadly }] of tasks.entries()) {
          expect(await results[n]?.state()).toBe(isDeadly ? 'FAILURE' : 'SUCCESS');
          const most = isDeadly ? plan.maxDeliveries : Math.min(3, plan.maxDeliveries);
          expect(runsOf(`${n}`).length).toBeLessThanOrEqual(most);
        }
      },
    ),
    { numRuns: 8 },
  );
});
