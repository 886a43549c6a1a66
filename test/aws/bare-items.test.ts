/**
 * Whoever may write to a table may leave things out: what an item does not say is read as nothing, and no call throws. And a
 * service that answers with nothing at all has found nothing.
 */
import { ManualClock, seededRandom } from 'celeriac/testing';
import { describe, expect, it } from 'vitest';

import { ConditionalCheckFailedException, type DynamoDBClient, type SQSClient } from '#aws-sdk';

import { DynamodbBackend } from '../../lib/aws/dynamodb-backend.ts';
import { DynamodbCeleryGroups } from '../../lib/aws/dynamodb-celery-groups.ts';
import { DynamodbGroups } from '../../lib/aws/dynamodb-groups.ts';
import { DynamodbHistory } from '../../lib/aws/dynamodb-history.ts';
import { DynamodbLocks } from '../../lib/aws/dynamodb-locks.ts';
import { DynamodbMarks } from '../../lib/aws/dynamodb-marks.ts';
import { DynamodbPauses } from '../../lib/aws/dynamodb-pauses.ts';
import { DynamodbRates } from '../../lib/aws/dynamodb-rates.ts';
import { DynamodbSchedules } from '../../lib/aws/dynamodb-schedules.ts';
import { DynamodbSlots } from '../../lib/aws/dynamodb-slots.ts';
import { DynamodbTimers } from '../../lib/aws/dynamodb-timers.ts';
import type { DueEntry } from '../../lib/ports/schedules.ts';
import { SqsBroker } from '../../lib/aws/sqs-broker.ts';
import { SqsDeadLetters } from '../../lib/aws/sqs-dead-letters.ts';
import { dueTimers } from '../support/due-timers.ts';

const NOW = 1_900_000_000_000;

/** Answers each request with the same, whatever it asks. */
function stores(answer: object | Error) {
  const send = (): Promise<object> => (answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer));
  const client = { send } as unknown as DynamoDBClient;
  const options = { client, table: 't', clock: new ManualClock(NOW), random: seededRandom(1) };
  return {
    backend: new DynamodbBackend(options),
    celeryGroups: new DynamodbCeleryGroups(options),
    groups: new DynamodbGroups(options),
    history: new DynamodbHistory(options),
    locks: new DynamodbLocks(options),
    marks: new DynamodbMarks(options),
    pauses: new DynamodbPauses(options),
    rates: new DynamodbRates(options),
    schedules: new DynamodbSchedules(options),
    slots: new DynamodbSlots(options),
    timers: new DynamodbTimers({ ...options, shards: 1 }),
  };
}

type Call = (ports: ReturnType<typeof stores>) => Promise<unknown>;

async function dueOf({ schedules }: ReturnType<typeof stores>): Promise<DueEntry[]> {
  const found: DueEntry[] = [];
  await schedules.eachDue(NOW, 10, (page) => Promise.resolve(found.splice(found.length, 0, ...page)));
  return found;
}

const take = { key: 'k', id: 'a', nowMs: NOW, expiresMs: NOW + 5 };
const update = { id: 'a', attempt: 0, owner: 'me', status: 'PROGRESS', meta: '{}' };

