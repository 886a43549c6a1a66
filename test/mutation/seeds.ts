/**
 * A few seeds of the simulation, as one quick test file for `npm run mutate`: whole programs under faults, tasks with limits, and the
 * adapters of AWS. `npm test` has more of them, but between checks of the checkers, which every mutant would wait for.
 */
import { expect, it } from 'vitest';

import { overAws } from '../simulation/wire/over-aws.ts';
import { simulate, type SimulationOptions } from '../simulation/world/simulate.ts';

it.each<SimulationOptions>([
  { seed: 1 },
  { seed: 2 },
  { seed: 3, programs: 40, flow: true },
  { seed: 1, programs: 30, over: overAws() },
])('seed $seed, $programs programs', async (options) => {
  expect((await simulate(options)).violations).toEqual([]);
});
