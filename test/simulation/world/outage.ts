/** A service that answers nobody for some minutes. */
import type { World } from 'celeriac/testing';
import type { Ports } from '../../../lib/ports/ports.ts';
import type { Random } from '../../../lib/base/time.ts';

const SERVICES = ['broker', 'backend', 'timers', 'groups', 'celeryGroups', 'schedules'] as const;
/** Those of flow control. */
export const FLOW_SERVICES = ['slots', 'marks', 'locks', 'rates'] as const;
const LONGEST_MS = 600_000;
// Few programs ask it: what is out for some minutes would mostly meet nobody.
const LONGEST_OF_CELERY_GROUPS_MS = 2_400_000;

/** Ports between a worker and its services, drawn from a seed: one of them is out once within `withinMs`. */
export function outage(
  random: Random,
  startMs: number,
  withinMs: number,
  world: () => World,
  services: readonly ((typeof SERVICES)[number] | (typeof FLOW_SERVICES)[number])[] = SERVICES,
): (ports: Ports) => Ports {
  const service = services[Math.floor(random.next() * services.length)] ?? 'backend';
  // Of one store there is one: workers remember what they have read by it.
  const out = new WeakMap<object, object>();
  const fromMs = startMs + random.next() * withinMs;
  const longestMs = service === 'celeryGroups' ? LONGEST_OF_CELERY_GROUPS_MS : LONGEST_MS;
  const untilMs = fromMs + 60_000 + random.next() * (longestMs - 60_000);
  const isOut = (): boolean => {
    const { clock, faults } = world();
    return faults.on && clock.nowMs() >= fromMs && clock.nowMs() < untilMs;
  };
  return (ports) => {
    const port = ports[service];
    if (port === undefined) return ports;
    const known = out.get(port) ?? faulty(port, isOut);
    out.set(port, known);
    return { ...ports, [service]: known };
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
