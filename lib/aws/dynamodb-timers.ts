/** Timers on DynamoDB: sharded partitions, sorted by due time, so that a sweep reads what is due and nothing else. */
import type { DueTimers, Timer, Timers, TimerWrite } from '../ports/timers.ts';
import { queryItems } from './dynamodb-query.ts';
import { type Item, number, text } from './dynamodb-record.ts';
import { type DynamodbTable, writeAll } from './dynamodb-writes.ts';
import { eachDueIn, timerShard, timerSortKey } from '../ports/timer-order.ts';
import { timerPartition, timerUpperBound } from './keys.ts';
import { storedMessage } from './stored-message.ts';

/** Where the timers are: `table` is the table of state. */
export interface DynamodbTimersOptions extends DynamodbTable {
  /**
   * How many partitions there are, as the app's `timerShards` says. Raise only: timers in dropped shards are not swept.
   */
  readonly shards: number;
}

// A net below the sweep, never the trigger: what is left this long after its time is garbage. Those of a paused queue are left
// until it is resumed.
const LEFTOVER_SECONDS = 365 * 86_400;

/** Timers on DynamoDB: partitions by shard, sorted by due time, so that a sweep reads what is due and nothing else. */
export class DynamodbTimers implements Timers {
  readonly #shards: number;
  readonly #store: DynamodbTable;
  // Where a timer was found. Whoever may store timers may store one whose fields say something else than its key, and what is
  // removed elsewhere would be sent by every sweep.
  readonly #found = new WeakMap<Timer, Item>();

  /** Reads and writes nothing yet. */
  constructor(options: DynamodbTimersOptions) {
    this.#shards = options.shards;
    this.#store = options;
  }

  async put(timers: readonly Timer[]): Promise<readonly number[]> {
    // The same key twice in one request is an error; the same timer twice is one timer.
    const items = new Map(timers.map((timer) => [timerSortKey(timer), { PutRequest: { Item: this.#itemOf(timer) } }]));
    await writeAll(this.#store, [...items.values()]);
    return timers.map((timer) => timerShard(timer, this.#shards));
  }

  writeOf(timer: Timer): Promise<TimerWrite> {
    return Promise.resolve({ TableName: this.#store.table, Item: this.#itemOf(timer) as TimerWrite['Item'] });
  }

  async remove(timers: readonly Timer[]): Promise<void> {
    const keys = timers.map((timer) => this.#found.get(timer) ?? this.#key(timer));
    const requests = new Map(keys.map((Key) => [`${Key['pk']?.S} ${Key['sk']?.S}`, { DeleteRequest: { Key } }]));
    await writeAll(this.#store, [...requests.values()]);
  }

  eachDue(due: DueTimers, visit: Parameters<Timers['eachDue']>[1]): Promise<void> {
    return eachDueIn(this.#shards, due, visit, (shard, untilMs, limit, after) =>
      this.#due(shard, untilMs, limit, after),
    );
  }

  async #due(shard: number, untilMs: number, limit: number, after?: Timer): Promise<Timer[]> {
    const from = after === undefined ? undefined : (this.#found.get(after) ?? this.#key(after));
    // A sweep deletes what it sent and asks again: an eventually consistent answer would show it once more.
    const items = await queryItems(
      this.#store,
      {
        KeyConditionExpression: '#pk = :pk AND #sk <= :until',
        ExpressionAttributeNames: { '#pk': 'pk', '#sk': 'sk' },
        ExpressionAttributeValues: { ':pk': text(timerPartition(shard)), ':until': text(timerUpperBound(untilMs)) },
        ...(from === undefined ? {} : { ExclusiveStartKey: from }),
      },
      { most: limit },
    );
    return items.map((item) => {
      const timer = timerOf(item);
      if (item['pk'] !== undefined && item['sk'] !== undefined)
        this.#found.set(timer, { pk: item['pk'], sk: item['sk'] });
      return timer;
    });
  }

  #key(timer: Timer): Item {
    return {
      pk: text(timerPartition(timerShard(timer, this.#shards))),
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

// Fields reach logs and dead letters; an id that is longer has no key of its own.
const LONGEST_ID_CHARACTERS = 1024;

/** Untrusted: every item that is there must leave, whatever it says. */
function timerOf(item: Item): Timer {
  const sequence = item['sequence']?.S;
  return {
    id: (item['task_id']?.S ?? '').slice(0, LONGEST_ID_CHARACTERS),
    attempt: Number(item['attempt']?.N ?? 0),
    // As it is sorted.
    dueMs: Number(/^\d{13}/.exec(item['sk']?.S ?? '')?.[0] ?? 0),
    message: storedMessage(item['message']?.S ?? ''),
    ...(sequence === undefined ? {} : { sequence }),
  };
}
