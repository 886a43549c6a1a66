/** Pauses on DynamoDB: one partition, since there are as many as queues that people have paused. */
import { ConditionalCheckFailedException, DeleteItemCommand, GetItemCommand, PutItemCommand } from '#aws-sdk';

import type { Pause, Pauses } from '../ports/pauses.ts';
import { sortKey } from '../ports/store-limits.ts';
import { inPartition, queryItems } from './dynamodb-query.ts';
import { type Item, number, text } from './dynamodb-record.ts';
import type { DynamodbTable } from './dynamodb-writes.ts';
import { PAUSE_PARTITION } from './keys.ts';

/** Where the pauses are: `table` is the table of state. */
export type DynamodbPausesOptions = Pick<DynamodbTable, 'client' | 'table'>;

/** Pauses on the table of state. */
export class DynamodbPauses implements Pauses {
  readonly #store: DynamodbPausesOptions;

  /** Reads and writes nothing yet. */
  constructor(options: DynamodbPausesOptions) {
    this.#store = options;
  }

  async list(): Promise<Pause[]> {
    return (await queryItems(this.#store, inPartition(PAUSE_PARTITION))).map(pauseOf);
  }

  async put(pause: Pause): Promise<Pause> {
    const { client, table: TableName } = this.#store;
    const Key = keyOf(pause.queue);
    try {
      await client.send(
        new PutItemCommand({
          TableName,
          Item: { ...Key, ...fieldsOf(pause) },
          ConditionExpression: 'attribute_not_exists(#pk)',
          ExpressionAttributeNames: { '#pk': 'pk' },
        }),
      );
      return pause;
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      const { Item: held } = await client.send(new GetItemCommand({ TableName, Key, ConsistentRead: true }));
      // Somebody has resumed it meanwhile.
      return held === undefined ? this.put(pause) : pauseOf(held);
    }
  }

  async remove(queue: string): Promise<Pause | undefined> {
    const { client, table: TableName } = this.#store;
    const { Attributes } = await client.send(
      new DeleteItemCommand({ TableName, Key: keyOf(queue), ReturnValues: 'ALL_OLD' }),
    );
    return Attributes === undefined ? undefined : pauseOf(Attributes);
  }
}

function fieldsOf({ sinceMs, by, why, eventSources }: Pause): Item {
  return {
    since: number(sinceMs),
    by: text(by),
    ...(why === undefined ? {} : { why: text(why) }),
    ...(eventSources === undefined ? {} : { sources: text(JSON.stringify(eventSources)) }),
  };
}

function pauseOf(item: Item): Pause {
  const why = item['why']?.S;
  const sources = item['sources']?.S;
  return {
    queue: item['sk']?.S ?? '',
    sinceMs: Number(item['since']?.N ?? 0),
    by: item['by']?.S ?? '',
    ...(why === undefined ? {} : { why }),
    ...(sources === undefined ? {} : { eventSources: JSON.parse(sources) as string[] }),
  };
}

function keyOf(queue: string): Item {
  return { pk: text(PAUSE_PARTITION), sk: text(sortKey(queue)) };
}
