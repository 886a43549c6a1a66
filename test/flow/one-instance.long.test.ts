/** The property of test/flow/one-instance.test.ts, for longer: `SEEDS=2000 npm run test:long -- test/flow/one-instance`. */
import fc from 'fast-check';
import { expect, it } from 'vitest';

import { INSTANCE_WALKS, instanceWalk } from './instance-walk.ts';

const SEEDS = Number(process.env['SEEDS'] ?? 100);

it('never runs beside itself, ends all, and leaves no lock, whatever goes wrong', async () => {
  await fc.assert(
    fc.asyncProperty(INSTANCE_WALKS, async (drawn) => {
      expect(await instanceWalk(drawn)).toEqual([]);
    }),
    { numRuns: SEEDS },
  );
});