describe('an answer without anything', () => {
  it.each<[string, Call, unknown]>([
    ['records', ({ backend }) => backend.get(['a'], NOW), [undefined]],
    ['who is to end', ({ backend }) => backend.terminated(['a']), [false]],
    ['a state', ({ backend }) => backend.update(update), 'stored'],
    ["members of Celery's group", ({ celeryGroups }) => celeryGroups.members('g', NOW), undefined],
    [
      "counts of Celery's group",
      ({ celeryGroups }) => celeryGroups.count({ groupId: 'g', index: 0, expiresAtSeconds: 1 }),
      undefined,
    ],
    ['a group', ({ groups }) => groups.count('g'), { done: 0, failed: [], memberIds: new Map() }],
    ['a definition', ({ groups }) => groups.definition('g', NOW), undefined],
    [
      'a mark of a group',
      ({ groups }) => groups.mark([{ groupId: 'g', index: 0, size: 1, failed: true, expiresAtSeconds: 1 }]),
      [{ complete: false, failed: false }],
    ],
    ['a page of the history', ({ history }) => history.page({ shard: 0, fromMs: 0, untilMs: NOW }), { items: [] }],
    ['how far the history is', ({ history }) => history.rollState(5), { late: [] }],
    ['buckets', ({ history }) => history.buckets({ every: 'day', fromMs: 0, untilMs: NOW, limit: 5 }), []],
    ['locks', ({ locks }) => locks.held(NOW, 5), []],
    ['an episode', ({ marks }) => marks.episode('k'), undefined],
    ['a seal', ({ marks }) => marks.seal({ key: 'k', id: 'a' }, NOW), { kind: 'gone' }],
    ['pauses', ({ pauses }) => pauses.list(), []],
    ['a pause that was taken away', ({ pauses }) => pauses.remove('mail'), undefined],
    ['a kept slot', ({ rates }) => rates.kept('a', 0), undefined],
    ['limits', ({ rates }) => rates.limits(), new Map()],
    [
      'a line of a rate limit',
      ({ rates }) => rates.reserve({ key: 'k', count: 1, paceMicros: 1, nowMs: NOW }),
      { nextMicros: 0 },
    ],
    ['entries', ({ schedules }) => schedules.read(['a']), [undefined]],
    ['a list of entries', ({ schedules }) => schedules.list(undefined, 5), []],
    ['entries that are due', dueOf, []],
    ['slots', ({ slots }) => slots.read('slots#a#'), { holders: new Map() }],
    ['a line of slots', ({ slots }) => slots.line('slots#a#', 5), []],
    ['how many wait', ({ slots }) => slots.count('slots#a#'), 0],
    ['timers', ({ timers }) => dueTimers(timers, NOW), []],
  ])('%s', async (_what, call, expected) => {
    expect(await call(stores({}))).toEqual(expected);
  });
});

describe('an item without anything', () => {
  const found = { Item: {}, Items: [{}], Attributes: {}, Responses: { t: [{}] } };

  it.each<[string, Call, unknown]>([
    ['a group', ({ groups }) => groups.count('g'), { done: 0, failed: [], memberIds: new Map() }],
    ['a definition', ({ groups }) => groups.definition('g', NOW), undefined],
    [
      'a page of the history',
      ({ history }) => history.page({ shard: 0, fromMs: 0, untilMs: NOW }),
      { items: [{ firstMs: 0, name: '', data: new Uint8Array() }] },
    ],
    ['how far the history is', ({ history }) => history.rollState(5), { late: [{ startMs: 0, token: '' }] }],
    [
      'buckets',
      ({ history }) => history.buckets({ every: 'day', fromMs: 0, untilMs: NOW, limit: 5 }),
      [{ every: 'day', startMs: 0, count: 0, data: new Uint8Array() }],
    ],
    ['locks', ({ locks }) => locks.held(NOW, 5), []],
    [
      'an episode',
      ({ marks }) => marks.episode('k'),
      { id: '', firstMs: 0, dueMs: 0, message: { queue: '', body: '{}' }, sealed: false },
    ],
    ['pauses', ({ pauses }) => pauses.list(), [{ queue: '', sinceMs: 0, by: '' }]],
    ['a kept slot', ({ rates }) => rates.kept('a', 0), { slotMicros: 0, paceMicros: 0, lates: 0 }],
    ['limits', ({ rates }) => rates.limits(), new Map([['', '']])],
    [
      'a list of entries',
      ({ schedules }) => schedules.list(undefined, 5),
      [{ name: '', revision: 0, nextDueMs: null, document: '{}' }],
    ],
    ['slots', ({ slots }) => slots.read('slots#a#'), { holders: new Map() }],
    [
      'a line of slots',
      ({ slots }) => slots.line('slots#a#', 5),
      [{ sinceMs: 0, holder: '', token: '', grants: 0, wake: { kind: 'show', queue: '', receipt: '' } }],
    ],
    [
      'one of it',
      ({ slots }) => slots.parked('slots#a#', { sinceMs: 1, holder: 'a' }),
      { sinceMs: 0, holder: '', token: '', grants: 0, wake: { kind: 'show', queue: '', receipt: '' } },
    ],
    [
      'timers',
      ({ timers }) => dueTimers(timers, NOW),
      [{ id: '', attempt: 0, dueMs: 0, message: { queue: '', body: '{}' } }],
    ],
  ])('%s', async (_what, call, expected) => {
    expect(await call(stores(found))).toEqual(expected);
  });

  it('and what is wrong in it', async () => {
    const item = {
      sk: { S: 'x' },
      holders: { M: { 'a#0': {} } },
      owner: { S: 'me' },
      token: {},
      id_3: {},
      message: { S: '{' },
    };
    const ports = stores({ Item: item, Items: [item], Attributes: item });
    expect(await ports.slots.read('slots#a#')).toEqual({ holders: new Map([['a#0', { leaseMs: 0, by: '' }]]) });
    expect(await ports.groups.count('g')).toEqual({ done: 0, failed: [], memberIds: new Map([[3, '']]) });
    expect(await ports.marks.episode('k')).toMatchObject({ tokenMs: 0, message: { queue: '', body: '{' } });
    expect(await ports.slots.line('slots#a#', 1)).toMatchObject([{ sinceMs: 0, holder: 'x', wake: { kind: 'send' } }]);
    expect(await ports.locks.acquire({ key: 'k', owner: 'me', nowMs: 0, untilMs: 5 })).toEqual({
      key: 'k',
      owner: 'me',
      untilMs: 0,
      token: 0,
    });
    // A lock that has no end has lapsed, unless the clock stands at its beginning.
    expect(await ports.locks.held(0, 1)).toEqual([{ key: '', owner: 'me', untilMs: 0, token: 0 }]);
  });
});

