import type { Ports } from 'celeriac';

/** Decides over one port call: `go` makes it. Its answer is the caller's. */
export type Tap = (call: string, go: () => unknown, args: readonly unknown[]) => unknown;

type PortName =
  | 'broker'
  | 'backend'
  | 'timers'
  | 'schedules'
  | 'groups'
  | 'celeryGroups'
  | 'rules'
  | 'marks'
  | 'history';
const TAPPED: readonly PortName[] = ['broker', 'backend', 'timers', 'schedules', 'rules'];

/** Ports whose every call goes through a tap: to count, to hold back, to stop a process between two of them. */
export function tapped(ports: Ports, tap: Tap, names: readonly PortName[] = TAPPED): Ports {
  const wrapped = names.flatMap((name) => {
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
      return (...args: readonly unknown[]): unknown =>
        tap(`${name}.${String(key)}`, () => value.apply(target, args) as unknown, args);
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

export interface Crash {
  /** The number of the call at which its process dies; 0: none does. */
  readonly call: number;
  readonly when: 'before' | 'after';
}

export const NO_CRASH: Crash = { call: 0, when: 'before' };

export interface CrashLog {
  readonly calls: string[];
  crashed: boolean;
}

export function newCrashLog(): CrashLog {
  return { calls: [], crashed: false };
}

/**
 * One process. Calls are counted over all processes of a log; the one whose call has the number dies there, before the
 * call takes effect or before its answer comes, and nothing that it does afterwards has any effect.
 */
export function dying(crash: Crash, log: CrashLog): Tap {
  const never = new Promise<never>(() => {});
  let dead = false;
  return (call, go) => {
    if (dead) return never;
    log.calls.push(call);
    if (log.calls.length !== crash.call) return go();
    dead = true;
    log.crashed = true;
    if (crash.when === 'after') void go();
    return never;
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
