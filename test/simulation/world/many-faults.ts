/** Five times as many faults as a run has by itself; clocks differ as they do. */
import { ALL_FAULTS } from './simulate.ts';

export const MANY_FAULTS: typeof ALL_FAULTS = Object.fromEntries(
  Object.entries(ALL_FAULTS).map(([kind, chance]) => [
    kind,
    kind === 'clockSkewSeconds' ? chance : Math.min(0.5, 5 * chance),
  ]),
) as typeof ALL_FAULTS;