describe('what is refused, and why is not shown', () => {
  const refusal = new ConditionalCheckFailedException({ message: 'no', $metadata: {} });
  /** Nothing is there when it is looked at. */
  function refusing(rounds: number) {
    const asked: string[] = [];
    const send = (command: object): Promise<object> => {
      asked.push(command.constructor.name);
      return command.constructor.name === 'GetItemCommand' ? Promise.resolve({}) : Promise.reject(refusal);
    };
    expect(rounds).toBeGreaterThan(0);
    return { client: { send } as unknown as DynamoDBClient, asked };
  }
  const commands = (asked: readonly string[], name: string): number => asked.filter((each) => each === name).length;

  it("a lock is asked for five times, and then is somebody else's", async () => {
    const { client, asked } = refusing(5);
    const locks = new DynamodbLocks({ client, table: 't' });
    expect(await locks.acquire({ key: 'k', owner: 'me', nowMs: NOW, untilMs: NOW + 5 })).toBeUndefined();
    expect([commands(asked, 'UpdateItemCommand'), commands(asked, 'GetItemCommand')]).toEqual([5, 5]);
  });

  it('a mark is asked for twelve times, and that passes', async () => {
    const { client, asked } = refusing(12);
    await expect(new DynamodbMarks({ client, table: 't' }).take([take])).rejects.toMatchObject({ retryable: true });
    expect(commands(asked, 'UpdateItemCommand')).toBe(12);
  });

  it('the first slot is asked for three times', async () => {
    const { client, asked } = refusing(3);
    const options = { client, table: 't', clock: new ManualClock(NOW), random: seededRandom(1) };
    const put = new Map([['a#0', { leaseMs: NOW, by: 'b' }]]);
    const outcome = await new DynamodbSlots(options).write({ key: 'slots#a#', put, expiresAtSeconds: 1, when: {} });
    expect(outcome).toEqual({ done: false, seen: { holders: new Map() } });
    expect(commands(asked, 'UpdateItemCommand')).toBe(6);
  });

  it.each<[string, Call]>([
    ['a lock', ({ locks }) => locks.acquire({ key: 'k', owner: 'me', nowMs: 0, untilMs: 5 })],
    ['a mark', ({ marks }) => marks.take([take])],
    [
      'an episode',
      ({ marks }) =>
        marks.open('k', { id: 'a', firstMs: 0, dueMs: 0, message: { queue: 'q', body: 'b' }, sealed: false }),
    ],
    ['its end', ({ marks }) => marks.close({ key: 'k', id: 'a' })],
    ['a slot', ({ slots }) => slots.write({ key: 'slots#a#', expiresAtSeconds: 1, when: {} })],
    ['a place', ({ slots }) => slots.unpark('slots#a#', { sinceMs: 0, holder: 'a' })],
    ['a pause', ({ pauses }) => pauses.put({ queue: 'mail', sinceMs: 0, by: 'me' })],
    [
      'a kept slot',
      ({ rates }) =>
        rates.keep({ id: 'a', attempt: 0, slot: { slotMicros: 0, paceMicros: 0, lates: 0 }, expiresAtSeconds: 1 }),
    ],
    ['a place in a line', ({ rates }) => rates.reserve({ key: 'k', count: 1, paceMicros: 1, nowMs: NOW })],
    ['an entry', ({ schedules }) => schedules.write([{ name: 'a', revision: 1, nextDueMs: null, document: '{}' }])],
    ['the end of an entry', ({ schedules }) => schedules.remove('a', 1)],
    ["Celery's group", ({ celeryGroups }) => celeryGroups.close('g')],
    [
      'a bucket',
      ({ history }) =>
        history.putBucket({ every: 'day', startMs: 0, count: 0, data: new Uint8Array(), expiresAtSeconds: 1 }),
    ],
    ['a minute', ({ history }) => history.clearLate({ startMs: 0, token: 't' })],
  ])('%s: every other error is told', async (_what, call) => {
    await expect(call(stores(new Error('AccessDenied')))).rejects.toThrow('AccessDenied');
  });
});

