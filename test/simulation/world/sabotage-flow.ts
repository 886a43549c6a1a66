/** Broken promises of flow control. */
import type { Rates } from '../../../lib/ports/rates.ts';
import type { SlotStore } from '../../../lib/ports/slots.ts';
import type { Sabotage } from './sabotage.ts';

/** Whoever asks is the first in the line. */
const NO_LINES: Rates = {
  reserve: ({ nowMs }) => Promise.resolve({ nextMicros: nowMs * 1000 }),
  keep: ({ slot }) => Promise.resolve(slot),
  kept: () => Promise.resolve(undefined),
  setLimit: () => Promise.resolve(),
  limits: () => Promise.resolve(new Map()),
};

/** Whoever asks holds what he asks for. */
function endless(slots: SlotStore | undefined): SlotStore | undefined {
  return (
    slots &&
    new Proxy(slots, {
      get: (target, name) =>
        name === 'write'
          ? (): Promise<{ readonly done: true }> => Promise.resolve({ done: true })
          : (Reflect.get(target, name) as (...args: unknown[]) => unknown).bind(target),
    })
  );
}

export const FLOW_SABOTAGES: readonly Sabotage[] = [
  {
    rule: 'no more than its rate',
    what: 'nobody takes a place in the line',
    options: { flow: true, wrapPorts: (ports) => ({ ...ports, rates: NO_LINES }) },
  },
  {
    rule: 'no more at once',
    what: 'every slot is free',
    options: { flow: true, wrapPorts: (ports) => ({ ...ports, slots: endless(ports.slots) }) },
  },
];
