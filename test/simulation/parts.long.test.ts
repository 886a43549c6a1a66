/** Simulations of tasks that go on in parts; `npm run simulate -- --parts` runs many more. */
import { expect, it } from 'vitest';

import { PART_SABOTAGES } from './parts/sabotage-parts.ts';
import { simulateParts } from './parts/simulate-parts.ts';
import { MANY_FAULTS } from './world/many-faults.ts';

it.each([3, 4])('seed %i, all faults', async (seed) => {
  expect((await simulateParts({ seed })).violations).toEqual([]);
});

it('five times as many faults', async () => {
  expect((await simulateParts({ seed: 5, faults: MANY_FAULTS })).violations).toEqual([]);
});

it('over the AWS adapters', async () => {
  expect((await simulateParts({ seed: 6, aws: true })).violations).toEqual([]);
});

it.each(PART_SABOTAGES)('its checker sees $rule: $what', async ({ rule, options }) => {
  const rules = new Set<string>();
  for (let seed = 1; seed <= 20 && !rules.has(rule); seed += 1)
    for (const violation of (await simulateParts({ seed, ...options })).violations) rules.add(violation.rule);
  expect([...rules]).toContain(rule);
});
