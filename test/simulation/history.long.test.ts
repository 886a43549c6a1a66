/** Simulations whose history is kept and compared; `npm run simulate -- --history` runs many more. */
import { expect, it } from 'vitest';

import { overAws } from './wire/over-aws.ts';
import { HISTORY_SABOTAGES } from './world/sabotage-history.ts';
import { simulate } from './world/simulate.ts';

it.each([1, 9])('seed %i, with a history', async (seed) => {
  expect((await simulate({ seed, history: true })).violations).toEqual([]);
});

it.each([3, 5])('seed %i, over the AWS adapters', async (seed) => {
  expect((await simulate({ seed, history: true, over: overAws() })).violations).toEqual([]);
});

it.each(HISTORY_SABOTAGES)('its checker sees $rule: $what', async ({ rule, options }) => {
  const rules = new Set<string>();
  for (let seed = 1; seed <= 5 && !rules.has(rule); seed += 1)
    for (const violation of (await simulate({ seed, ...options })).violations) rules.add(violation.rule);
  expect([...rules]).toContain(rule);
});
