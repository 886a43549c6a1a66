/** Broken promises of tasks in parts: what the checkers must see. */
import type { World } from 'celeriac/testing';

import { RETRY } from '../../../lib/base/states.ts';
import type { Backend, ClaimOutcome, CommitRequest, UpdateOutcome, UpdateRequest } from '../../../lib/ports/backend.ts';
import type { SlotsOutcome, SlotsWrite } from '../../../lib/ports/slots.ts';
import type { OutgoingMessage } from '../../../lib/ports/broker.ts';
import { decodeMessage } from '../../../lib/wire/decode-message.ts';
import { encodeMessage } from '../../../lib/wire/encode-message.ts';
import type { PartSimulation } from './simulate-parts.ts';

export interface PartSabotage {
  readonly rule: string;
  readonly what: string;
  readonly options: Partial<PartSimulation>;
}

function changed<T extends object>(port: T, change: Partial<T>): T {
  return new Proxy(port, {
    get: (target, key) => {
      const value: unknown = Reflect.get(change, key) ?? Reflect.get(target, key);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

/** What workers ask of their store, changed on the way. */
function asking(change: (backend: Backend) => Partial<Backend>): Partial<PartSimulation> {
  return { wrapPorts: (ports) => ({ ...ports, backend: changed(ports.backend, change(ports.backend)) }) };
}

const claims = (change: (outcome: ClaimOutcome) => ClaimOutcome): Partial<PartSimulation> =>
  asking((backend) => ({ claim: async (requests) => (await backend.claim(requests)).map(change) }));

const commits = (change: (request: CommitRequest) => CommitRequest): Partial<PartSimulation> =>
  asking((backend) => ({ commit: (requests) => backend.commit(requests.map(change)) }));

/** What stood there before the last one. */
function stale(): Partial<PartSimulation> {
  const past = new Map<string, string>();
  const last = new Map<string, string>();
  return asking((backend) => ({
    claim: async (requests) =>
      (await backend.claim(requests)).map((outcome, index) => {
        const id = requests[index]?.id ?? '';
        if (outcome.kind !== 'claimed' || outcome.checkpoint === undefined) return outcome;
        if (last.get(id) !== outcome.checkpoint) past.set(id, last.get(id) ?? '');
        last.set(id, outcome.checkpoint);
        return { ...outcome, checkpoint: past.get(id) ?? '' };
      }),
  }));
}

function sending(change: (item: OutgoingMessage) => readonly OutgoingMessage[]): Partial<PartSimulation> {
  return {
    sabotage: ({ broker }: World) => {
      const send = broker.send.bind(broker);
      broker.send = async (items) =>
        (await Promise.all(items.map((item) => send(change(item))))).map(
          ([first]) => first ?? { ok: true, messageId: 'nowhere' },
        );
    },
  };
}

/** Slots that are gone at a moment of their task that `when` tells. */
function losingSlots(when: (of: Moment) => boolean): Partial<PartSimulation> {
  const held = new Map<string, { readonly key: string; readonly holder: string }>();
  return {
    wrapPorts: ({ slots, backend, ...ports }) => {
      const lose = async ({ id }: { readonly id: string }): Promise<void> => {
        const { key = '', holder = '' } = held.get(id) ?? {};
        if (held.delete(id)) await slots?.write({ key, remove: [holder], expiresAtSeconds: EVER_SECONDS, when: {} });
      };
      const commit = async (requests: readonly CommitRequest[]): Promise<boolean[]> => {
        const parts = requests.filter(({ final, checkpoint }) => !final && checkpoint !== undefined);
        try {
          const stand = await backend.commit(requests);
          if (when('commit')) await Promise.all(parts.map(lose));
          return stand;
        } catch (error) {
          if (when('no answer')) await Promise.all(parts.map(lose));
          throw error;
        }
      };
      const update = async (request: UpdateRequest): Promise<UpdateOutcome> => {
        const outcome = await backend.update(request);
        const { checkpoint = '' } = request as { readonly checkpoint?: string };
        if (when('in FIFO') && checkpoint.includes('"back":true')) await lose(request);
        return outcome;
      };
      const write = (request: SlotsWrite): Promise<SlotsOutcome> => {
        for (const holder of request.put?.keys() ?? [])
          held.set(holder.split('#')[0] ?? '', { key: request.key, holder });
        return slots?.write(request) as Promise<SlotsOutcome>;
      };
      return {
        ...ports,
        backend: changed(backend, { commit, update }),
        ...(slots && { slots: changed(slots, { write }) }),
      };
    },
  };
}

type Moment = 'commit' | 'no answer' | 'in FIFO';
const EVER_SECONDS = 2_500_000_000;

const isPart = ({ body }: OutgoingMessage): boolean => (decodeMessage(body).celeriac.part ?? 0) > 0;

const isUpdate = (request: UpdateRequest): boolean => 'checkpoint' in request;

export const PART_SABOTAGES: readonly PartSabotage[] = [
  {
    rule: 'a part begins with the last checkpoint',
    what: 'a part begins with the checkpoint before the last',
    options: stale(),
  },
  {
    rule: 'what is answered is stored',
    what: 'checkpoints are answered, and not written',
    options: asking((backend) => ({
      update: (request) => (isUpdate(request) ? Promise.resolve('stored') : backend.update(request)),
    })),
  },
  {
    rule: 'no checkpoint is lost',
    what: 'a failure takes the checkpoint away',
    options: commits((request) => (request.final ? { ...request, checkpoint: '' } : request)),
  },
  {
    rule: 'what has succeeded keeps no checkpoint',
    what: 'a success leaves the checkpoint',
    options: commits(({ checkpoint, ...request }) =>
      checkpoint === '' || checkpoint === undefined ? request : { ...request, checkpoint },
    ),
  },
  {
    rule: 'every task ends',
    what: 'messages of later parts get lost',
    options: sending((item) => (isPart(item) ? [] : [item])),
  },
  {
    rule: 'a part is no retry',
    what: 'a part is sent as a retry',
    options: sending((item) => {
      if (!isPart(item)) return [item];
      const message = decodeMessage(item.body);
      const { part: _part, ...celeriac } = message.celeriac;
      return [{ ...item, body: encodeMessage({ ...message, celeriac, retries: message.retries + 1 }) }];
    }),
  },
  {
    rule: 'each ends as it must',
    what: 'workers that die are counted over all parts',
    options: claims((outcome) =>
      outcome.kind === 'claimed' && outcome.checkpoint !== undefined
        ? { ...outcome, deliveries: outcome.deliveries + 3 }
        : outcome,
    ),
  },
  {
    rule: 'parts are counted',
    what: 'parts are not counted',
    options: claims((outcome) =>
      outcome.kind === 'claimed' && outcome.checkpoint !== undefined && outcome.checkpoint !== ''
        ? { ...outcome, checkpoint: outcome.checkpoint.replace(/"part":\d+/, '"part":2') }
        : outcome,
    ),
  },
  {
    rule: 'a line is held between two parts',
    what: "what a part leaves to the next one is anybody's",
    options: losingSlots((moment) => moment === 'commit'),
  },
  {
    rule: 'a line is held between two parts',
    what: 'in a FIFO queue a part gives its slot back with its message',
    options: losingSlots((moment) => moment === 'in FIFO'),
  },
  {
    rule: 'a line is held between two parts',
    what: 'a part whose commit gets no answer gives its slot back',
    options: { ...losingSlots((moment) => moment === 'no answer'), faults: { lostResponse: 0.1 } },
  },
  {
    rule: 'the last part goes on as no other',
    what: 'a part that is cut off goes on, whatever maxParts says',
    options: commits((request) =>
      request.final && request.meta?.includes('TimeLimitExceeded') === true
        ? { ...request, status: RETRY, final: false }
        : request,
    ),
  },
];
