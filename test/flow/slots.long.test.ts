/** The same properties as in concurrency.test.ts, for more seeds. `SEEDS=20000` looks further. */
import { describe, expect, it } from 'vitest';

import { programOf, runProgram } from './slot-program.ts';

const SEEDS = Number(process.env['SEEDS'] ?? 400);
const FIRST = Number(process.env['FIRST'] ?? 1);

describe('slots under faults', () => {
  it('holds', async () => {
    for (let seed = FIRST; seed < FIRST + SEEDS; seed += 1) {
      const { broken } = await runProgram(programOf(seed));
      expect(broken, `seed ${seed}: ${JSON.stringify(programOf(seed))}`).toEqual([]);
    }
  });
});
