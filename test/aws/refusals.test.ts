/**
 * What the services refuse for good: told at once, in as many requests as the call has things to ask, and never taken
 * for something that passes. And batches that are answered entry by entry: each entry has its own fate.
 */
import { createHash } from 'node:crypto';
import { Celeriac, silentLogger } from 'celeriac';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connect, type Connected } from '../../lib/aws/connect.ts';
import { isPassing } from '../../lib/base/passing.ts';
import type { ClaimRequest } from '../../lib/ports/backend.ts';
import { slotsKey } from '../../lib/ports/slot-keys.ts';
import type { Parked } from '../../lib/ports/slots.ts';
import type { Environment } from '../../lib/options/manifest.ts';
import { systemClock, systemRandom } from '../../lib/base/time.ts';
import { always, DAMAGED, refused } from '../support/fault-kinds.ts';
import { type Servers, startServers } from '../support/servers.ts';
import { clientsOver, type Fault, FaultyService, type Plan } from '../support/service-faults.ts';

const NOW = 1_900_000_000_000;
const TTL = NOW / 1000 + 86_400;
const TIMER = { id: 'a', attempt: 0, dueMs: NOW, message: { queue: 'default', body: 'body' } };
const ENTRY = { name: 'entry', revision: 1, nextDueMs: NOW, document: '{}' };
const CLAIM: ClaimRequest = {
  id: 'a',
  attempt: 0,
  owner: 'first',
  nowMs: NOW,
  leaseMs: NOW + 60_000,
  name: 'task',
  queue: 'default',
  meta: '{}',
  expiresAtSeconds: TTL,
};
const COMMIT = { ...CLAIM, status: 'SUCCESS', final: true };
const GROUP = { groupId: 'g', memberIds: ['a', 'b'], chord: true, nowMs: NOW, expiresAtSeconds: TTL };
const MARKED = { key: 'task#', id: 'a', nowMs: NOW, expiresMs: NOW + 1000 };
const EPISODE = { id: 'a', firstMs: NOW, dueMs: NOW, message: { queue: 'default', body: 'body' }, sealed: false };
const MARK = { groupId: 'g', index: 0, size: 2, failed: false, expiresAtSeconds: TTL };
const SLOTS = slotsKey('task#');
const HOLDER = { leaseMs: NOW, by: 'owner' };
const PARKED: Parked = {
  sinceMs: NOW,
  holder: 'a#0',
  token: 'token',
  wake: { kind: 'show', queue: 'default', receipt: 'receipt' },
  grants: 0,
};

