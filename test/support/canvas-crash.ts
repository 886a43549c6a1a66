/** Processes that die in the middle of sending and settling trees of tasks, and a broker that repeats and reorders. */
import type { Ports } from 'celeriac';
import type { World } from 'celeriac/testing';

import type { OutgoingMessage, SendOutcome } from '../../lib/ports.ts';

export interface Crash {
  /** The number of the port call at which its process dies; 0: none does. */
  readonly call: number;
  readonly when: 'before' | 'after';
}

export interface CrashLog {
  readonly calls: string[];
  crashed: boolean;
  /** How many runs there had been when the outcome of a task was stored. */
  readonly committedAt: Map<string, number>;
}

export function newCrashLog(): CrashLog {
  return { calls: [], crashed: false, committedAt: new Map() };
}

type Call = (name: string, go: () => unknown) => unknown;

/**
 * Ports of one process. Calls are counted over all processes of a log; the one whose call has the number dies there,
 * before the call takes effect or before its answer comes, and nothing that it does afterwards has any effect.
 */
export function mortalPorts(ports: Ports, crash: Crash, log: CrashLog, runs: readonly unknown[] = []): Ports {
  const never = new Promise<never>(() => {});
  let dead = false;
  const call: Call = (name, go) => {
    if (dead) return never;
    log.calls.push(name);
    if (log.calls.length !== crash.call) return go();
    dead = true;
    log.crashed = true;
    if (crash.when === 'after') void go();
    return never;
  };
  const noteCommits = (name: string, args: readonly unknown[]): void => {
    if (name !== 'backend.commit') return;
    for (const { id } of args[0] as readonly { readonly id: string }[])
      if (!log.committedAt.has(id)) log.committedAt.set(id, runs.length);
  };
  return {
    ...ports,
    backend: mortal('backend', ports.backend, call, noteCommits),
    timers: mortal('timers', ports.timers, call),
    groups: mortal('groups', ports.groups, call),
    broker: mortal('broker', { ...methodsOf(ports.broker), send: requests(ports, call) }, (name, go) =>
      name === 'broker.send' ? go() : call(name, go),
    ),
  };
}

function methodsOf(broker: Ports['broker']): Ports['broker'] {
  return {
    send: (items) => broker.send(items),
    changeVisibility: (queue, receipt, delaySeconds) => broker.changeVisibility(queue, receipt, delaySeconds),
    isFifo: (queue) => broker.isFifo(queue),
  };
}

/** SQS takes ten messages of one queue in a request, and a process may end between two of them. */
function requests(ports: Ports, call: Call): Ports['broker']['send'] {
  return async (items) => {
    const outcomes: SendOutcome[] = [];
    for (const queue of new Set(items.map((item) => item.queue))) {
      const own = items.filter((item) => item.queue === queue);
      for (let start = 0; start < own.length; start += 10) {
        const batch = own.slice(start, start + 10);
        outcomes.push(...((await call('broker.send', () => ports.broker.send(batch))) as SendOutcome[]));
      }
    }
    // Every one of them was taken, so that their order says nothing.
    return outcomes;
  };
}

function mortal<T extends object>(
  name: string,
  port: T,
  call: Call,
  note: (name: string, args: readonly unknown[]) => void = () => {},
): T {
  return new Proxy(port, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key, target);
      if (typeof value !== 'function') return value;
      if (key === 'isFifo') return value.bind(target) as unknown;
      return (...args: readonly unknown[]): unknown =>
        call(`${name}.${String(key)}`, () => {
          note(`${name}.${String(key)}`, args);
          return value.apply(target, args) as unknown;
        });
    },
  });
}

/** What a broker does to one message: how late it comes, and how late each copy of it. */
export interface Fate {
  readonly delaySeconds: number;
  readonly copies: readonly number[];
}

/** From now on every message has a fate of its own. */
export function scramble(world: World, fateOf: (message: OutgoingMessage) => Fate): void {
  const send = world.broker.send.bind(world.broker);
  world.broker.send = async (items) => {
    const fates = items.map((item) => fateOf(item));
    const outcomes = await send(
      items.map((item, index) => ({
        ...item,
        delaySeconds: (item.delaySeconds ?? 0) + (fates[index]?.delaySeconds ?? 0),
      })),
    );
    for (const [index, item] of items.entries())
      await send((fates[index]?.copies ?? []).map((delaySeconds) => ({ ...item, delaySeconds })));
    return outcomes;
  };
}
