/** Simulations whose tasks have limits; `npm run simulate -- --flow` runs many more. */
import { expect, it } from 'vitest';

import { overAws } from './wire/over-aws.ts';
import { sabotaged } from './world/all-sabotages.ts';
import { FLOW_SABOTAGES } from './world/sabotage-flow.ts';
import { INSTANCE_SABOTAGES } from './world/sabotage-instances.ts';
import { LANE_SABOTAGES } from './world/sabotage-lanes.ts';
import { CHANGE_SABOTAGES, LOCK_SABOTAGES } from './world/sabotage-locks.ts';
import { MARK_SABOTAGES } from './world/sabotage-marks.ts';
import { simulate } from './world/simulate.ts';

it.each([1, 2])('seed %i, tasks under limits', async (seed) => {
  expect((await simulate({ seed, flow: true })).violations).toEqual([]);
});

it('without faults all are on time', async () => {
  expect((await simulate({ seed: 8, flow: true, faults: {} })).violations).toEqual([]);
});

it('over the AWS adapters', async () => {
  expect((await simulate({ seed: 5, flow: true, over: overAws() })).violations).toEqual([]);
});

// The first of each feature: all of them take three minutes. `EVERY_SABOTAGE=1 npm run test:long -- test/simulation/flow`.
const FIRST = process.env['EVERY_SABOTAGE'] === undefined ? 1 : Infinity;
const SABOTAGES = [
  FLOW_SABOTAGES,
  INSTANCE_SABOTAGES,
  MARK_SABOTAGES,
  LANE_SABOTAGES,
  LOCK_SABOTAGES,
  CHANGE_SABOTAGES,
].flatMap((ofFeature) => ofFeature.slice(0, FIRST));

it.each(SABOTAGES)('its checker sees $rule: $what', async (sabotage) => {
  expect(await sabotaged(sabotage, 12)).toContain(sabotage.rule);
});
