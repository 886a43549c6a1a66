import type { Ports } from 'celeriac';

/**
 * Ports of a process that dies at its n-th call: `before` the call takes effect, or `after` it did and
 * before the answer arrives. From then on nothing it does has any effect and nothing answers.
 */
export interface Crash {
  readonly call: number;
  readonly when: 'before' | 'after';
}

export interface CrashLog {
  calls: string[];
  crashed: boolean;
}

export function crashingPorts(ports: Ports, crash: Crash, log: CrashLog): Ports {
  const never = new Promise<never>(() => {});
  const wrap = <T extends object>(name: string, port: T): T =>
    new Proxy(port, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== 'function') return value;
        if (key === 'isFifo') return value.bind(target) as unknown;
        return (...args: unknown[]): unknown => {
          if (log.crashed) return never;
          log.calls.push(`${name}.${String(key)}`);
          const dies = log.calls.length === crash.call;
          if (dies && crash.when === 'before') {
            log.crashed = true;
            return never;
          }
          const answer: unknown = value.apply(target, args);
          if (!dies) return answer;
          log.crashed = true;
          return never;
        };
      },
    });
  return {
    ...ports,
    broker: wrap('broker', ports.broker),
    backend: wrap('backend', ports.backend),
    timers: wrap('timers', ports.timers),
  };
}
