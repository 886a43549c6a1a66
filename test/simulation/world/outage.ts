/** A service that answers nobody for some minutes. */
import type { World } from 'celeriac/testing';
import type { Ports } from '../../../lib/ports/ports.ts';
import type { Random } from '../../../lib/base/time.ts';

const SERVICES = ['broker', 'backend', 'timers', 'groups', 'celeryGroups', 'schedules'] as const;
const LONGEST_MS = 600_000;
// Few programs ask it: what is out for some minutes would mostly meet nobody.
const LONGEST_OF_CELERY_GROUPS_MS = 2_400_000;

/** Ports between a worker and its services, drawn from a seed: one of them is out once within `withinMs`. */
export function outage(random: Random, startMs: number, withinMs: number, world: () => World): (ports: Ports) => Ports {
  const service = SERVICES[Math.floor(random.next() * SERVICES.length)] ?? 'backend';
  const fromMs = startMs + random.next() * withinMs;
  const longestMs = service === 'celeryGroups' ? LONGEST_OF_CELERY_GROUPS_MS : LONGEST_MS;
  const untilMs = fromMs + 60_000 + random.next() * (longestMs - 60_000);
  const isOut = (): boolean => {
    const { clock, faults } = world();
    return faults.on && clock.nowMs() >= fromMs && clock.nowMs() < untilMs;
  };
  return (ports) => {
    const port = ports[service];
    return port === undefined ? ports : { ...ports, [service]: faulty(port, isOut) };
  };
}

function faulty<T extends object>(port: T, isOut: () => boolean): T {
  return new Proxy(port, {
    get: (target, key) => {
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== 'function') return value;
      return (...args: readonly unknown[]): unknown =>
        isOut()
          ? Promise.reject(Object.assign(new Error('outage'), { name: 'ServiceUnavailable' }))
          : (value as (...given: readonly unknown[]) => unknown).apply(target, args as unknown[]);
    },
  });
}
