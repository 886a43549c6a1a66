/** "Nothing lost, one effect, on time", by seeds: more in simulation.long.test.ts, many more by `npm run simulate`. */
import { describe, expect, it } from 'vitest';

import { simulateParts } from './parts/simulate-parts.ts';
import { isQuick, sabotaged, SABOTAGES } from './world/all-sabotages.ts';
import { MANY_FAULTS } from './world/many-faults.ts';
import { ALL_FAULTS, simulate } from './world/simulate.ts';

describe('simulation', () => {
  it.each([1, 2])('seed %i, all faults', async (seed) => {
    const report = await simulate({ seed });
    expect(report.violations).toEqual([]);
    expect(report.tasks).toBeGreaterThan(200);
    expect(report.faults.crash + report.faults.duplicate + report.faults.error).toBeGreaterThan(10);
  });

  it.each([1])('seed %i, five times as many faults', async (seed) => {
    expect((await simulate({ seed, faults: MANY_FAULTS })).violations).toEqual([]);
  });

  it('without faults nothing is late, and the same seed is the same run', async () => {
    const [one, two] = [await simulate({ seed: 7 }), await simulate({ seed: 7 })];
    expect(two).toEqual(one);
    expect((await simulate({ seed: 8, faults: {} })).violations).toEqual([]);
  });
});

describe('tasks that go on in parts', () => {
  it.each([
    [1, ALL_FAULTS],
    [2, {}],
  ])('seed %i', async (seed, faults) => {
    const report = await simulateParts({ seed, programs: 20, faults });
    expect(report.violations).toEqual([]);
    expect(report.runs).toBeGreaterThan(40);
  });
});

describe('running tasks that are revoked with terminate', () => {
  // Of seeds that tell many: others tell two, and a change elsewhere moves what is drawn.
  it.each([
    [2, ALL_FAULTS],
    [4, {}],
  ])('seed %i', async (seed, faults) => {
    const report = await simulate({ seed, programs: 30, terminations: 20, faults });
    expect(report.violations).toEqual([]);
    expect(report.told).toBeGreaterThan(2);
  });
});

describe('each checker sees what it is for, the others in simulation.long.test.ts', () => {
  it.each(SABOTAGES.filter(isQuick))('$rule: $what', async (sabotage) => {
    expect(await sabotaged(sabotage)).toContain(sabotage.rule);
  });
});
