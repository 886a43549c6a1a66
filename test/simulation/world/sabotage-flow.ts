/** Broken promises of flow control. */
import type { Rates } from '../../../lib/ports/rates.ts';
import type { Sabotage } from './sabotage.ts';

/** Whoever asks is the first in the line. */
const NO_LINES: Rates = {
  reserve: ({ nowMs }) => Promise.resolve({ nextMicros: nowMs * 1000 }),
  keep: ({ slot }) => Promise.resolve(slot),
  kept: () => Promise.resolve(undefined),
  setLimit: () => Promise.resolve(),
  limits: () => Promise.resolve(new Map()),
};

export const FLOW_SABOTAGES: readonly Sabotage[] = [
  {
    rule: 'no more than its rate',
    what: 'nobody takes a place in the line',
    options: { flow: true, wrapPorts: (ports) => ({ ...ports, rates: NO_LINES }) },
  },
];
