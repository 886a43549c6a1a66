/** The same properties as in concurrency.test.ts, for more seeds. `SEEDS=20000` looks further. */
import { describe, expect, it } from 'vitest';

import { programOf, runProgram } from './slot-program.ts';

const SEEDS = Number(process.env['SEEDS'] ?? 150);
const FIRST = Number(process.env['FIRST'] ?? 1);

describe('slots under faults', () => {
  it('holds', async () => {
    for (let seed = FIRST; seed < FIRST + SEEDS; seed += 1) {
      const { broken } = await runProgram(programOf(seed));
      expect(broken, `seed ${seed}: ${JSON.stringify(programOf(seed))}`).toEqual([]);
    }
  });

  // The two that take away faults: their programs differ less from each other.
  it('needs nobody to look after it where nothing goes wrong', async () => {
    for (let seed = FIRST; seed < FIRST + SEEDS / 8; seed += 1) {
      const program = { ...programOf(seed), fifo: false, latencyMs: 400, looksAfter: false, faults: {} };
      expect((await runProgram(program)).broken, JSON.stringify(program)).toEqual([]);
    }
  });

  it('starts the tasks of a key in the order in which they came, where nothing goes wrong', async () => {
    for (let seed = FIRST; seed < FIRST + SEEDS / 8; seed += 1) {
      const program = { ...programOf(seed), fifo: false, latencyMs: 0, faults: {} };
      const { broken, starts } = await runProgram(program);
      expect(broken, JSON.stringify(program)).toEqual([]);
      for (const key of starts)
        expect(key, JSON.stringify(program)).toEqual(key.toSorted((left, right) => left - right));
    }
  });
});
