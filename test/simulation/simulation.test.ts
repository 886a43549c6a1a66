/** "Nothing lost, one effect, on time", by seeds: more in simulation.long.test.ts, many more by `npm run simulate`. */
import { describe, expect, it } from 'vitest';

import { SABOTAGES } from './world/sabotage.ts';
import { EXPIRY_SABOTAGES } from './world/sabotage-expiry.ts';
import { WORKER_SABOTAGES } from './world/sabotage-worker.ts';
import { ALL_FAULTS, simulate } from './world/simulate.ts';

const SEEDS = Array.from({ length: 12 }, (_, index) => index + 1);

describe('simulation', () => {
  it.each(SEEDS)('seed %i, all faults', async (seed) => {
    const report = await simulate({ seed });
    expect(report.violations).toEqual([]);
    expect(report.tasks).toBeGreaterThan(200);
    expect(report.faults.crash + report.faults.duplicate + report.faults.error).toBeGreaterThan(10);
  });

  it.each(SEEDS.slice(0, 8))('seed %i, five times as many faults', async (seed) => {
    const faults = Object.fromEntries(
      Object.entries(ALL_FAULTS).map(([kind, chance]) => [
        kind,
        kind === 'clockSkewSeconds' ? chance : Math.min(0.5, 5 * chance),
      ]),
    );
    expect((await simulate({ seed, faults })).violations).toEqual([]);
  });

  it('without faults nothing is late, and the same seed is the same run', async () => {
    const [one, two] = [await simulate({ seed: 7 }), await simulate({ seed: 7 })];
    expect(two).toEqual(one);
    expect((await simulate({ seed: 8, faults: {} })).violations).toEqual([]);
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

describe('each checker sees what it is for', () => {
  it.each([...SABOTAGES, ...WORKER_SABOTAGES, ...EXPIRY_SABOTAGES])('$rule: $what', async ({ rule, options }) => {
    const rules = new Set<string>();
    for (let seed = 1; seed <= 5 && !rules.has(rule); seed += 1)
      for (const violation of (await simulate({ seed, ...options })).violations) rules.add(violation.rule);
    expect([...rules]).toContain(rule);
  });
});
