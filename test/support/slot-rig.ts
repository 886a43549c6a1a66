/** Slots in memory, with every write to them and all that is sent, in order: the protocol write by write. */
import { Celeriac, type OutgoingMessage, type SendOutcome } from 'celeriac';
import { countingIds, ManualClock } from 'celeriac/testing';

import { MemorySlots } from '../../lib/memory/memory-slots.ts';
import type { App } from '../../lib/producer/app.ts';
import type { Holder, Parked, Slots, SlotsOutcome, SlotsWrite } from '../../lib/ports/slots.ts';
import type { Timer } from '../../lib/ports/timers.ts';
import type { SlotPorts } from '../../lib/worker/slot-ports.ts';
import { checkedLines } from './log-lines.ts';

export const NOW = 1_900_000_000_000;
export const KEY = 'slots#work#';

export interface SlotRig {
  readonly ports: SlotPorts;
  readonly slots: MemorySlots;
  readonly clock: ManualClock;
  /** All that was done, in order. */
  readonly did: string[];
  readonly writes: SlotsWrite[];
  readonly sent: OutgoingMessage[];
  /** Looks of FIFO queues, which take no delay. */
  readonly stored: Timer[];
  readonly pausesMs: number[];
  readonly lines: (readonly [level: string, message: string, fields: unknown])[];
  /** How the key is to stand. */
  hold(holders: Readonly<Record<string, Holder>>, more?: Partial<Omit<SlotsWrite, 'key' | 'put'>>): Promise<void>;
  read(): Promise<Slots>;
  waiting(): Promise<string[]>;
}

export const SENT: SendOutcome = { ok: true, messageId: 'sent' };

export interface SlotFaults {
  /** Another writer is quicker, as often as this. */
  readonly overtaken?: number;
  /** The answers of so many writes are lost: they have been done. */
  readonly lostAnswers?: number;
  readonly send?: (message: OutgoingMessage) => SendOutcome | Error;
}

export function slotRig({ overtaken = 0, lostAnswers = 0, send }: SlotFaults = {}): SlotRig {
  const app = new Celeriac('slots', { queues: { default: {}, mail: {}, orders: { fifo: true } } });
  app.task('work', { concurrency: 2 }, () => 1);
  app.task('plain', () => 1);
  const clock = new ManualClock(NOW);
  const pausesMs: number[] = [];
  clock.onSleep = (ms) => Promise.resolve(void pausesMs.push(ms));
  const slots = new MemorySlots();
  const did: string[] = [];
  const writes: SlotsWrite[] = [];
  const sent: OutgoingMessage[] = [];
  const stored: Timer[] = [];
  const lines: [string, string, unknown][] = [];
  let [late, lost] = [overtaken, lostAnswers];
  const noted = <T>(name: string, answer: T): T => {
    did.push(name);
    return answer;
  };
  const store: SlotPorts['slots'] = {
    read: (key) => noted('read', slots.read(key)),
    write: async (write): Promise<SlotsOutcome> => {
      did.push('write');
      writes.push(write);
      if (late > 0) {
        late -= 1;
        return { done: false, seen: await slots.read(write.key) };
      }
      const outcome = await slots.write(write);
      if (lost === 0 || !outcome.done) return outcome;
      lost -= 1;
      return { done: false, seen: await slots.read(write.key) };
    },
    park: (key, parked, notedMs) =>
      noted(`park ${parked.map(({ holder }) => holder).join(' ')}`, slots.park(key, parked, notedMs)),
    noteLine: (key, nowMs) => slots.noteLine(key, nowMs),
    lines: (query) => slots.lines(query),
    since: (place, expiresAtSeconds) => noted(`since ${place.holder}`, slots.since(place, expiresAtSeconds)),
    line: (key, limit) => noted(`line ${limit}`, slots.line(key, limit)),
    parked: (key, place) => noted(`parked ${place.holder}`, slots.parked(key, place)),
    unpark: (key, place, token) =>
      noted(`unpark ${place.holder}${token === undefined ? '' : ` ${token}`}`, slots.unpark(key, place, token)),
    count: (key) => slots.count(key),
    lastPlace: (id) => slots.lastPlace(id),
  };
  const ports: SlotPorts = {
    slots: store,
    app: app as unknown as App,
    clock,
    ids: countingIds(),
    random: { next: () => 0.5 },
    logger: checkedLines({ log: (level, message, fields) => void lines.push([level, message, fields]) }),
    timers: {
      put: (items) => {
        did.push(...items.map(({ message }) => `store look for ${message.queue}`));
        stored.push(...items);
        return Promise.resolve([]);
      },
      eachDue: () => Promise.resolve(),
      remove: () => Promise.resolve(),
    },
    broker: {
      send: (items) => {
        did.push(...items.map(({ queue, body }) => `send ${queue} ${body.length > 20 ? 'look' : body}`));
        sent.push(...items);
        const outcomes = items.map((item): SendOutcome => {
          const outcome = send?.(item) ?? SENT;
          if (outcome instanceof Error) throw outcome;
          return outcome;
        });
        return Promise.resolve(outcomes);
      },
      changeVisibility: (queue, receipt, seconds) => {
        did.push(`show ${queue} ${receipt} ${seconds}`);
        return Promise.resolve();
      },
    },
  };
  return {
    ports,
    slots,
    clock,
    did,
    writes,
    sent,
    stored,
    pausesMs,
    lines,
    hold: async (holders, more = {}) => {
      await slots.write({
        key: KEY,
        put: new Map(Object.entries(holders)),
        expiresAtSeconds: 0,
        when: {},
        ...more,
      });
    },
    read: () => slots.read(KEY),
    waiting: async () => (await slots.line(KEY, 100)).map(({ holder }) => holder),
  };
}

/** One that waits and is to be sent; its body is its name. */
export function parked(holder: string, sinceMs = NOW - 5000, more: Partial<Parked> = {}): Parked {
  return {
    holder,
    sinceMs,
    token: `token of ${holder}`,
    grants: 0,
    wake: { kind: 'send', message: { queue: 'mail', body: holder } },
    ...more,
  };
}
