/** Schedule entries on DynamoDB: one partition by name, one by due time. */
import {
  BatchGetItemCommand,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  PutItemCommand,
  QueryCommand,
  type QueryCommandInput,
} from '@aws-sdk/client-dynamodb';

import { DYNAMODB_MAX_BATCH_GETS } from '../limits.ts';
import type { DueMark, ScheduleItem, Schedules } from '../ports.ts';
import { backoff } from './backoff.ts';
import { type Item, number, text } from './dynamodb-record.ts';
import { type DynamodbTable, writeAll } from './dynamodb-writes.ts';
import {
  dueNameOf,
  dueSortKey,
  entrySortKey,
  SCHEDULE_DUE_PARTITION,
  SCHEDULE_PARTITION,
  timerUpperBound,
} from './keys.ts';

export type DynamodbSchedulesOptions = DynamodbTable;

export class DynamodbSchedules implements Schedules {
  readonly #store: DynamodbTable;

  constructor(options: DynamodbSchedulesOptions) {
    this.#store = options;
  }

  async read(names: readonly string[]): Promise<(ScheduleItem | undefined)[]> {
    const found = new Map<string, ScheduleItem>();
    // The same key twice in one request is an error.
    const distinct = [...new Set(names)];
    for (let start = 0; start < distinct.length; start += DYNAMODB_MAX_BATCH_GETS) {
      let open: Item[] = distinct.slice(start, start + DYNAMODB_MAX_BATCH_GETS).map(entryKey);
      for (let attempt = 0; open.length > 0; attempt += 1) {
        const { Responses, UnprocessedKeys } = await this.#store.client.send(
          new BatchGetItemCommand({ RequestItems: { [this.#store.table]: { Keys: open, ConsistentRead: true } } }),
        );
        for (const item of Responses?.[this.#store.table] ?? []) found.set(item['sk']?.S ?? '', itemOf(item));
        open = UnprocessedKeys?.[this.#store.table]?.Keys ?? [];
        if (open.length > 0) await backoff(attempt, this.#store.clock, this.#store.random);
      }
    }
    return names.map((name) => found.get(name));
  }

  async list(after: string | undefined, limit: number): Promise<ScheduleItem[]> {
    const items = await this.#query(
      {
        KeyConditionExpression: '#pk = :pk',
        ExpressionAttributeNames: { '#pk': 'pk' },
        ExpressionAttributeValues: { ':pk': text(SCHEDULE_PARTITION) },
        ...(after === undefined ? {} : { ExclusiveStartKey: entryKey(after) }),
      },
      limit,
    );
    return items.map(itemOf);
  }

  async due(untilMs: number, limit: number, after?: DueMark): Promise<DueMark[]> {
    const items = await this.#query(
      {
        KeyConditionExpression: '#pk = :pk AND #sk <= :until',
        ExpressionAttributeNames: { '#pk': 'pk', '#sk': 'sk' },
        ExpressionAttributeValues: { ':pk': text(SCHEDULE_DUE_PARTITION), ':until': text(timerUpperBound(untilMs)) },
        ...(after === undefined ? {} : { ExclusiveStartKey: markKey(after) }),
      },
      limit,
    );
    return items.map((item) => ({ name: dueNameOf(item['sk']?.S ?? ''), dueMs: Number(item['due']?.N ?? 0) }));
  }

  async write(item: ScheduleItem): Promise<boolean> {
    if (item.nextDueMs !== null) {
      const mark = { name: item.name, dueMs: item.nextDueMs };
      await this.#store.client.send(
        new PutItemCommand({ TableName: this.#store.table, Item: { ...markKey(mark), due: number(mark.dueMs) } }),
      );
    }
    try {
      await this.#store.client.send(
        new PutItemCommand({
          TableName: this.#store.table,
          Item: {
            ...entryKey(item.name),
            revision: number(item.revision),
            document: text(item.document),
            ...(item.nextDueMs === null ? {} : { due: number(item.nextDueMs) }),
          },
          ConditionExpression: item.revision === 1 ? 'attribute_not_exists(#pk)' : '#revision = :expected',
          ExpressionAttributeNames: item.revision === 1 ? { '#pk': 'pk' } : { '#revision': 'revision' },
          ...(item.revision === 1 ? {} : { ExpressionAttributeValues: { ':expected': number(item.revision - 1) } }),
        }),
      );
      return true;
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      // Our own earlier write, whose answer was lost on the way.
      const [stored] = await this.read([item.name]);
      return stored?.revision === item.revision && stored.document === item.document;
    }
  }

  async remove(name: string, revision: number): Promise<boolean> {
    try {
      await this.#store.client.send(
        new DeleteItemCommand({
          TableName: this.#store.table,
          Key: entryKey(name),
          ConditionExpression: 'attribute_not_exists(#revision) OR #revision = :expected',
          ExpressionAttributeNames: { '#revision': 'revision' },
          ExpressionAttributeValues: { ':expected': number(revision) },
        }),
      );
      return true;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return false;
      throw error;
    }
  }

  async dropMarks(marks: readonly DueMark[]): Promise<void> {
    const requests = new Map(
      marks.map((mark) => [dueSortKey(mark.dueMs, mark.name), { DeleteRequest: { Key: markKey(mark) } }]),
    );
    await writeAll(this.#store, [...requests.values()]);
  }

  async #query(input: Omit<QueryCommandInput, 'TableName'>, limit: number): Promise<Item[]> {
    const items: Item[] = [];
    let from = input.ExclusiveStartKey;
    do {
      const page = await this.#store.client.send(
        new QueryCommand({
          ...input,
          TableName: this.#store.table,
          // A sweep writes what it saw and asks again.
          ConsistentRead: true,
          Limit: limit - items.length,
          ExclusiveStartKey: from,
        }),
      );
      items.push(...(page.Items ?? []));
      from = page.LastEvaluatedKey;
    } while (from !== undefined && items.length < limit);
    return items;
  }
}

function entryKey(name: string): Item {
  return { pk: text(SCHEDULE_PARTITION), sk: text(entrySortKey(name)) };
}

function markKey(mark: DueMark): Item {
  return { pk: text(SCHEDULE_DUE_PARTITION), sk: text(dueSortKey(mark.dueMs, mark.name)) };
}

function itemOf(item: Item): ScheduleItem {
  return {
    name: item['sk']?.S ?? '',
    revision: Number(item['revision']?.N ?? 0),
    nextDueMs: item['due']?.N === undefined ? null : Number(item['due'].N),
    document: item['document']?.S ?? '{}',
  };
}
