/** Counts what is asked of the store of notices and of the sender, in every worker and sweep of a world. */
import type { Ports } from '../../lib/ports/ports.ts';

export interface Counting {
  readonly asked: Record<string, number>;
  readonly wrapPorts: (ports: Ports) => Ports;
}

/** All invocations share what one process would. */
export function counting(): Counting {
  const asked: Record<string, number> = {};
  let whole: ReturnType<NonNullable<Ports['notify']>> | undefined;
  const wrapPorts = (ports: Ports): Ports => {
    const { notify } = ports;
    if (notify === undefined) return ports;
    return {
      ...ports,
      notify: () =>
        (whole ??= notify().then((told) => ({
          ...told,
          notices: counted(told.notices, asked),
          notifier: told.notifier && counted(told.notifier, asked),
        }))),
    };
  };
  return { asked, wrapPorts };
}

function counted<T extends object>(port: T, asked: Record<string, number>): T {
  return new Proxy(port, {
    get: (target, name) => {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== 'function') return value;
      return (...args: unknown[]): unknown => {
        asked[String(name)] = (asked[String(name)] ?? 0) + 1;
        return Reflect.apply(value, target, args) as unknown;
      };
    },
  });
}
