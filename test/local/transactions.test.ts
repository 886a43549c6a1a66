/** Transactions of the embedded cloud: all of the writes or none, and what is put into the outbox by them runs. */
import {
  CreateTableCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  type TransactWriteItem,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb';
import { Celeriac, chain, group, silentLogger } from 'celeriac';
import { LocalCloud } from 'celeriac/local';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { PATIENCE_SECONDS } from '../support/patience.ts';

const WAIT = { timeout: PATIENCE_SECONDS, interval: 0.05 };
const app = new Celeriac('shop', { queues: { default: {}, orders: { fifo: true } }, logger: silentLogger });
const runs: string[] = [];
const ship = app.task('ship', (order: string) => (runs.push(order), `${order} shipped`));
const join = app.task('join', (texts: readonly string[]) => texts.join());

let cloud: LocalCloud;
let dynamodb: DynamoDBClient;
beforeAll(async () => {
  cloud = await LocalCloud.start(app, { sweepEvery: '1s', logger: silentLogger });
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  dynamodb = new DynamoDBClient({ endpoint: cloud.endpoints.dynamodb, region: 'us-east-1', credentials });
  await dynamodb.send(
    new CreateTableCommand({
      TableName: 'own',
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
    }),
  );
});
afterAll(() => cloud.stop());

const put = (id: string, more: object = {}): TransactWriteItem => ({
  Put: { TableName: 'own', Item: { id: { S: id } }, ...more },
});
const NEW = { ConditionExpression: 'attribute_not_exists(id)' };
const commit = (items: readonly TransactWriteItem[], token?: string) =>
  dynamodb.send(new TransactWriteItemsCommand({ TransactItems: [...items], ClientRequestToken: token }));
const itemOf = async (id: string) =>
  (await dynamodb.send(new GetItemCommand({ TableName: 'own', Key: { id: { S: id } }, ConsistentRead: true }))).Item;

describe('the outbox', () => {
  it('sends what was committed, with flush() and without', async () => {
    const flushed = await ship.s('flushed').toTransactItem();
    await commit([put('flushed'), flushed]);
    await flushed.flush();
    expect(await flushed.result.get(WAIT)).toBe('flushed shipped');
    const swept = await ship.s('swept').toTransactItem();
    await commit([put('swept'), swept]);
    expect(await swept.result.get(WAIT)).toBe('swept shipped');
    // Once more, behind the sweep.
    await swept.flush();
    await app.sweep();
    expect(runs.toSorted()).toEqual(['flushed', 'swept']);
  });

  it('sends nothing of a transaction that fails', async () => {
    await commit([put('taken')]);
    const item = await ship.s('never').toTransactItem();
    await expect(commit([item, put('taken', NEW)])).rejects.toMatchObject({
      name: 'TransactionCanceledException',
      CancellationReasons: [{ Code: 'None' }, { Code: 'ConditionalCheckFailed' }],
    });
    await app.sweep();
    expect(await item.result.state()).toBe('PENDING');
    expect(runs).not.toContain('never');
  });

  it('takes 99 calls beside an order, each once, though some are flushed twice', async () => {
    const items = await Promise.all(Array.from({ length: 99 }, (_, index) => ship.s(`n${index}`).toTransactItem()));
    await commit([put('many'), ...items]);
    await Promise.all([...items, ...items.slice(0, 20)].map((item) => item.flush()));
    const all = await Promise.all(items.map(({ result }) => result.get(WAIT)));
    expect(new Set(all).size).toBe(99);
    expect(runs.filter((order) => /^n\d/.test(order)).toSorted()).toEqual(
      [...new Set(runs.filter((order) => /^n\d/.test(order)))].toSorted(),
    );
  });

  it('takes the same call once, keeps the order of a group of messages, and begins chains', async () => {
    const same = await Promise.all(['a', 'b'].map((order) => ship.s(order).toTransactItem([], { taskId: 'same' })));
    await expect(commit([...same, same[0] as TransactWriteItem])).rejects.toThrow('multiple operations on one item');
    const ordered = [];
    for (const order of ['o1', 'o2', 'o3'])
      ordered.push(await ship.s(order).set({ queue: 'orders', groupKey: 'k' }).toTransactItem());
    await commit(ordered);
    await Promise.all(ordered.map(({ result }) => result.get(WAIT)));
    expect(runs.filter((order) => /^o\d/.test(order))).toEqual(['o1', 'o2', 'o3']);
    const begun = await chain(ship.s('c'), group([ship.s(), ship.s()]), join.s()).toTransactItem();
    await commit([begun]);
    await begun.flush();
    expect(await begun.result.get(WAIT)).toBe('c shipped shipped,c shipped shipped');
  });

  it('keeps what is due later than SQS waits', async () => {
    const late = await ship.s('late').toTransactItem([], { countdown: '20m' });
    await commit([late]);
    await late.flush();
    await app.sweep();
    expect(await late.result.state()).toBe('PENDING');
    expect(runs).not.toContain('late');
  });
});

describe('a transaction', () => {
  it('leaves everything as it was where one write is refused', async () => {
    await dynamodb.send(new PutItemCommand({ TableName: 'own', Item: { id: { S: 'old' }, text: { S: 'old' } } }));
    const Key = { id: { S: 'old' } };
    const refused = commit([
      {
        Update: {
          TableName: 'own',
          Key,
          UpdateExpression: 'SET #t = :t',
          ExpressionAttributeNames: { '#t': 'text' },
          ExpressionAttributeValues: { ':t': { S: 'new' } },
        },
      },
      put('fresh'),
      {
        ConditionCheck: { TableName: 'own', Key: { id: { S: 'nobody' } }, ConditionExpression: 'attribute_exists(id)' },
      },
    ]);
    await expect(refused).rejects.toThrow('specific reasons [None, None, ConditionalCheckFailed]');
    expect(await itemOf('old')).toEqual({ id: { S: 'old' }, text: { S: 'old' } });
    expect(await itemOf('fresh')).toBeUndefined();
    expect(await itemOf('nobody')).toBeUndefined();
    await commit([
      { Delete: { TableName: 'own', Key } },
      {
        ConditionCheck: {
          TableName: 'own',
          Key: { id: { S: 'nobody' } },
          ConditionExpression: 'attribute_not_exists(id)',
        },
      },
    ]);
    expect(await itemOf('old')).toBeUndefined();
    expect(await itemOf('nobody')).toBeUndefined();
  });

  it('is shown to nobody in part', async () => {
    const other = { Put: { TableName: 'own', Item: { id: { S: 'pair' }, text: { S: 'x' } } } };
    const all = Array.from({ length: 5 }, () => commit([other, put('taken', NEW)]).catch(() => 'refused'));
    const seen = await Promise.all(Array.from({ length: 50 }, () => itemOf('pair')));
    expect(await Promise.all(all)).toEqual(Array.from({ length: 5 }, () => 'refused'));
    expect(seen.filter((item) => item !== undefined)).toEqual([]);
  });

  it('is written once by one token, and what AWS refuses is refused', async () => {
    await commit([put('token', NEW)], 'token-1');
    await commit([put('token', NEW)], 'token-1');
    await expect(commit([put('other', NEW)], 'token-1')).rejects.toThrow('same client token');
    await expect(commit([])).rejects.toThrow('1 to 100 members; it has 0');
    await expect(commit(Array.from({ length: 101 }, (_, index) => put(`x${index}`)))).rejects.toThrow('it has 101');
    await expect(commit([{ ...put('a'), Delete: { TableName: 'own', Key: { id: { S: 'b' } } } }])).rejects.toThrow(
      'only contain one of',
    );
    await expect(commit([{ Put: { TableName: 'gone', Item: { id: { S: 'a' } } } }])).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
    await expect(commit([put('first'), { Put: { TableName: 'own', Item: { id: { N: '1' } } } }])).rejects.toMatchObject(
      { name: 'ValidationException' },
    );
    expect(await itemOf('first')).toBeUndefined();
  });
});
