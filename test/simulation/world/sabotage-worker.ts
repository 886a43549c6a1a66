/**
 * Gross faults that an eye on a consistent end alone does not see: everything ends, and not as it must. Each stands
 * between the workers and their services, or in a service, and has the rule that catches it.
 */
import type { World } from 'celeriac/testing';
import { decodeMessage } from '../../../lib/wire/decode-message.ts';
import { encodeMessage } from '../../../lib/wire/encode-message.ts';
import type { CommitRequest } from '../../../lib/ports/backend.ts';
import type { Ports } from '../../../lib/ports/ports.ts';
import type { OutgoingMessage, SendOutcome } from '../../../lib/ports/broker.ts';
import { CURRENT_INVOCATION } from '../../../lib/testing/simulated-invocation.ts';
import { STORED_NAMES } from './edits.ts';
import { over } from './refusals.ts';
import type { Sabotage } from './sabotage.ts';

const FAILED = JSON.stringify({
  status: 'FAILURE',
  result: { exc_type: 'Error', exc_message: ['sabotage'], exc_module: null },
});

/** Successes that are written as failures. */
function failing(which: (request: CommitRequest, deliveries: number) => boolean): (ports: Ports) => Ports {
  const deliveries = new Map<string, number>();
  return (ports) => ({
    ...ports,
    backend: over(ports.backend, {
      claim: async (requests) => {
        const outcomes = await ports.backend.claim(requests);
        for (const [index, { owner }] of requests.entries()) {
          const outcome = outcomes[index];
          if (outcome?.kind === 'claimed') deliveries.set(owner, outcome.deliveries);
        }
        return outcomes;
      },
      commit: (requests) =>
        ports.backend.commit(
          requests.map((request) =>
            request.status === 'SUCCESS' && which(request, deliveries.get(request.owner) ?? 1)
              ? { ...request, status: 'FAILURE', meta: FAILED }
              : request,
          ),
        ),
    }),
  });
}

function withoutExpiry<I extends OutgoingMessage>(item: I): I {
  if (item.queue.startsWith('__') || item.deadLetter === true) return item;
  const message = decodeMessage(item.body);
  return message.expiresMs === null ? item : { ...item, body: encodeMessage({ ...message, expiresMs: null }) };
}

function neverExpires({ broker, timers }: World): void {
  const send = broker.send.bind(broker);
  broker.send = (items) => send(items.map(withoutExpiry));
  const put = timers.put.bind(timers);
  timers.put = (items) => put(items.map((timer) => ({ ...timer, message: withoutExpiry(timer.message) })));
}

/** Its function throws, whatever it is given. */
function brokenLostQueue(ports: Ports): Ports {
  const broken = <T extends object>(port: T): T =>
    new Proxy(port, {
      get: (target, key) => {
        const value: unknown = Reflect.get(target, key);
        if (typeof value !== 'function') return value;
        return (...args: readonly unknown[]): unknown => {
          if (CURRENT_INVOCATION.getStore()?.queue === '__lost__') return Promise.reject(new Error('sabotage'));
          return (value as (...given: readonly unknown[]) => unknown).apply(target, args as unknown[]);
        };
      },
    });
  return { ...ports, backend: broken(ports.backend), broker: broken(ports.broker) };
}

function answering(ports: Ports, answer: boolean): Ports {
  const terminated = async (ids: readonly string[]): Promise<boolean[]> =>
    (await ports.backend.terminated(ids)).map(() => answer);
  return { ...ports, backend: over(ports.backend, { terminated }) };
}

/** Every third message of the FIFO queue is held back until the next of its group is there. */
function swapping({ broker }: World): void {
  const send = broker.send.bind(broker);
  const held = new Map<string, OutgoingMessage>();
  let count = 0;
  broker.send = async (items) => {
    const outcomes: SendOutcome[] = [];
    for (const item of items) {
      const group = item.queue === 'orders' && item.deadLetter !== true ? item.groupId : undefined;
      const other = group === undefined ? undefined : held.get(group);
      count += group === undefined ? 0 : 1;
      if (group !== undefined && other === undefined && count % 3 === 0) {
        held.set(group, item);
        outcomes.push({ ok: true, messageId: 'held' });
        continue;
      }
      outcomes.push(...(await send([item])));
      if (group === undefined || other === undefined) continue;
      held.delete(group);
      await send([other]);
    }
    return outcomes;
  };
}

