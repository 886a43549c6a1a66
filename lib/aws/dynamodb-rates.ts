/** Rate limits on DynamoDB: one item per limit and key, one conditional update for as many places as a batch asks for. */
import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
} from '#aws-sdk';

import { RATE_RETENTION_SECONDS } from '../base/limits.ts';
import {
  CONTROL_PARTITION,
  CONTROL_RATE_PREFIX,
  keptSlotPartition,
  movedMicros,
  ratePartition,
} from '../ports/rate-line.ts';
import type { KeepSlotRequest, KeptSlot, RateLine, RateRequest, Rates } from '../ports/rates.ts';
import { partitionKey, sortKey } from '../ports/store-limits.ts';
import { queryItems, withPrefix } from './dynamodb-query.ts';
import { type Item, number, text } from './dynamodb-record.ts';
import type { DynamodbTable } from './dynamodb-writes.ts';
import { UpdateBuilder } from './update-builder.ts';

/** Where the lines are: `table` is the table of state. */
export type DynamodbRatesOptions = Pick<DynamodbTable, 'client' | 'table'>;

// Each refusal means that somebody else has moved on meanwhile.
const ROUNDS = 5;
// Keys whose last write is remembered: a wrong guess costs a write unit, and nothing else.
const MOST_REMEMBERED = 1000;
const LINE_SORT_KEY = '-';

/** How a line stands before a write, as far as this process knows. */
type Seen = 'empty' | 'standing' | { readonly nextMicros: number; readonly paceMicros: number };

/** Rate limits on the table of state. */
export class DynamodbRates implements Rates {
  readonly #store: DynamodbRatesOptions;
  /** Keys in whose line somebody stood when this process last asked. */
  readonly #standing = new Set<string>();

  /** Reads and writes nothing yet. */
  constructor(options: DynamodbRatesOptions) {
    this.#store = options;
  }

  async reserve(request: RateRequest): Promise<RateLine | undefined> {
    let seen: Seen = this.#standing.has(request.key) ? 'standing' : 'empty';
    for (let round = 0; round < ROUNDS; round += 1) {
      const answer = await this.#write(request, seen);
      if ('nextMicros' in answer) {
        this.#remember(request.key, answer.nextMicros > request.nowMs * 1000);
        return answer;
      }
      seen = answer.seen;
    }
    return undefined;
  }

  async keep({ id, attempt, slot, instead, expiresAtSeconds }: KeepSlotRequest): Promise<KeptSlot> {
    const { client, table: TableName } = this.#store;
    const item: Item = {
      ...keptKey(id, attempt),
      slot: number(slot.slotMicros),
      pace: number(slot.paceMicros),
      lates: number(slot.lates),
      ttl: number(expiresAtSeconds),
    };
    try {
      await client.send(
        new PutItemCommand({
          TableName,
          Item: item,
          ConditionExpression:
            instead === undefined ? 'attribute_not_exists(#pk)' : 'attribute_not_exists(#pk) OR #slot = :instead',
          ExpressionAttributeNames: { '#pk': 'pk', ...(instead === undefined ? {} : { '#slot': 'slot' }) },
          ...(instead === undefined ? {} : { ExpressionAttributeValues: { ':instead': number(instead.slotMicros) } }),
        }),
      );
      return slot;
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      // It can only have gone by its time to live since: then ours is as good.
      return (await this.kept(id, attempt)) ?? slot;
    }
  }

  async kept(id: string, attempt: number): Promise<KeptSlot | undefined> {
    const { client, table: TableName } = this.#store;
    const { Item: item } = await client.send(
      new GetItemCommand({ TableName, Key: keptKey(id, attempt), ConsistentRead: true }),
    );
    if (item === undefined) return undefined;
    return { slotMicros: of(item, 'slot'), paceMicros: of(item, 'pace'), lates: of(item, 'lates') };
  }

  async setLimit(task: string, limit: string | undefined): Promise<void> {
    const { client, table: TableName } = this.#store;
    const key: Item = { pk: text(CONTROL_PARTITION), sk: text(sortKey(`${CONTROL_RATE_PREFIX}${task}`)) };
    if (limit === undefined) await client.send(new DeleteItemCommand({ TableName, Key: key }));
    else await client.send(new PutItemCommand({ TableName, Item: { ...key, limit: text(limit) } }));
  }

