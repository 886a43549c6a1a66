/** Broken promises of tasks that do not run beside themselves. */
import type { World } from 'celeriac/testing';

import type { Ports } from '../../../lib/ports/ports.ts';
import type { SlotsOutcome, SlotStore, SlotsWrite } from '../../../lib/ports/slots.ts';
import { INSTANCE_NAMES } from './instances.ts';
import { over } from './refusals.ts';
import type { Sabotage } from './sabotage.ts';

const NAMES: ReadonlySet<string> = new Set(INSTANCE_NAMES);
const FOR_EVER_MS = 30 * 86_400_000;

/** Locks whose writes go wrong; the slots of `concurrency` are as they were. */
function locks(change: (write: SlotsWrite, slots: SlotStore) => Promise<SlotsOutcome>): (ports: Ports) => Ports {
  return ({ slots, ...ports }) => ({
    ...ports,
    ...(slots && {
      slots: over(slots, {
        write: (write) => (write.key.startsWith('lock#') ? change(write, slots) : slots.write(write)),
      }),
    }),
  });
}

function toldOfNobody(): (ports: Ports) => Ports {
  let count = 0;
  return locks((write, slots) => {
    count += 1;
    if (count % 7 > 0 || write.put === undefined) return slots.write(write);
    const holders = new Map([['nobody#0', { leaseMs: Number.MAX_SAFE_INTEGER / 1000, by: 'nobody' }]]);
    return Promise.resolve({ done: false, seen: { holders } });
  });
}

/** Workers take each of these tasks for one that may run beside itself. */
function ungated({ app, faults }: World): void {
  const find = app.registry.find.bind(app.registry);
  app.registry.find = (name) => {
    const definition = find(name);
    if (definition === undefined || !faults.inInvocation || !NAMES.has(name)) return definition;
    return { ...definition, options: { ...definition.options, flow: undefined } };
  };
}

export const INSTANCE_SABOTAGES: readonly Sabotage[] = [
  {
    rule: 'not beside itself',
    what: 'every lock is free',
    options: { flow: true, wrapPorts: locks(() => Promise.resolve({ done: true })) },
  },
  { rule: 'no run without its lock', what: 'nobody asks for a lock', options: { flow: true, sabotage: ungated } },
  {
    rule: 'who is left out is left out by somebody',
    what: 'a lock is held by nobody',
    options: { flow: true, wrapPorts: toldOfNobody() },
  },
  {
    rule: 'no key is held for ever',
    what: 'locks are held for a month, and given back by nobody',
    options: {
      flow: true,
      wrapPorts: locks((write, slots) => {
        const { put } = write;
        if (put === undefined) return Promise.resolve({ done: true });
        const long = [...put].map(([name, { leaseMs, by }]) => [name, { leaseMs: leaseMs + FOR_EVER_MS, by }] as const);
        return slots.write({ ...write, put: new Map(long) });
      }),
    },
  },
];
