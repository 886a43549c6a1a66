/** Timers on DynamoDB: sharded partitions, sorted by due time, so that a sweep reads what is due and nothing else. */
import { QueryCommand } from '#aws-sdk';
import type { OutgoingMessage } from '../ports/broker.ts';
import type { Timer, Timers } from '../ports/timers.ts';
import { type Item, number, text } from './dynamodb-record.ts';
import { type DynamodbTable, writeAll } from './dynamodb-writes.ts';
import { timerShard, timerSortKey } from '../ports/timer-order.ts';
import { timerPartition, timerUpperBound } from './keys.ts';

export interface DynamodbTimersOptions extends DynamodbTable {
  readonly shards: number;
}

// A net below the sweep, never the trigger: what is left this long after its time is garbage.
const LEFTOVER_SECONDS = 30 * 86_400;

export class DynamodbTimers implements Timers {
  readonly shards: number;
  readonly #store: DynamodbTable;

  constructor(options: DynamodbTimersOptions) {
    this.shards = options.shards;
    this.#store = options;
  }

  async put(timers: readonly Timer[]): Promise<void> {
    // The same key twice in one request is an error; the same timer twice is one timer.
    const items = new Map(timers.map((timer) => [timerSortKey(timer), { PutRequest: { Item: this.#itemOf(timer) } }]));
    await writeAll(this.#store, [...items.values()]);
  }

  async remove(timers: readonly Timer[]): Promise<void> {
    const requests = new Map(
      timers.map((timer) => [timerSortKey(timer), { DeleteRequest: { Key: this.#key(timer) } }]),
    );
    await writeAll(this.#store, [...requests.values()]);
  }

  async due(shard: number, untilMs: number, limit: number, after?: Timer): Promise<Timer[]> {
    const timers: Timer[] = [];
    let from: Item | undefined = after === undefined ? undefined : this.#key(after);
    do {
      const page = await this.#store.client.send(
        new QueryCommand({
          TableName: this.#store.table,
          KeyConditionExpression: '#pk = :pk AND #sk <= :until',
          ExpressionAttributeNames: { '#pk': 'pk', '#sk': 'sk' },
          ExpressionAttributeValues: { ':pk': text(timerPartition(shard)), ':until': text(timerUpperBound(untilMs)) },
          // A sweep deletes what it sent and asks again: an eventually consistent answer would show it once more.
          ConsistentRead: true,
          Limit: limit - timers.length,
          ...(from === undefined ? {} : { ExclusiveStartKey: from }),
        }),
      );
      for (const item of page.Items ?? []) timers.push(timerOf(item));
      from = page.LastEvaluatedKey;
    } while (from !== undefined && timers.length < limit);
    return timers;
  }

  #key(timer: Timer): Item {
    return {
      pk: text(timerPartition(timerShard(timer, this.shards))),
      sk: text(timerSortKey(timer)),
    };
  }

  #itemOf(timer: Timer): Item {
    return {
      ...this.#key(timer),
      task_id: text(timer.id),
      attempt: number(timer.attempt),
      due: number(timer.dueMs),
      message: text(JSON.stringify(timer.message)),
      ...(timer.sequence === undefined ? {} : { sequence: text(timer.sequence) }),
      ttl: number(Math.floor(timer.dueMs / 1000) + LEFTOVER_SECONDS),
    };
  }
}

function timerOf(item: Item): Timer {
  const sequence = item['sequence']?.S;
  return {
    id: item['task_id']?.S ?? '',
    attempt: Number(item['attempt']?.N ?? 0),
    dueMs: Number(item['due']?.N ?? 0),
    message: JSON.parse(item['message']?.S ?? '{}') as OutgoingMessage,
    ...(sequence === undefined ? {} : { sequence }),
  };
}
