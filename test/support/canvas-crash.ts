/** Processes that die in the middle of sending and settling trees of tasks, and a broker that repeats and reorders. */
import type { Ports } from 'celeriac';
import type { World } from 'celeriac/testing';
import type { OutgoingMessage, SendOutcome } from '../../lib/ports/broker.ts';
import { type Crash, type CrashLog, dying, newCrashLog, type Tap, tapped } from './port-taps.ts';

export interface CommitLog extends CrashLog {
  /** How many runs there had been when the outcome of a task was stored. */
  readonly committedAt: Map<string, number>;
}

export function newCommitLog(): CommitLog {
  return { ...newCrashLog(), committedAt: new Map() };
}

/** Ports of one process that dies. */
export function crashingPorts(ports: Ports, crash: Crash, log: CommitLog, runs: readonly unknown[] = []): Ports {
  const die = dying(crash, log);
  const noteCommits = (args: readonly unknown[]): void => {
    for (const { id } of args[0] as readonly { readonly id: string }[])
      if (!log.committedAt.has(id)) log.committedAt.set(id, runs.length);
  };
  const tap: Tap = (name, go, args) => {
    // Its requests are the calls.
    if (name === 'broker.send') return go();
    const noted = (): unknown => {
      if (name === 'backend.commit') noteCommits(args);
      return go();
    };
    return die(name, noted, args);
  };
  const broker = { ...methodsOf(ports.broker), send: requests(ports, die) };
  return tapped({ ...ports, broker }, tap, ['backend', 'timers', 'groups', 'celeryGroups', 'broker']);
}

function methodsOf(broker: Ports['broker']): Ports['broker'] {
  return {
    send: (items) => broker.send(items),
    changeVisibility: (queue, receipt, delaySeconds) => broker.changeVisibility(queue, receipt, delaySeconds),
  };
}

/** SQS takes ten messages of one queue in a request, and a process may end between two of them. */
function requests(ports: Ports, tap: Tap): Ports['broker']['send'] {
  return async (items) => {
    const outcomes: SendOutcome[] = [];
    for (const queue of new Set(items.map((item) => item.queue))) {
      const own = items.filter((item) => item.queue === queue);
      for (let start = 0; start < own.length; start += 10) {
        const batch = own.slice(start, start + 10);
        outcomes.push(...((await tap('broker.send', () => ports.broker.send(batch), [batch])) as SendOutcome[]));
      }
    }
    // Every one of them was taken, so that their order says nothing.
    return outcomes;
  };
}

/** What a broker does to one message: how late it comes, and how late each copy of it. */
export interface MessageFaults {
  readonly delaySeconds: number;
  readonly copies: readonly number[];
}

/** From now on every message has a fate of its own. */
export function delayAndCopy(world: World, fateOf: (message: OutgoingMessage) => MessageFaults): void {
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
