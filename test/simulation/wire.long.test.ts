/** Adapters that are wrong in one line are seen by the simulation, and more seeds than in wire.test.ts. */
import { describe, expect, it } from 'vitest';

import { BROKEN_ADAPTERS } from './wire/broken-adapters.ts';
import { overAws, overCalmAws } from './wire/over-aws.ts';
import { ALL_FAULTS, simulate } from './world/simulate.ts';

const MANY = Object.fromEntries(
  Object.entries(ALL_FAULTS).map(([kind, chance]) => [kind, kind === 'clockSkewSeconds' ? chance : 5 * chance]),
);

it('five times as many faults', async () => {
  expect((await simulate({ seed: 1, programs: 25, faults: MANY, over: overAws() })).violations).toEqual([]);
});

it('without faults nothing is late', async () => {
  expect((await simulate({ seed: 8, programs: 30, faults: {}, over: overCalmAws })).violations).toEqual([]);
});

it('seed 2, all faults', async () => {
  const report = await simulate({ seed: 2, programs: 40, over: overAws() });
  expect(report.violations).toEqual([]);
  expect(report.tasks).toBeGreaterThan(200);
  expect(report.faults.crash + report.faults.lostResponse + report.faults.partialFailure).toBeGreaterThan(10);
});

describe('an adapter that is wrong is seen', () => {
  it.each(BROKEN_ADAPTERS)('$what', async ({ rules, client, faults = MANY }) => {
    const seen = new Set<string>();
    const fits = (): boolean => rules.some((rule) => seen.has(rule));
    for (let seed = 1; seed <= 5 && !fits(); seed += 1)
      for (const { rule } of (await simulate({ seed, programs: 30, faults, over: overAws(client) })).violations)
        seen.add(rule);
    expect(fits(), [...seen].join('; ')).toBe(true);
  });
});
