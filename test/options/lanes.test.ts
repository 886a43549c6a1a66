/** What people may say of priorities and of a queue's concurrency, and what becomes of it. */
import { Celeriac, type QueueOptions } from 'celeriac';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { batchConcurrencyFor, batchSizeOf, workersOf } from '../../lib/options/at-once.ts';
import { laneFor } from '../../lib/options/declared-queue.ts';

function queuesOf(queues: Record<string, QueueOptions>, batchConcurrency?: number): Celeriac['settings']['queues'] {
  const options = batchConcurrency === undefined ? {} : { batchConcurrency };
  return new Celeriac('lanes', { queues, ...options }).settings.queues;
}

describe('priorities', () => {
  it('make a queue for each step, and the queue itself is the one of its default priority', () => {
    expect(queuesOf({ mail: { priorities: [5, 0] }, other: {} })).toEqual({
      mail: {
        fifo: false,
        lanes: [
          [0, 'mail'],
          [5, 'mail-p5'],
        ],
      },
      'mail-p5': { fifo: false, laneOf: 'mail', defaultPriority: 5 },
      other: { fifo: false },
    });
    const late = queuesOf({ mail: { priorities: [0, 3, 6], defaultPriority: 5, batchSize: 4, batchWindow: 2 } });
    expect(late).toEqual({
      mail: {
        fifo: false,
        batchSize: 4,
        batchWindowSeconds: 2,
        defaultPriority: 5,
        lanes: [
          [0, 'mail-p0'],
          [3, 'mail'],
          [6, 'mail-p6'],
        ],
      },
      'mail-p0': { fifo: false, batchSize: 4, batchWindowSeconds: 2, laneOf: 'mail', defaultPriority: 0 },
      'mail-p6': { fifo: false, batchSize: 4, batchWindowSeconds: 2, laneOf: 'mail', defaultPriority: 6 },
    });
    // Whatever makes queues makes a lane after its queue.
    expect(Object.keys(late)[0]).toBe('mail');
  });

  it('the lane is the greatest step at or below the priority: kombu bisects so', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 9 }),
        fc.integer({ min: 0, max: 9 }),
        fc.integer({ min: 0, max: 9 }),
        (steps, defaultPriority, priority) => {
          const queues = queuesOf({ mail: { priorities: [...steps, 0], defaultPriority } });
          const greatest = (at: number): number => Math.max(0, ...steps.filter((step) => step <= at));
          const expected = greatest(priority) === greatest(defaultPriority) ? 'mail' : `mail-p${greatest(priority)}`;
          expect(laneFor('mail', priority, { queues })).toBe(expected);
          // A lane that somebody names is the lane that is meant.
          for (const lane of Object.keys(queues))
            if (lane !== 'mail') expect(laneFor(lane, priority, { queues })).toBe(lane);
        },
      ),
      { numRuns: 50 },
    );
  });

  it.each<[Record<string, QueueOptions>, RegExp]>([
    [{ q: { priorities: [] } }, /queues\.q\.priorities: \[\] given; two and more .* such as \[0, 5\]/],
    [{ q: { priorities: [0] } }, /queues\.q\.priorities: \[0\] given/],
    [{ q: { priorities: [3, 5] } }, /0, the most urgent, among them/],
    [{ q: { priorities: [0, 5, 5] } }, /different priorities/],
    [{ q: { priorities: [0, 10] } }, /queues\.q\.priorities: 10 given; a whole number from 0 to 9/],
    [{ q: { priorities: [0, 2.5] } }, /2\.5 given/],
    [{ q: { priorities: 'high' as never } }, /queues\.q\.priorities: 'high' given/],
    [{ q: { defaultPriority: 3 } }, /queues\.q\.defaultPriority: given without priorities/],
    [{ q: { priorities: [0, 5], defaultPriority: 10 } }, /queues\.q\.defaultPriority: 10 given/],
    [{ q: { priorities: [0, 5], fifo: true } }, /given for a FIFO queue, which keeps its order/],
    [
      { mail: { priorities: [0, 5] }, 'mail-p5': {} },
      /queues\.mail-p5: this is what the lane of queue 'mail' for priority 5/,
    ],
    [{ mail: { priorities: [0, 5] }, 'mail-p0': {} }, /queues\.mail-p0: this is what the lane/],
    [{ ['q'.repeat(78)]: { priorities: [0, 5] } }, /is no queue name; .* at most 80 characters/],
  ])('%j is refused', (queues, error) => {
    expect(() => queuesOf(queues)).toThrow(error);
  });

  it('external queues have them too: Python consumes each lane', () => {
    expect(queuesOf({ default: {}, celery: { external: true, priorities: [0, 5] } })).toMatchObject({
      celery: { external: true },
      'celery-p5': { external: true, laneOf: 'celery' },
    });
  });
});