const CALLS: Readonly<Record<string, (ports: Connected) => Promise<unknown>>> = {
  'backend.claim': ({ backend }) => backend.claim([CLAIM]),
  'backend.claim of two': ({ backend }) => backend.claim([CLAIM, { ...CLAIM, id: 'b' }]),
  'backend.commit': ({ backend }) => backend.commit([COMMIT]),
  'backend.commit of two': ({ backend }) => backend.commit([COMMIT, { ...COMMIT, id: 'b' }]),
  'backend.release': ({ backend }) => backend.release(CLAIM),
  'backend.noteSettled': ({ backend }) => backend.noteSettled(CLAIM),
  'backend.update': ({ backend }) => backend.update({ ...CLAIM, status: 'PROGRESS' }),
  'backend.conclude': ({ backend }) => backend.conclude([{ ...CLAIM, status: 'FAILURE' }]),
  'backend.revoke': ({ backend }) => backend.revoke(CLAIM),
  'backend.get': ({ backend }) => backend.get(['a'], NOW),
  'backend.get of two': ({ backend }) => backend.get(['a', 'b'], NOW),
  'backend.forget': ({ backend }) => backend.forget(['a']),
  'timers.put': ({ timers }) => timers.put([TIMER]),
  'timers.eachDue': ({ timers }) => timers.eachDue({ untilMs: NOW, limit: 10, parts: [0] }, () => Promise.resolve()),
  'timers.remove': ({ timers }) => timers.remove([TIMER]),
  'schedules.read': ({ schedules }) => schedules.read(['entry']),
  'schedules.list': ({ schedules }) => schedules.list(undefined, 10),
  'schedules.eachDue': ({ schedules }) => schedules.eachDue(NOW, 10, (due) => Promise.resolve(due)),
  'schedules.write': ({ schedules }) => schedules.write([ENTRY]),
  'schedules.write of two': ({ schedules }) => schedules.write([ENTRY, { ...ENTRY, name: 'other' }]),
  'schedules.remove': ({ schedules }) => schedules.remove('entry', 1),
  'groups.mark': ({ groups }) => groups.mark([MARK]),
  'groups.count': ({ groups }) => groups.count('g'),
  'groups.define': ({ groups }) =>
    groups.define({ groupId: 'g', size: 1, createdMs: NOW, definition: '{}', expiresAtSeconds: TTL }),
  'groups.definition': ({ groups }) => groups.definition('g', NOW),
  'groups.forget': ({ groups }) => groups.forget('g'),
  'celeryGroups.define': ({ celeryGroups }) => celeryGroups.define(GROUP),
  'celeryGroups.members': ({ celeryGroups }) => celeryGroups.members('g', NOW),
  'celeryGroups.count': ({ celeryGroups }) => celeryGroups.count({ groupId: 'g', index: 0, expiresAtSeconds: TTL }),
  'celeryGroups.close': ({ celeryGroups }) => celeryGroups.close('g'),
  'celeryGroups.forget': ({ celeryGroups }) => celeryGroups.forget('g'),
  'marks.take': ({ marks }) => marks.take([MARKED]),
  'marks.take of two': ({ marks }) => marks.take([MARKED, { ...MARKED, key: 'task#b' }]),
  'marks.noteSent': ({ marks }) => marks.noteSent([MARKED]),
  'marks.noteSent of two': ({ marks }) => marks.noteSent([MARKED, { ...MARKED, key: 'task#b' }]),
  'marks.clear': ({ marks }) => marks.clear([MARKED]),
  'marks.episode': ({ marks }) => marks.episode('task#'),
  'marks.open': ({ marks }) => marks.open('task#', EPISODE),
  'marks.join': ({ marks }) => marks.join({ ...MARKED, ...EPISODE }),
  'marks.noteToken': ({ marks }) => marks.noteToken(MARKED, NOW),
  'marks.seal': ({ marks }) => marks.seal(MARKED, NOW),
  'marks.close': ({ marks }) => marks.close(MARKED),
  'locks.acquire': ({ locks }) => locks.acquire({ key: 'k', owner: 'o', nowMs: NOW, untilMs: NOW + 1 }),
  'locks.renew': ({ locks }) => locks.renew({ key: 'k', owner: 'o', nowMs: NOW, untilMs: NOW + 1 }),
  'locks.release': ({ locks }) => locks.release({ key: 'k', owner: 'o' }),
  'locks.free': ({ locks }) => locks.free('k', undefined),
  'locks.held': ({ locks }) => locks.held(NOW, 10),
  'rates.reserve': ({ rates }) => rates.reserve({ key: 'task#', count: 1, paceMicros: 1000, nowMs: NOW }),
  'rates.keep': ({ rates }) =>
    rates.keep({ id: 'a', attempt: 0, slot: { slotMicros: 1, paceMicros: 1, lates: 0 }, expiresAtSeconds: TTL }),
  'rates.kept': ({ rates }) => rates.kept('a', 0),
  'slots.read': ({ slots }) => slots.read(SLOTS),
  'slots.write': ({ slots }) =>
    slots.write({ key: SLOTS, put: new Map([['a#0', HOLDER]]), expiresAtSeconds: TTL, when: { atMost: 0 } }),
  'slots.park': ({ slots }) => slots.park(SLOTS, [PARKED]),
  'slots.since': ({ slots }) => slots.since(PARKED, TTL),
  'slots.line': ({ slots }) => slots.line(SLOTS, 10),
  'slots.lastPlace': ({ slots }) => slots.lastPlace('t-1'),
  'slots.parked': ({ slots }) => slots.parked(SLOTS, PARKED),
  'slots.unpark': ({ slots }) => slots.unpark(SLOTS, PARKED, 'token'),
  'slots.noteLine': ({ slots }) => slots.noteLine(SLOTS, 0),
  'slots.lines': ({ slots }) => slots.lines({ nowMs: 0, limit: 10 }),
  'slots.count': ({ slots }) => slots.count(SLOTS),
  'broker.changeVisibility': ({ broker }) => broker.changeVisibility('default', 'receipt', 0),
};

const FOR_GOOD = [
  'AccessDeniedException',
  'ValidationException',
  'ResourceNotFoundException',
  'UnrecognizedClientException',
  'ItemCollectionSizeLimitExceededException',
] as const;
const THAT_PASS = ['ThrottlingException', 'TransactionInProgressException', 'ExpiredTokenException'] as const;
// Two things to ask, a batch that is asked for both first, and 8 tries of the SDK.
const MOST_REQUESTS = { forGood: 3, thatPass: 3 * 8 };

