/** What lies in the tables, attribute by attribute: other versions and Celery read it too. And how much one request asks. */
import type { AttributeValue } from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from 'vitest';

import type { BatchGetItemCommand, BatchWriteItemCommand, DynamoDBClient } from '#aws-sdk';

import { backoff } from '../../lib/aws/backoff.ts';
import { queueAddresses } from '../../lib/aws/connect.ts';
import { DynamodbBackend } from '../../lib/aws/dynamodb-backend.ts';
import { DynamodbSchedules } from '../../lib/aws/dynamodb-schedules.ts';
import { writeAll } from '../../lib/aws/dynamodb-writes.ts';
import { dueNameOf, dueSortKey, resultKey, taskIdOf, timerUpperBound } from '../../lib/aws/keys.ts';
import { deliveriesOf } from '../../lib/aws/sqs-event.ts';
import { LATEST_DUE_MS } from '../../lib/base/limits.ts';
import type { ClaimRequest } from '../../lib/ports/backend.ts';
import { adapters, NOW } from '../support/fake-services/adapters.ts';
import { RESULTS_TABLE, STATE_TABLE } from '../support/fake-services/services.ts';

const TTL = NOW / 1000 + 86_400;
const bytes = (text: string): AttributeValue => ({ B: new TextEncoder().encode(text) });
const claim = (id: string): ClaimRequest => ({
  id,
  attempt: 0,
  owner: 'me',
  nowMs: NOW + 500,
  leaseMs: NOW + 60_000,
  name: 'task',
  queue: 'plain',
  meta: '{"status":"STARTED"}',
  expiresAtSeconds: TTL,
});

describe('the item of a task', () => {
  const CLAIMED = {
    status: { S: 'STARTED' },
    owner: { S: 'me' },
    attempt: { N: '0' },
    lease: { N: String(NOW + 60_000) },
    name: { S: 'task' },
    queue: { S: 'plain' },
    started: { N: String(NOW + 500) },
    timestamp: { N: String((NOW + 500) / 1000) },
    ttl: { N: String(TTL) },
    deliveries: { N: '1' },
    result: bytes('{"status":"STARTED"}'),
  };
  const COMMITTED = { ...CLAIMED, committed: { N: '0' }, timestamp: { N: String((NOW + 900) / 1000) } };

  // One alone is an update, several are a batch of statements: what lies there is the same.
  it.each([1, 2])('is the same for a call of %i', async (count) => {
    const { ports, dynamodb } = adapters();
    const ids = ['a', 'b'].slice(0, count);
    const items = (): object[] => [...dynamodb.table(RESULTS_TABLE).items()].map(({ id: _id, ...item }) => item);
    await ports.backend.claim(ids.map(claim));
    expect(items()).toEqual(ids.map(() => CLAIMED));
    const commit = ids.map((id) => ({ ...claim(id), nowMs: NOW + 900, status: 'RETRY', final: false, meta: '{}' }));
    await ports.backend.commit(commit.map((each) => ({ ...each, settlement: '{"retry":1}' })));
    const retry = { status: { S: 'RETRY' }, result: bytes('{}'), settlement: { S: '{"retry":1}' } };
    expect(items()).toEqual(ids.map(() => ({ ...COMMITTED, ...retry, deliveries: { N: '0' }, requeues: { N: '0' } })));
  });

  it.each([1, 2])('of an end whose result is ignored, for a call of %i', async (count) => {
    const { ports, dynamodb } = adapters();
    const ids = ['a', 'b'].slice(0, count);
    await ports.backend.claim(ids.map(claim));
    const { meta: _meta, ...bare } = claim('');
    await ports.backend.commit(
      ids.map((id) => ({ ...bare, id, nowMs: NOW + 900, status: 'SUCCESS', final: true, ignored: true })),
    );
    const ended = { status: { S: 'SUCCESS' }, ignored: { BOOL: true }, finished: { N: String(NOW + 900) } };
    expect([...dynamodb.table(RESULTS_TABLE).items()].map(({ id: _id, ...item }) => item)).toEqual(
      ids.map(() => ({ ...COMMITTED, ...ended })),
    );
  });

  it("has Celery's key, and the id back from it, whatever is in it", () => {
    for (const id of ['a', "it's", "b'celery-task-meta-x'", 'two\nlines', ''])
      expect([resultKey(id), taskIdOf(resultKey(id))]).toEqual([`b'celery-task-meta-${id}'`, id]);
    for (const key of ["b'celery-taskset-meta-a'", "xb'celery-task-meta-a'", "b'celery-task-meta-a'x", 'a'])
      expect(taskIdOf(key)).toBe(key);
  });
});