describe('concurrency', () => {
  it.each([
    [2, [2, 1]],
    [3, [3, 1]],
    [5, [5, 1]],
    [10, [2, 5]],
    [20, [2, 10]],
    [50, [5, 10]],
    [64, [8, 8]],
    [100, [10, 10]],
    [997, [997, 1]],
    [5000, [500, 10]],
    [10_000, [1000, 10]],
  ])('%i tasks are so many workers, and so many tasks of each batch', (concurrency, split) => {
    const { q = { fifo: false } } = queuesOf({ q: { concurrency } });
    expect([workersOf(q), q.batchConcurrency]).toEqual(split);
  });

  it('no split has more tasks at once, and one worker never runs more than it may', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 2000 }), fc.integer({ min: 1, max: 12 }), (concurrency, most) => {
        fc.pre(concurrency <= 1000 * Math.min(10, most));
        const { q = { fifo: false } } = queuesOf({ q: { concurrency, batchConcurrency: most } });
        const each = q.batchConcurrency ?? Number.NaN;
        const workers = workersOf(q) ?? Number.NaN;
        expect(each).toBeLessThanOrEqual(Math.min(10, most));
        expect(workers).toBeGreaterThanOrEqual(2);
        expect(workers).toBeLessThanOrEqual(1000);
        expect(workers * each).toBeLessThanOrEqual(concurrency);
        for (let other = 1; other <= Math.min(10, most, concurrency / 2); other += 1)
          expect(Math.min(1000, Math.floor(concurrency / other)) * other).toBeLessThanOrEqual(workers * each);
        // A manifest without the second number is split the same.
        if (most >= 10) expect(batchConcurrencyFor(concurrency, 10)).toBe(each);
      }),
      { numRuns: 200 },
    );
  });

  it('lanes share it evenly, what is left over goes to the most urgent; or as is said', () => {
    const shares = (options: QueueOptions): unknown =>
      Object.fromEntries(Object.entries(queuesOf({ q: options })).map(([name, queue]) => [name, queue.concurrency]));
    expect(shares({ priorities: [0, 5], concurrency: 5 })).toEqual({ q: 3, 'q-p5': 2 });
    expect(shares({ priorities: [0, 5], defaultPriority: 5, concurrency: 5 })).toEqual({ q: 2, 'q-p0': 3 });
    expect(shares({ priorities: [0, 3, 6], concurrency: 20 })).toEqual({ q: 7, 'q-p3': 7, 'q-p6': 6 });
    expect(shares({ priorities: [0, 5], concurrency: { 0: 15, 5: 2 } })).toEqual({ q: 15, 'q-p5': 2 });
    expect(shares({ priorities: [0, 5] })).toEqual({ q: undefined, 'q-p5': undefined });
  });

  it('the tasks of a batch that run at once are those of the queue, else of the app', () => {
    const { cpu, mail } = queuesOf({ cpu: { batchConcurrency: 1 }, mail: {} }, 4);
    expect([cpu, mail]).toEqual([
      { fifo: false, batchConcurrency: 1 },
      { fifo: false, batchConcurrency: 4 },
    ]);
    // Fewer messages where few of them run at once: what an invocation has no time for is handed back, and was received.
    expect([cpu, mail, {}, { batchSize: 10, batchConcurrency: 1 }].map((queue) => batchSizeOf(queue ?? {}))).toEqual([
      1, 4, 10, 10,
    ]);
    expect(batchSizeOf({ batchConcurrency: 1 }, 3)).toBe(3);
    expect(batchSizeOf({ batchConcurrency: 4 }, 100)).toBe(10);
  });

  it.each<[QueueOptions, RegExp]>([
    [
      { concurrency: 1 },
      /queues\.q\.concurrency: 1 given; .* from 2 to 10000 .* `concurrency: 1` or `oneInstance`.* FIFO/,
    ],
    [{ concurrency: 10_001 }, /queues\.q\.concurrency: 10001 given; a whole number from 2 to 10000 is allowed/],
    [{ concurrency: 1001, batchConcurrency: 1 }, /from 2 to 1000 is allowed/],
    [{ concurrency: 3, priorities: [0, 5] }, /queues\.q\.concurrency: 3 given; a whole number from 4 to 20000/],
    [{ concurrency: { 0: 5 } }, /queues\.q\.concurrency: \{"0":5\} given; a number is allowed\.$/],
    [{ concurrency: { 0: 5 }, priorities: [0, 5] }, /one for each of its priorities, such as \{ 0: 10, 5: 10 \}/],
    [{ concurrency: { 0: 5, 4: 5 }, priorities: [0, 5] }, /one for each of its priorities/],
    [
      { concurrency: { 0: 5, 5: 1 }, priorities: [0, 5] },
      /queues\.q\.concurrency\.5: 1 given; a whole number from 2 to 10000/,
    ],
    [{ concurrency: null as never }, /queues\.q\.concurrency: null given/],
    [{ batchConcurrency: 0 }, /queues\.q\.batchConcurrency: 0 given; a whole number from 1 to 10000/],
    [{ batchConcurrency: 2, external: true }, /queues\.q\.batchConcurrency: given for an external queue/],
  ])('%j is refused', (options, error) => {
    expect(() => queuesOf({ default: {}, q: options })).toThrow(error);
  });
});
