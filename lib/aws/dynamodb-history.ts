/** The history on DynamoDB: partitions by hour and part, so that writes spread and a reader asks for a time. */
import type { QueryCommandOutput } from '@aws-sdk/client-dynamodb';
import { ConditionalCheckFailedException, DeleteItemCommand, PutItemCommand, QueryCommand } from '#aws-sdk';

import {
  historyPartition,
  historySortKey,
  LATE_PREFIX,
  lateSortKey,
  ROLL_PARTITION,
  ROLLED_KEY,
  statsPartition,
} from '../ports/history-place.ts';
import type {
  History,
  HistoryItem,
  HistoryPage,
  HistoryQuery,
  LateMinute,
  RollState,
  StatsBucket,
} from '../ports/history.ts';
import { partitionKey, sortKey, timeKey } from '../ports/store-limits.ts';
import { type Item, number, text } from './dynamodb-record.ts';
import type { DynamodbTable } from './dynamodb-writes.ts';

/** Where the history is: `table` is the table of state. */
export type DynamodbHistoryOptions = Pick<DynamodbTable, 'client' | 'table'>;

/** The history on the table of state. */
export class DynamodbHistory implements History {
  readonly #store: DynamodbHistoryOptions;

  /** Reads and writes nothing yet. */
  constructor(options: DynamodbHistoryOptions) {
    this.#store = options;
  }

