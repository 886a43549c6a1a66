/** What slots need of a worker. */
import { ImproperlyConfigured } from '../base/errors.ts';
import type { Ports } from '../ports/ports.ts';
import type { SlotStore } from '../ports/slots.ts';
import type { App } from '../producer/app.ts';

export interface SlotPorts extends Pick<Ports, 'broker' | 'timers' | 'clock' | 'ids' | 'random' | 'logger'> {
  readonly slots: SlotStore;
  readonly app: App;
}

/** @throws ImproperlyConfigured without a store of slots */
export function slotPorts(app: App, ports: Ports): SlotPorts {
  const { broker, timers, clock, ids, random, logger, slots } = ports;
  if (slots !== undefined) return { broker, timers, clock, ids, random, logger, slots, app };
  throw new ImproperlyConfigured(
    'A task has a concurrency, and app.use() was given no `slots`: give it a store of them.',
  );
}