let servers: Servers;
let environment: Environment;
let service: FaultyService;
beforeAll(async () => {
  servers = await startServers();
  environment = await servers.provision(
    new Celeriac('refusals', { queues: { default: {}, orders: { fifo: true } }, logger: silentLogger }),
  );
});
afterAll(() => servers.stop());
beforeEach(() => {
  service = new FaultyService(() => undefined);
});

function portsOver(plan: Plan): Connected {
  service = new FaultyService(plan);
  const clients = clientsOver(service, servers.endpoints);
  return connect(environment, { clock: systemClock, random: systemRandom }, clients);
}

async function errorOf(run: Promise<unknown>): Promise<Error | undefined> {
  try {
    await run;
    return undefined;
  } catch (error) {
    return error as Error;
  }
}

describe.each(Object.entries(CALLS))('%s', (_name, run) => {
  it('tells what was refused for good, and asks no more', async () => {
    for (const type of FOR_GOOD) {
      const error = await errorOf(run(portsOver(always(refused(type)))));
      expect(error?.name, type).toBe(type);
      expect(isPassing(error), type).toBe(false);
      expect(service.requests.length, type).toBeLessThanOrEqual(MOST_REQUESTS.forGood);
    }
  });

  it('tells what may pass, after as many tries as there are', async () => {
    for (const type of THAT_PASS) {
      const error = await errorOf(run(portsOver(always(refused(type)))));
      expect(error?.name, type).toBe(type);
      expect(isPassing(error), type).toBe(true);
      expect(service.requests.length, type).toBeLessThanOrEqual(MOST_REQUESTS.thatPass);
    }
  });
});

describe('damage on the wire', () => {
  it.each(Object.entries(CALLS).filter(([name]) => !name.startsWith('broker.')))(
    '%s: an answer that nobody can read may pass',
    async (_name, run) => {
      const cut: Fault = () => Promise.resolve({ status: 200, body: {}, arrives: '{"Item' });
      expect(isPassing(await errorOf(run(portsOver(always(cut)))))).toBe(true);
    },
  );

  it.each([1, 3])(
    '%i messages: an answer that breaks off, or has another digest than the message, may pass',
    async (count) => {
      const cut: Fault = () => Promise.resolve({ status: 200, body: {}, arrives: '{"MessageId' });
      for (const fault of [cut, DAMAGED]) {
        const ports = portsOver(always(fault));
        const { broker = ports.broker } = await ports.forCall({ broker: ports.broker }, 10);
        const items = Array.from({ length: count }, (_, index) => ({ queue: 'default', body: `damaged ${index}` }));
        for (const outcome of [...(await ports.broker.send(items)), ...(await broker.send(items))])
          expect(outcome).toMatchObject({ ok: false, retryable: true });
      }
    },
  );

  it('a page instead of an answer is a refusal where it says so', async () => {
    const page: Fault = () => Promise.resolve({ status: 400, body: {}, arrives: '<html>' });
    expect(isPassing(await errorOf(portsOver(always(page)).backend.get(['a'], NOW)))).toBe(false);
  });
});

interface BatchEntry {
  readonly Id: string;
  readonly MessageBody: string;
}

const md5 = (body: string): string => createHash('md5').update(body).digest('hex');

/** SQS's answer to a batch: what it says of each entry, by the entry's body. Nothing of what is not named. */
function answering(fates: Readonly<Record<string, object | 'taken'>>): Fault {
  return ({ input }) => {
    const entries = input['Entries'] as readonly BatchEntry[];
    const of = (taken: boolean): object[] =>
      entries.flatMap(({ Id, MessageBody }) => {
        const fate = fates[MessageBody];
        if (fate === undefined || (fate === 'taken') !== taken) return [];
        return [
          fate === 'taken'
            ? { Id, MessageId: `id of ${MessageBody}`, MD5OfMessageBody: md5(MessageBody) }
            : { Id, ...fate },
        ];
      });
    // In no order.
    return Promise.resolve({
      status: 200,
      body: { Successful: of(true).toReversed(), Failed: of(false).toReversed() },
    });
  };
}