describe('SQS', () => {
  const rig = (answer: object): SQSClient => ({ send: () => Promise.resolve(answer) }) as unknown as SQSClient;
  const queues = { mail: { url: 'https://sqs/mail', fifo: false } };
  const messages = [1, 2].map((n) => ({ queue: 'mail', body: String(n) }));

  it.each<[string, object, readonly object[]]>([
    ['one alone', {}, [{ ok: true, messageId: '' }]],
    [
      'neither taken nor refused',
      {},
      [
        { ok: false, retryable: true },
        { ok: false, retryable: true },
      ],
    ],
    [
      'taken without ids',
      { Successful: [{ Id: '0' }, { Id: '1' }] },
      [
        { ok: true, messageId: '' },
        { ok: true, messageId: '' },
      ],
    ],
    [
      'refused without a word',
      { Failed: [{ Id: '0' }], Successful: [{ Id: '1', MessageId: 'm' }] },
      [{ ok: false }, { ok: true, messageId: 'm' }],
    ],
  ])('messages: %s', async (_what, answer, outcomes) => {
    const sent = await new SqsBroker({ client: rig(answer), queues }).send(messages.slice(0, outcomes.length));
    expect(sent).toMatchObject(outcomes);
    expect(sent).toHaveLength(outcomes.length);
  });

  it('dead letters', async () => {
    const urls = { mail: 'https://sqs/mail-dead' };
    const letters = (answer: object): SqsDeadLetters => new SqsDeadLetters({ client: rig(answer), urls });
    const options = { limit: 3, hiddenSeconds: 5 };
    expect(await letters({}).receive('mail', options)).toEqual([]);
    const bare = { MessageAttributes: { reason: { StringValue: 'r' }, data: { BinaryValue: new Uint8Array() } } };
    expect(await letters({ Messages: [{}, bare] }).receive('mail', options)).toEqual([
      { messageId: '', receipt: '', body: '', attributes: {}, sentMs: 0 },
      { messageId: '', receipt: '', body: '', attributes: { reason: 'r' }, sentMs: 0 },
    ]);
    expect(await letters({}).count('mail')).toEqual({ visible: 0, hidden: 0, delayed: 0 });
    for (const act of ['show', 'remove'] as const) {
      await letters({}).show('mail', ['r']);
      await letters({ Failed: [{ Code: 'AWS.ReceiptHandleIsInvalid' }, { Code: 'MessageNotInflight' }] })[act]('mail', [
        'r',
        's',
      ]);
      await expect(letters({ Failed: [{}] })[act]('mail', ['r', 's'])).rejects.toMatchObject({ name: 'Unknown' });
      const denied = { Failed: [{ Code: 'AccessDenied', Message: 'no' }] };
      await expect(letters(denied)[act]('mail', ['r', 's'])).rejects.toMatchObject({
        name: 'AccessDenied',
        message: '1 of 2 letters: no',
      });
    }
    await expect(letters({}).count('other')).rejects.toMatchObject({ code: 'QUEUE_NOT_FOUND' });
  });
});
