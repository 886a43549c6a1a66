/** Never more tasks at once than the queue's concurrency: many programs, under all faults. */
import fc from 'fast-check';
import { expect, it } from 'vitest';

import { allowed, programs, tasksAtOnce } from './tasks-at-once.ts';

it('concurrency of a queue is kept under faults, and every task ends', async () => {
  await fc.assert(
    fc.asyncProperty(programs, async (program) => {
      const { most, open } = await tasksAtOnce(program);
      expect(open).toEqual([]);
      for (const [name, bound] of Object.entries(allowed(program.queue)))
        expect(most[name] ?? 0).toBeLessThanOrEqual(bound);
    }),
    { numRuns: 200 },
  );
});