  async limits(): Promise<ReadonlyMap<string, string>> {
    const items = await queryItems(this.#store, withPrefix(CONTROL_PARTITION, CONTROL_RATE_PREFIX));
    return new Map(items.map(({ sk, limit }) => [(sk?.S ?? '').slice(CONTROL_RATE_PREFIX.length), limit?.S ?? '']));
  }

  async #write(request: RateRequest, seen: Seen): Promise<RateLine | { readonly seen: Seen }> {
    const { client, table: TableName } = this.#store;
    try {
      const { Attributes: item } = await client.send(
        new UpdateItemCommand({
          TableName,
          Key: lineKey(request.key),
          ...writeOf(request, seen),
          ReturnValues: 'ALL_NEW',
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        }),
      );
      await this.#keepLonger(request.key, item ?? {});
      return lineOf(item ?? {});
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      return { seen: await this.#seen(request, error.Item) };
    }
  }

  /** Emulators refuse a write without showing the item. */
  async #seen({ key, nowMs, paceMicros }: RateRequest, shown: Item | undefined): Promise<Seen> {
    const { client, table: TableName } = this.#store;
    const item =
      shown ?? (await client.send(new GetItemCommand({ TableName, Key: lineKey(key), ConsistentRead: true }))).Item;
    if (item === undefined || of(item, 'next') < nowMs * 1000) return 'empty';
    const pace = of(item, 'pace');
    return pace === paceMicros ? 'standing' : { nextMicros: of(item, 'next'), paceMicros: pace };
  }

  /** A line that grows is not stored anew: its time to live would end while somebody stands in it. */
  async #keepLonger(key: string, item: Item): Promise<void> {
    const endSeconds = Math.ceil(of(item, 'next') / 1_000_000);
    if (of(item, 'ttl') >= endSeconds + RATE_RETENTION_SECONDS / 2) return;
    const update = new UpdateBuilder().set('ttl', number(endSeconds + RATE_RETENTION_SECONDS));
    const { client, table: TableName } = this.#store;
    await client.send(new UpdateItemCommand({ TableName, Key: lineKey(key), ...update.build() }));
  }

  #remember(key: string, standing: boolean): void {
    this.#standing.delete(key);
    if (!standing) return;
    this.#standing.add(key);
    const [oldest] = this.#standing;
    if (this.#standing.size > MOST_REMEMBERED && oldest !== undefined) this.#standing.delete(oldest);
  }
}

/** Each condition is how the line was seen to stand: a place that was taken meanwhile fails it. */
function writeOf({ count, paceMicros, nowMs }: RateRequest, seen: Seen): ReturnType<UpdateBuilder['build']> {
  const update = new UpdateBuilder();
  const nowMicros = nowMs * 1000;
  const step = count * paceMicros;
  const next = update.name('next');
  const keptUntil = (micros: number): void => {
    update.set('ttl', number(Math.ceil(micros / 1_000_000) + RATE_RETENTION_SECONDS));
  };
  if (seen === 'empty') {
    update
      .set('next', number(nowMicros + step))
      .set('pace', number(paceMicros))
      .remove('changed', 'from');
    keptUntil(nowMicros + step);
    return update.when(`attribute_not_exists(${next}) OR ${next} < ${update.value(number(nowMicros))}`).build();
  }
  if (seen === 'standing') {
    update.add('next', number(step));
    const pace = `${update.name('pace')} = ${update.value(number(paceMicros))}`;
    return update.when(`${next} >= ${update.value(number(nowMicros))} AND ${pace}`).build();
  }
  const movedTo = movedMicros(seen.nextMicros, nowMicros, seen.paceMicros, paceMicros) + step;
  update
    .set('next', number(movedTo))
    .set('pace', number(paceMicros))
    .set('changed', number(nowMicros))
    .set('from', number(seen.paceMicros));
  keptUntil(movedTo);
  const same = `${next} = ${update.value(number(seen.nextMicros))}`;
  return update.when(`${same} AND ${update.name('pace')} = ${update.value(number(seen.paceMicros))}`).build();
}

function lineOf(item: Item): RateLine {
  const changed =
    item['changed'] === undefined ? {} : { changed: { atMicros: of(item, 'changed'), fromMicros: of(item, 'from') } };
  return { nextMicros: of(item, 'next'), ...changed };
}

function of(item: Item, attribute: string): number {
  return Number(item[attribute]?.N ?? 0);
}

function lineKey(key: string): Item {
  return { pk: text(partitionKey(ratePartition(key))), sk: text(LINE_SORT_KEY) };
}

function keptKey(id: string, attempt: number): Item {
  return { pk: text(partitionKey(keptSlotPartition(id))), sk: text(sortKey(String(attempt))) };
}