describe('broker.send', () => {
  const send = (ports: Connected, bodies: readonly string[]): ReturnType<Connected['broker']['send']> =>
    ports.broker.send(bodies.map((body) => ({ queue: 'default', body })));

  it('each entry of a batch has its own fate, by its id and in whatever order', async () => {
    const fates = {
      good: 'taken',
      ours: { SenderFault: true, Code: 'InvalidMessageContents', Message: 'no' },
      theirs: { SenderFault: false, Code: 'InternalError', Message: 'busy' },
      bare: { SenderFault: false },
      last: 'taken',
    } as const;
    const ports = portsOver(({ operation }) => (operation === 'SendMessageBatch' ? answering(fates) : undefined));
    expect(await send(ports, ['good', 'ours', 'unsaid', 'theirs', 'bare', 'last'])).toEqual([
      { ok: true, messageId: 'id of good' },
      { ok: false, code: 'InvalidMessageContents', message: 'no', retryable: false },
      { ok: false, code: 'NoOutcome', message: expect.any(String), retryable: true },
      { ok: false, code: 'InternalError', message: 'busy', retryable: true },
      { ok: false, code: 'Unknown', message: expect.any(String), retryable: true },
      { ok: true, messageId: 'id of last' },
    ]);
  });

  it('a batch that is refused says nothing of the other batches', async () => {
    const ports = portsOver(({ number }) => (number === 2 ? refused('AccessDeniedException', 403) : undefined));
    const outcomes = await send(
      ports,
      Array.from({ length: 25 }, (_, index) => `message ${index}`),
    );
    expect(outcomes.filter(({ ok }) => ok)).toHaveLength(15);
    for (const outcome of outcomes)
      if (!outcome.ok) expect(outcome).toMatchObject({ code: 'AccessDeniedException', retryable: false });
  });

  it.each([
    ['KmsAccessDenied', false],
    ['QueueDoesNotExist', false],
    ['InvalidMessageContents', false],
    ['RequestThrottled', true],
    ['ExpiredToken', true],
    ['OverLimit', true],
  ])('one message: %s may pass: %s', async (type, retryable) => {
    const [outcome] = await send(portsOver(always(refused(type))), ['one']);
    expect(outcome).toMatchObject({ ok: false, retryable });
    expect(service.requests.length).toBeLessThanOrEqual(8);
  });

  it('FIFO: what follows a message that was not sent waits behind it, and other groups go on', async () => {
    // The second batch of three is busy whenever it is tried.
    const busy = refused('RequestThrottled');
    const ports = portsOver(({ input }) => (JSON.stringify(input).includes('group a 12') ? busy : undefined));
    const items = Array.from({ length: 30 }, (_, index) => ({
      queue: 'orders',
      body: index === 25 ? 'group b 25' : `group a ${index}`,
      groupId: index === 25 ? 'b' : 'a',
      deduplicationId: `fifo-${index}`,
    }));
    const outcomes = await ports.broker.send(items);
    const sent = items.filter((_, index) => outcomes[index]?.ok === true).map(({ body }) => body);
    expect(sent).toEqual([...items.slice(0, 10).map(({ body }) => body), 'group b 25']);
    for (const outcome of outcomes) if (!outcome.ok) expect(outcome.retryable).toBe(true);
  });

  it('FIFO: what will never be taken holds up nobody', async () => {
    const never = refused('InvalidMessageContents');
    const ports = portsOver(({ input }) => (JSON.stringify(input).includes('never 12') ? never : undefined));
    const outcomes = await ports.broker.send(
      Array.from({ length: 30 }, (_, index) => ({
        queue: 'orders',
        body: `never ${index}`,
        groupId: 'never',
        deduplicationId: `never-${index}`,
      })),
    );
    expect(outcomes.map(({ ok }) => ok)).toEqual(outcomes.map((_, index) => index < 10 || index >= 20));
  });
});

describe('a batch of statements', () => {
  it('each has its own answer: what is not told as done is asked alone', async () => {
    // Of four statements the first is done; the last one is not even told of.
    const partly: Fault = async ({ input }, forward) => {
      const statements = input['Statements'] as readonly object[];
      await forward({ Statements: statements.slice(0, 1) });
      const errors = ['ThrottlingError', 'InternalServerError'].map((Code) => ({ Error: { Code, Message: 'busy' } }));
      return { status: 200, body: { Responses: [{}, ...errors] } };
    };
    const { backend } = portsOver(({ operation }) => (operation === 'BatchExecuteStatement' ? partly : undefined));
    const ids = ['one', 'two', 'three', 'four'];
    const outcomes = await backend.claim(ids.map((id) => ({ ...CLAIM, id })));
    expect(outcomes).toEqual(ids.map(() => ({ kind: 'claimed', deliveries: 1, requeues: 0 })));
    expect((await backend.get(ids, NOW)).map((record) => record?.owner)).toEqual(ids.map(() => 'first'));
    expect(await backend.commit(ids.map((id) => ({ ...COMMIT, id })))).toEqual(ids.map(() => true));
    expect((await backend.get(ids, NOW)).map((record) => record?.status)).toEqual(ids.map(() => 'SUCCESS'));
  });
});
