/** The property of test/worker/parts.test.ts, for longer: `SEEDS=1000 npm run test:long -- test/worker/parts`. */
import fc from 'fast-check';
import { expect, it } from 'vitest';

import { PART_WALKS, partWalk } from './part-walk.ts';

const SEEDS = Number(process.env['SEEDS'] ?? 60);

it('ends all, goes back behind no checkpoint, and never runs beside itself, whatever goes wrong', async () => {
  await fc.assert(
    fc.asyncProperty(PART_WALKS, async (drawn) => {
      expect(await partWalk(drawn)).toEqual([]);
    }),
    { numRuns: SEEDS },
  );
});