  async put(items: Parameters<History['put']>[0]): Promise<void> {
    // Mostly it is one: a batch is over within its minute.
    await Promise.all(
      items.map(({ shard, firstMs, name, data, expiresAtSeconds }) =>
        this.#put({
          pk: text(partitionKey(historyPartition(firstMs, shard))),
          sk: text(sortKey(historySortKey(firstMs, name))),
          data: { B: data },
          ttl: number(expiresAtSeconds),
        }),
      ),
    );
  }

  async page({ shard, fromMs, untilMs, after }: HistoryQuery): Promise<HistoryPage> {
    const { client, table: TableName } = this.#store;
    const { Items: items = [], LastEvaluatedKey: next } = await client.send(
      new QueryCommand({
        TableName,
        KeyConditionExpression: '#pk = :pk AND #sk BETWEEN :from AND :until',
        ExpressionAttributeNames: { '#pk': 'pk', '#sk': 'sk' },
        ExpressionAttributeValues: {
          ':pk': text(historyPartition(fromMs, shard)),
          ':from': text(timeKey(fromMs)),
          // Names come behind the time, so that this is before the first of them.
          ':until': text(timeKey(untilMs)),
        },
        ScanIndexForward: false,
        ConsistentRead: true,
        ...(after === undefined ? {} : { ExclusiveStartKey: after as Item }),
      }),
    );
    return { items: items.map(itemOf), ...(next === undefined ? {} : { next }) };
  }

  async noteLate({ startMs, token, expiresAtSeconds }: Parameters<History['noteLate']>[0]): Promise<void> {
    await this.#put({ ...lateKey(startMs), token: text(token), ttl: number(expiresAtSeconds) });
  }

  async clearLate({ startMs, token }: LateMinute): Promise<void> {
    const { client, table: TableName } = this.#store;
    await unlessRefused(
      client.send(
        new DeleteItemCommand({
          TableName,
          Key: lateKey(startMs),
          ConditionExpression: '#token = :token',
          ExpressionAttributeNames: { '#token': 'token' },
          ExpressionAttributeValues: { ':token': text(token) },
        }),
      ),
    );
  }

  async rollState(limit: number): Promise<RollState> {
    const { client, table: TableName } = this.#store;
    const { Items: items = [] } = await client.send(
      new QueryCommand({
        TableName,
        KeyConditionExpression: '#pk = :pk',
        ExpressionAttributeNames: { '#pk': 'pk' },
        ExpressionAttributeValues: { ':pk': text(ROLL_PARTITION) },
        ConsistentRead: true,
        // How far the sweeper is sorts first.
        Limit: limit + 1,
      }),
    );
    const done = items.find(({ sk }) => sk?.S === ROLLED_KEY);
    const late = items.filter((item) => item !== done).slice(0, limit);
    return { ...(done === undefined ? {} : { untilMs: Number(done['until']?.N ?? 0) }), late: late.map(lateOf) };
  }

  async rolled(untilMs: number): Promise<void> {
    const { client, table: TableName } = this.#store;
    await unlessRefused(
      client.send(
        new PutItemCommand({
          TableName,
          Item: { pk: text(ROLL_PARTITION), sk: text(ROLLED_KEY), until: number(untilMs) },
          ConditionExpression: 'attribute_not_exists(#until) OR #until < :until',
          ExpressionAttributeNames: { '#until': 'until' },
          ExpressionAttributeValues: { ':until': number(untilMs) },
        }),
      ),
    );
  }

  async putBucket({
    every,
    startMs,
    count,
    data,
    expiresAtSeconds,
  }: Parameters<History['putBucket']>[0]): Promise<void> {
    const { client, table: TableName } = this.#store;
    await unlessRefused(
      client.send(
        new PutItemCommand({
          TableName,
          Item: {
            pk: text(statsPartition(every)),
            sk: text(timeKey(startMs)),
            count: number(count),
            data: { B: data },
            ttl: number(expiresAtSeconds),
          },
          ConditionExpression: 'attribute_not_exists(#count) OR #count <= :count',
          ExpressionAttributeNames: { '#count': 'count' },
          ExpressionAttributeValues: { ':count': number(count) },
        }),
      ),
    );
  }

  async buckets({ every, fromMs, untilMs, limit }: Parameters<History['buckets']>[0]): Promise<readonly StatsBucket[]> {
    const { client, table: TableName } = this.#store;
    const buckets: StatsBucket[] = [];
    // DynamoDB refuses a range that ends before it begins.
    if (fromMs >= untilMs) return buckets;
    // Not by dynamodb-query.ts: a worker loads this file alone, when its first task has ended.
    let from: Item | undefined;
    do {
      const page: QueryCommandOutput = await client.send(
        new QueryCommand({
          TableName,
          KeyConditionExpression: '#pk = :pk AND #sk BETWEEN :from AND :until',
          ExpressionAttributeNames: { '#pk': 'pk', '#sk': 'sk' },
          ExpressionAttributeValues: {
            ':pk': text(statsPartition(every)),
            ':from': text(timeKey(fromMs)),
            ':until': text(timeKey(untilMs - 1)),
          },
          ConsistentRead: true,
          Limit: limit - buckets.length,
          ...(from === undefined ? {} : { ExclusiveStartKey: from }),
        }),
      );
      for (const item of page.Items ?? [])
        buckets.push({ every, startMs: timeOf(item), count: Number(item['count']?.N ?? 0), data: bytesOf(item) });
      from = page.LastEvaluatedKey;
    } while (from !== undefined && buckets.length < limit);
    return buckets;
  }

  async #put(item: Item): Promise<void> {
    await this.#store.client.send(new PutItemCommand({ TableName: this.#store.table, Item: item }));
  }
}

/** What is refused has been done, or overtaken. */
async function unlessRefused(request: Promise<unknown>): Promise<void> {
  try {
    await request;
  } catch (error) {
    if (!(error instanceof ConditionalCheckFailedException)) throw error;
  }
}

function lateKey(startMs: number): Item {
  return { pk: text(ROLL_PARTITION), sk: text(lateSortKey(startMs)) };
}

function lateOf(item: Item): LateMinute {
  return { startMs: Number((item['sk']?.S ?? '').slice(LATE_PREFIX.length)), token: item['token']?.S ?? '' };
}

function itemOf(item: Item): HistoryItem {
  return { firstMs: timeOf(item), name: (item['sk']?.S ?? '').slice(14), data: bytesOf(item) };
}

/** Thirteen digits begin the key. */
function timeOf(item: Item): number {
  return Number((item['sk']?.S ?? '').slice(0, 13));
}

function bytesOf(item: Item): Uint8Array {
  return item['data']?.B ?? new Uint8Array();
}
