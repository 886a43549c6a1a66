/** Broken promises of tasks that stand for a key: `unique`, `throttle` and `debounce`. */
import type { World } from 'celeriac/testing';

import type { Marks } from '../../../lib/ports/marks.ts';
import type { OutgoingMessage } from '../../../lib/ports/broker.ts';
import { decodeMessage } from '../../../lib/wire/decode-message.ts';
import type { Sabotage } from './sabotage.ts';

/** Changes the true store of marks. */
function marks(change: (marks: Marks, world: World) => Partial<Marks>): Sabotage['options'] {
  return {
    flow: true,
    sabotage: (world) => {
      const { marks: store } = world.ports;
      if (store !== undefined) Object.assign(store, change(store, world));
    },
  };
}

/** How it was before it is changed. */
function bound<K extends keyof Marks>(store: Marks, name: K): Marks[K] {
  return (store[name] as (...args: unknown[]) => unknown).bind(store) as Marks[K];
}

function isToken({ body }: OutgoingMessage): boolean {
  return decodeMessage(body).task === 'celeriac.debounce';
}

export const MARK_SABOTAGES: readonly Sabotage[] = [
  {
    rule: 'one of a key stands',
    what: 'every key is free',
    options: marks(() => ({ take: (requests) => Promise.resolve(requests.map(() => undefined)) })),
  },
  {
    rule: 'who is told an id has a task',
    what: 'a mark is taken for one whose message is sent',
    options: marks((store) => {
      const take = bound(store, 'take');
      return {
        take: async (requests) => (await take(requests)).map((mark) => mark && { ...mark, sent: true }),
      };
    }),
  },
  {
    rule: 'a duplicate is one of a task that stands',
    what: 'whoever asks for a task that stands is told nothing of its end',
    options: marks((_store, { backend, faults }) => {
      const get = backend.get.bind(backend);
      backend.get = async (ids, nowMs) => {
        const records = await get(ids, nowMs);
        // Callers alone; who checks sees what is.
        const isMarked = faults.inInvocation && ids.some((id) => id.includes('.unique '));
        return isMarked ? ids.map(() => undefined) : records;
      };
      return { clear: () => Promise.resolve() };
    }),
  },
  {
    rule: 'no key is blocked for ever',
    what: 'a key that was taken is never free again',
    options: marks((store) => {
      const take = bound(store, 'take');
      const taken = new Map<string, string>();
      return {
        take: async (requests) => {
          const stands = await take(requests);
          return stands.map((mark, index) => {
            const { key = '', id = '' } = requests[index] ?? {};
            const first = taken.get(key) ?? id;
            taken.set(key, first);
            return first === id ? mark : { id: first, sent: true, expiresMs: Infinity };
          });
        },
        clear: () => Promise.resolve(),
      };
    }),
  },
  {
    rule: 'the last arguments run',
    what: 'calls join, and what they bring is dropped',
    options: marks(() => ({ join: () => Promise.resolve(true) })),
  },
  {
    rule: 'who is told an id has a task',
    what: 'calls that are sealed and were not sent are replaced by the next one',
    options: marks((store) => {
      const episode = bound(store, 'episode');
      const close = bound(store, 'close');
      return {
        // As if none had ever stood there.
        episode: async (key) => {
          const stands = await episode(key);
          if (stands?.sealed !== true) return stands;
          await close({ key, id: stands.id });
          return undefined;
        },
      };
    }),
  },
  {
    rule: 'calls that come together run once',
    what: 'whoever calls begins anew',
    options: marks((store) => {
      const close = bound(store, 'close');
      const episode = bound(store, 'episode');
      return {
        episode: async (key) => {
          const stands = await episode(key);
          if (stands !== undefined) await close({ key, id: stands.id });
          return undefined;
        },
      };
    }),
  },
  {
    rule: 'debounced in time',
    what: 'each call puts it off, however long',
    options: {
      ...marks((store) => {
        const join = bound(store, 'join');
        return { join: (request) => join({ ...request, dueMs: request.dueMs + 60_000 }) };
      }),
      faults: {},
    },
  },
  {
    rule: 'debounced in time',
    what: 'tokens come ten minutes late',
    options: {
      flow: true,
      faults: {},
      sabotage: ({ broker }) => {
        const send = broker.send.bind(broker);
        broker.send = (items) =>
          send(items.map((item) => (isToken(item) ? { ...item, delaySeconds: (item.delaySeconds ?? 0) + 600 } : item)));
      },
    },
  },
];
