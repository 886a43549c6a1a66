import type { Ports } from 'celeriac';

/** Decides over one port call: `go` makes it. Its answer is the caller's. */
export type Tap = (call: string, go: () => unknown) => unknown;

const TAPPED = ['broker', 'backend', 'timers', 'schedules', 'rules'] as const;

/** Ports whose every call goes through a tap: to count, to hold back, to stop a process between two of them. */
export function tapped(ports: Ports, tap: Tap): Ports {
  const wrapped = TAPPED.flatMap((name) => {
    const port: object | undefined = ports[name];
    return port === undefined ? [] : [[name, tappedPort(name, port, tap)] as const];
  });
  return { ...ports, ...Object.fromEntries(wrapped) };
}

function tappedPort(name: string, port: object, tap: Tap): object {
  return new Proxy(port, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function') return value;
      if (key === 'isFifo') return value.bind(target) as unknown;
      return (...args: readonly unknown[]): unknown =>
        tap(`${name}.${String(key)}`, () => value.apply(target, args) as unknown);
    },
  });
}

/** Counts calls by name. */
export function counting(calls: string[]): Tap {
  return (call, go) => {
    calls.push(call);
    return go();
  };
}

export interface Stop {
  /** The number of the call at which the process stops; 0: never. */
  readonly call: number;
  readonly when: 'before' | 'after';
}

/** A process that ends at its n-th call, before it takes effect or before its answer arrives. */
export function stopping(stop: Stop, calls: string[]): { tap: Tap; stopped: () => boolean } {
  let over = false;
  const never = new Promise<never>(() => {});
  return {
    stopped: () => over,
    tap(call, go) {
      if (over) return never;
      calls.push(call);
      if (calls.length !== stop.call) return go();
      over = true;
      if (stop.when === 'after') void go();
      return never;
    },
  };
}

/** Several processes that take turns: each call waits until the script names its process. */
export class Turns {
  readonly #waiting: { readonly process: number; readonly go: () => void }[] = [];
  readonly calls: string[] = [];

  tap(process: number): Tap {
    return (call, go) =>
      new Promise((resolve, reject) => {
        this.#waiting.push({
          process,
          go: () => {
            this.calls.push(`${process} ${call}`);
            Promise.resolve(go()).then(resolve, reject);
          },
        });
      });
  }

  /** Lets one waiting call through; `pick` chooses among the processes that wait. False when none waits. */
  step(pick: (waiting: readonly number[]) => number): boolean {
    if (this.#waiting.length === 0) return false;
    const processes = [...new Set(this.#waiting.map(({ process }) => process))].toSorted((left, right) => left - right);
    const chosen = pick(processes);
    const index = this.#waiting.findIndex(({ process }) => process === chosen);
    this.#waiting.splice(index < 0 ? 0 : index, 1)[0]?.go();
    return true;
  }
}