describe('the items of timers and entries', () => {
  it('a timer stays for thirty days after its time, and no longer', async () => {
    const { ports, dynamodb } = adapters();
    const message = { queue: 'plain', body: 'b' };
    const timer = { id: 'a', attempt: 2, dueMs: NOW + 999, message };
    await ports.timers.put([timer, timer, { ...timer, sequence: 's' }]);
    const items = [...dynamodb.table(STATE_TABLE).items()];
    const common = {
      task_id: { S: 'a' },
      attempt: { N: '2' },
      due: { N: String(NOW + 999) },
      message: { S: JSON.stringify(message) },
      ttl: { N: String(NOW / 1000 + 365 * 86_400) },
    };
    expect(items).toHaveLength(2);
    for (const { pk: _pk, sk, ...item } of items)
      expect(item).toEqual(sk?.S?.includes('#s#') === true ? { ...common, sequence: { S: 's' } } : common);
  });

  it.each([1, 2])('an entry, for a call of %i', async (count) => {
    const { ports, dynamodb } = adapters();
    const names = ['a', 'b'].slice(0, count);
    const write = (revision: number, nextDueMs: number | null): Promise<boolean[]> =>
      ports.schedules.write(names.map((name) => ({ name, revision, nextDueMs, document: `{"r":${revision}}` })));
    const table = dynamodb.table(STATE_TABLE);
    const entries = (): object[] => [...table.partition('schedule')].map(({ pk: _pk, sk: _sk, ...item }) => item);
    expect(await write(1, NOW)).toEqual(names.map(() => true));
    const first = { revision: { N: '1' }, document: { S: '{"r":1}' }, due: { N: String(NOW) } };
    expect(entries()).toEqual(names.map(() => first));
    expect([...table.partition('schedule-due')]).toEqual(
      names.map((name) => ({ pk: { S: 'schedule-due' }, sk: { S: dueSortKey(NOW, name) }, due: { N: String(NOW) } })),
    );
    expect(await write(3, null)).toEqual(names.map(() => false));
    expect(await write(2, null)).toEqual(names.map(() => true));
    expect(await ports.schedules.read(names)).toEqual(
      names.map((name) => ({ name, revision: 2, nextDueMs: null, document: '{"r":2}' })),
    );
    // Again: its answer was lost on the way. Another's of the same revision is none of ours.
    expect(await write(2, null)).toEqual(names.map(() => true));
    expect(
      await ports.schedules.write(names.map((name) => ({ name, revision: 2, nextDueMs: null, document: '{}' }))),
    ).toEqual(names.map(() => false));
  });

  it('a mark gives its name back, and lies below the bound of its time', () => {
    for (const name of ['a', 'x#y', '#', '\u{10FFFF}']) {
      const key = dueSortKey(NOW, name);
      expect(dueNameOf(key)).toBe(name);
      expect(key <= timerUpperBound(NOW)).toBe(true);
      expect(key <= timerUpperBound(NOW - 1)).toBe(false);
    }
    expect(timerUpperBound(-5)).toBe(timerUpperBound(0));
    expect(timerUpperBound(NOW + 0.7)).toBe(timerUpperBound(NOW));
    expect(timerUpperBound(LATEST_DUE_MS + 5)).toBe(timerUpperBound(LATEST_DUE_MS));
  });
});

