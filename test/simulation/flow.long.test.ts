/** Simulations whose tasks have limits; `npm run simulate -- --flow` runs many more. */
import { expect, it } from 'vitest';

import { FLOW_SABOTAGES } from './world/sabotage-flow.ts';
import { simulate } from './world/simulate.ts';

it.each([1, 2, 3, 4])('seed %i, tasks under limits', async (seed) => {
  expect((await simulate({ seed, flow: true })).violations).toEqual([]);
});

it.each(FLOW_SABOTAGES)('its checker sees $rule: $what', async ({ rule, options }) => {
  const rules = new Set<string>();
  for (let seed = 1; seed <= 5 && !rules.has(rule); seed += 1)
    for (const violation of (await simulate({ seed, ...options })).violations) rules.add(violation.rule);
  expect([...rules]).toContain(rule);
});