export const WORKER_SABOTAGES: readonly Sabotage[] = [
  {
    rule: 'who asks is told',
    what: 'no worker is told that a running task was revoked',
    options: { terminations: 12, wrapPorts: (ports) => answering(ports, false) },
  },
  {
    rule: 'only what is revoked is told',
    what: 'every running task is told to end',
    options: { terminations: 12, wrapPorts: (ports) => answering(ports, true) },
  },
  {
    rule: 'ends as it must',
    what: 'success after a retry is stored as FAILURE',
    options: { wrapPorts: failing(({ attempt }) => attempt > 0) },
  },
  {
    rule: 'ends as it must',
    what: 'success at a second delivery is stored as FAILURE',
    options: { wrapPorts: failing((_request, deliveries) => deliveries > 1) },
  },
  {
    rule: 'dead letters are sent',
    what: 'dead letters are never sent',
    options: {
      wrapPorts: (ports) => ({
        ...ports,
        broker: over(ports.broker, {
          send: async (items) => {
            const taken = await ports.broker.send(items.filter((item) => item.deadLetter !== true));
            let next = 0;
            return items.map((item) =>
              item.deadLetter === true
                ? { ok: true, messageId: 'nowhere' }
                : (taken[(next += 1) - 1] ?? { ok: true, messageId: 'nowhere' }),
            );
          },
        }),
      }),
    },
  },
  {
    rule: 'what has expired does not start',
    what: 'expires is never honoured',
    options: { sabotage: neverExpires },
  },
  {
    rule: 'ends as it must',
    what: 'revoke() does nothing',
    options: {
      sabotage: ({ backend }) => {
        backend.revoke = () => Promise.resolve('PENDING');
      },
    },
  },
  {
    rule: 'nothing in flight',
    what: 'the consumer of the lost queue throws',
    options: { wrapPorts: brokenLostQueue },
  },
  {
    rule: 'reached steps run',
    what: 'groups of more than 64 members throw',
    options: {
      sabotage: ({ groups }) => {
        const mark = groups.mark.bind(groups);
        groups.mark = (marks) =>
          marks.some(({ size }) => size > 64) ? Promise.reject(new Error('sabotage')) : mark(marks);
      },
    },
  },
  {
    rule: 'FIFO order',
    what: 'a FIFO queue hands out two messages in the other order',
    options: { sabotage: swapping },
  },
  {
    rule: 'FIFO order',
    what: 'every second timer of a FIFO group comes half an hour late',
    options: {
      sabotage: ({ timers }) => {
        const put = timers.put.bind(timers);
        let count = 0;
        timers.put = (items) =>
          put(
            items.map((timer) =>
              timer.message.queue === 'orders' && (count += 1) % 2 === 0
                ? { ...timer, dueMs: timer.dueMs + 1_800_000 }
                : timer,
            ),
          );
      },
    },
  },
  {
    rule: 'on time',
    what: 'what waits for a retry of hours comes a minute late',
    options: {
      sabotage: ({ timers }) => {
        const put = timers.put.bind(timers);
        timers.put = (items) =>
          put(items.map((timer) => (timer.attempt > 0 ? { ...timer, dueMs: timer.dueMs + 60_000 } : timer)));
      },
    },
  },
  {
    rule: 'no other tick runs',
    what: 'an entry that is switched off goes on',
    options: {
      sabotage: ({ app: { schedules } }) => {
        const disable = schedules.disable.bind(schedules);
        const get = schedules.get.bind(schedules);
        // Those of the app would go on for days.
        schedules.disable = async (name) =>
          STORED_NAMES.includes(name) ? ((await get(name)) as never) : disable(name);
      },
    },
  },
  {
    rule: 'reached steps run',
    what: 'a tree torn by its sender is never repaired',
    options: {
      sabotage: ({ timers }) => {
        const put = timers.put.bind(timers);
        timers.put = (items) =>
          put(items.filter(({ message }) => decodeMessage(message.body).task !== 'celeriac.repair'));
      },
    },
  },
];
