/** Ports that no test means to ask. */
import type { Wiring } from '../../lib/app/app.ts';

/** Whatever is asked of them throws, with its name. */
export function refusing(): Wiring {
  const port = (name: string): never =>
    new Proxy(
      {},
      {
        get: (_target, member) => {
          throw new Error(`${name}.${String(member)} was asked for`);
        },
      },
    ) as never;
  return {
    broker: port('broker'),
    backend: port('backend'),
    timers: port('timers'),
    groups: port('groups'),
    celeryGroups: port('celeryGroups'),
    schedules: port('schedules'),
  };
}
