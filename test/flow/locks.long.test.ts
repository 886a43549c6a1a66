/** The property of test/flow/locks.test.ts, for longer: `SEEDS=2000 npm run test:long -- test/flow/locks`. */
import fc from 'fast-check';
import { expect, it } from 'vitest';

import { LOCK_WALKS, lockWalk } from './lock-walk.ts';

const SEEDS = Number(process.env['SEEDS'] ?? 60);

it('has one live owner at a time, with tokens that rise, and all work is done, whatever goes wrong', async () => {
  await fc.assert(
    fc.asyncProperty(LOCK_WALKS, async (drawn) => {
      expect(await lockWalk(drawn)).toEqual([]);
    }),
    { numRuns: SEEDS },
  );
});
