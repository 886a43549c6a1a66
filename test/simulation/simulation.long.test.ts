/** The seeds after those of simulation.test.ts, and the other sabotages. CI runs fifty by `npm run simulate` too. */
import { describe, expect, it } from 'vitest';

import { isQuick, sabotaged, SABOTAGES } from './world/all-sabotages.ts';
import { MANY_FAULTS } from './world/many-faults.ts';
import { simulate } from './world/simulate.ts';

const seeds = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

describe('simulation', () => {
  it.each(seeds(3, 12))('seed %i, all faults', async (seed) => {
    const report = await simulate({ seed });
    expect(report.violations).toEqual([]);
    expect(report.tasks).toBeGreaterThan(200);
    expect(report.faults.crash + report.faults.duplicate + report.faults.error).toBeGreaterThan(10);
  });

  it.each(seeds(2, 6))('seed %i, five times as many faults', async (seed) => {
    expect((await simulate({ seed, faults: MANY_FAULTS })).violations).toEqual([]);
  });
});

describe('each checker sees what it is for', () => {
  it.each(SABOTAGES.filter((sabotage) => !isQuick(sabotage)))('$rule: $what', async (sabotage) => {
    expect(await sabotaged(sabotage)).toContain(sabotage.rule);
  });
});