describe('what a service left undone', () => {
  /** A clock that notes how long it was slept on; a random that draws the longest. */
  function waiting(): { clock: never; random: { next: () => number }; slept: number[] } {
    const slept: number[] = [];
    const sleep = (ms: number): Promise<void> => Promise.resolve(void slept.push(ms));
    return { clock: { sleep, nowMs: () => NOW } as never, random: { next: () => 1 }, slept };
  }

  it('is asked again ever more slowly, up to two seconds', async () => {
    const { clock, random, slept } = waiting();
    for (let attempt = 0; attempt < 9; attempt += 1) await backoff(attempt, clock, random);
    expect(slept).toEqual([25, 50, 100, 200, 400, 800, 1600, 2000, 2000]);
    await backoff(3, clock, { next: () => 0 });
    await backoff(3, clock, { next: () => 0.25 });
    expect(slept.slice(-2)).toEqual([0, 50]);
  });

  it('of 60 writes: 25 at a time, and what was left until it is done', async () => {
    const { clock, random, slept } = waiting();
    const asked: number[] = [];
    const written = new Set<string>();
    let refusals = 2;
    const send = (command: BatchWriteItemCommand): Promise<object> => {
      const open = command.input.RequestItems?.['t'] ?? [];
      asked.push(open.length);
      const left = refusals > 0 ? open.slice(0, 3) : [];
      refusals -= 1;
      for (const { PutRequest } of open.slice(left.length)) written.add(PutRequest?.Item?.['id']?.S ?? '');
      return Promise.resolve(left.length === 0 ? {} : { UnprocessedItems: { t: left } });
    };
    const requests = Array.from({ length: 60 }, (_, index) => ({ PutRequest: { Item: { id: { S: String(index) } } } }));
    await writeAll({ client: { send } as unknown as DynamoDBClient, table: 't', clock, random }, requests);
    expect(asked.toSorted((left, right) => right - left)).toEqual([25, 25, 10, 3, 3]);
    expect(written.size).toBe(60);
    expect(slept).toEqual([25, 25]);
  });

  function reading(leave: number): { client: DynamoDBClient; asked: number[] } {
    const asked: number[] = [];
    let refusals = leave;
    const send = (command: BatchGetItemCommand): Promise<object> => {
      const { Keys: keys = [], ConsistentRead } = command.input.RequestItems?.['t'] ?? {};
      expect(ConsistentRead).toBe(true);
      asked.push(keys.length);
      const left = refusals > 0 ? keys.slice(0, 5) : [];
      refusals -= 1;
      const found = keys.slice(left.length).map((key) => ({ ...key, status: { S: 'x' }, revision: { N: '1' } }));
      return Promise.resolve({
        Responses: { t: found },
        UnprocessedKeys: left.length === 0 ? {} : { t: { Keys: left } },
      });
    };
    return { client: { send } as unknown as DynamoDBClient, asked };
  }

  it('of 150 results: a hundred at a time, each once', async () => {
    const { clock, random, slept } = waiting();
    const { client, asked } = reading(2);
    const backend = new DynamodbBackend({ client, table: 't', clock, random });
    const ids = Array.from({ length: 150 }, (_, index) => `id ${index}`);
    const records = await backend.get([...ids, ...ids], NOW);
    expect(records.map((record) => record?.id)).toEqual([...ids, ...ids]);
    expect(asked).toEqual([100, 55, 5]);
    // The second time in a row it waits longer.
    expect(slept).toEqual([25, 50]);
  });

  it('of 150 entries: a hundred at a time, each once', async () => {
    const { clock, random, slept } = waiting();
    const { client, asked } = reading(1);
    const schedules = new DynamodbSchedules({ client, table: 't', clock, random });
    const names = Array.from({ length: 150 }, (_, index) => `n${index}`);
    const items = await schedules.read([...names, ...names]);
    expect(items.map((item) => item?.name)).toEqual([...names, ...names]);
    expect(asked.toSorted((left, right) => right - left)).toEqual([100, 50, 5]);
    expect(slept).toEqual([25]);
    expect(await schedules.read([])).toEqual([]);
  });
});

describe('queues', () => {
  it('are FIFO by their URL, and have the dead-letter queue that is known', () => {
    expect(
      queueAddresses(
        { a: 'https://sqs/a', b: 'https://sqs/b.fifo', c: 'https://sqs/fifo' },
        { b: 'https://sqs/b-dead.fifo' },
      ),
    ).toEqual({
      a: { url: 'https://sqs/a', fifo: false },
      b: { url: 'https://sqs/b.fifo', fifo: true, deadLetterUrl: 'https://sqs/b-dead.fifo' },
      c: { url: 'https://sqs/fifo', fifo: false },
    });
  });

  it('what Lambda hands over is named as the app names it', () => {
    const record = (name: string, attributes: object): object => ({
      messageId: 'm',
      receiptHandle: 'r',
      body: 'b',
      eventSourceARN: `arn:aws:sqs:eu-central-1:1:${name}`,
      attributes: { ApproximateReceiveCount: '3', ...attributes },
    });
    const Records = [
      record('app-mail', {}),
      record('app-orders.fifo', { MessageGroupId: 'g' }),
      record('app-lost', { DeadLetterQueueSourceArn: 'arn:aws:sqs:eu-central-1:1:app-mail' }),
    ];
    const queues = { mail: 'https://sqs/1/app-mail', orders: 'https://sqs/1/app-orders.fifo' };
    const common = { messageId: 'm', receipt: 'r', body: 'b', receiveCount: 3 };
    expect(deliveriesOf({ Records } as never, queues)).toEqual([
      { ...common, queue: 'mail' },
      { ...common, queue: 'orders', groupId: 'g' },
      { ...common, queue: 'app-lost', lostFrom: 'mail' },
    ]);
  });
});
