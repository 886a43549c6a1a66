/** One broken promise for each checker: what it must see. */
import type { World } from 'celeriac/testing';
import { decodeMessage } from '../../../lib/wire/decode-message.ts';
import { encodeMessage } from '../../../lib/wire/encode-message.ts';
import type { ClaimOutcome } from '../../../lib/ports/backend.ts';
import type { OutgoingMessage, SendOutcome } from '../../../lib/ports/broker.ts';
import { derivedId } from '../../../lib/base/ids.ts';
import { ALL_FAULTS, type SimulationOptions } from './simulate.ts';

export interface Sabotage {
  readonly rule: string;
  readonly what: string;
  readonly options: Partial<SimulationOptions>;
}

/** Changes what goes out; every tenth message by default. */
function sending(change: (item: OutgoingMessage) => readonly OutgoingMessage[], every = 10): (world: World) => void {
  return (world) => {
    const { broker } = world;
    const send = broker.send.bind(broker);
    let count = 0;
    broker.send = async (items) => {
      const outcomes: SendOutcome[] = [];
      for (const item of items) {
        count += 1;
        const changed = count % every === 0 ? change(item) : [item];
        const sent = await send(changed);
        outcomes.push(sent[0] ?? { ok: true, messageId: 'nowhere' });
      }
      return outcomes;
    };
  };
}

function renamed(item: OutgoingMessage): OutgoingMessage {
  const message = decodeMessage(item.body);
  return { ...item, body: encodeMessage({ ...message, id: derivedId(`${message.id}?`) }) };
}

const taskOf = (item: OutgoingMessage): string => decodeMessage(item.body).task;

const WON: ClaimOutcome = { kind: 'claimed', deliveries: 1, requeues: 0 };

function claims(change: 'always' | 'first'): (world: World) => void {
  return ({ backend }) => {
    const claim = backend.claim.bind(backend);
    // A few are enough: what runs again sends again, and all of it would run for ever.
    let left = 20;
    backend.claim = async (requests) =>
      (await claim(requests)).map((outcome) => {
        if (change === 'always') return outcome.kind === 'finished' && (left -= 1) > 0 ? WON : outcome;
        return outcome.kind === 'claimed' ? { ...outcome, deliveries: 1 } : outcome;
      });
  };
}

export const SABOTAGES: readonly Sabotage[] = [
  { rule: 'run after commit', what: 'every claim is won', options: { sabotage: claims('always') } },
  {
    rule: 'acksLate: false runs once',
    what: 'deliveries are not counted',
    options: { sabotage: claims('first'), programs: 200 },
  },
  {
    rule: 'only the owner commits',
    what: 'a commit asks for no owner',
    options: {
      // An owner that stood still while another one took over is who commits late.
      faults: { ...ALL_FAULTS, freeze: 0.01 },
      sabotage: ({ backend }) => {
        backend.commit = (requests) => Promise.resolve(requests.map(() => true));
      },
    },
  },
  {
    rule: 'one final state',
    what: 'a conclusion overwrites',
    options: {
      sabotage: ({ backend }) => {
        backend.conclude = (requests) => Promise.resolve(requests.map(() => ({ kind: 'concluded' })));
      },
    },
  },
  {
    rule: 'never early',
    what: 'clocks differ by ten minutes',
    options: { faults: { clockSkewSeconds: 600 }, toleratedSkewSeconds: 2 },
  },
  {
    rule: 'on time',
    what: 'SQS is ten seconds late',
    options: {
      faults: {},
      sabotage: sending(
        (item) => [taskOf(item) === 'tick' ? { ...item, delaySeconds: (item.delaySeconds ?? 0) + 10 } : item],
        1,
      ),
    },
  },
  { rule: 'every task ends', what: 'messages get lost', options: { sabotage: sending(() => [], 40) } },
  { rule: 'reached steps run', what: 'messages get lost', options: { sabotage: sending(() => [], 40) } },
  {
    rule: 'links follow ends',
    what: 'links get lost',
    options: { sabotage: sending((item) => (taskOf(item) === 'linked' ? [] : [item]), 1) },
  },
  {
    rule: 'one task per place',
    what: 'a duplicate has another id',
    options: {
      sabotage: sending((item) => [item, renamed(item)]),
    },
  },
  {
    rule: 'right values in order',
    what: 'results come in another order',
    options: {
      sabotage: ({ backend, faults }) => {
        const get = backend.get.bind(backend);
        backend.get = async (ids, nowMs) => {
          const records = await get(ids, nowMs);
          return faults.inInvocation ? records.toReversed() : records;
        };
      },
    },
  },
  {
    rule: 'nothing runs after a failure',
    what: 'failed members are taken for good ones',
    options: {
      sabotage: ({ groups }) => {
        const mark = groups.mark.bind(groups);
        groups.mark = async (marks) => (await mark(marks)).map((outcome) => ({ ...outcome, failed: false }));
      },
    },
  },
  {
    rule: 'every tick runs',
    what: 'an entry is not written, and its mark is dropped',
    options: {
      // Who edits entries finds out at once that they are not there.
      wide: false,
      sabotage: ({ schedules }) => {
        const write = schedules.write.bind(schedules);
        let count = 0;
        schedules.write = (items) => ((count += 1) > 20 ? Promise.resolve(items.map(() => true)) : write(items));
      },
    },
  },
  {
    rule: 'a tick is one task',
    what: 'a tick is sent under another id as well',
    options: { sabotage: sending((item) => (taskOf(item) === 'tick' ? [item, renamed(item)] : [item]), 1) },
  },
  {
    rule: 'nothing in flight',
    what: 'a timer is not fired for a month',
    options: {
      programs: 10,
      sabotage: ({ timers, clock }) => {
        const message = { queue: 'default', body: '{}' };
        void timers.put([{ id: 'stuck', attempt: 0, dueMs: clock.nowMs() + 30 * 86_400_000, message }]);
      },
    },
  },
  {
    rule: 'dead letters are explained',
    what: 'a copy of a good message lands in the dead-letter queue',
    options: {
      sabotage: sending((item) => (item.deadLetter === true ? [item] : [item, { ...item, deadLetter: true }])),
    },
  },
];
