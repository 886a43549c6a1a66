/** Slots on DynamoDB: one item per key for its holders, one partition per key for who waits. */
import { ConditionalCheckFailedException, DeleteItemCommand, GetItemCommand, UpdateItemCommand } from '#aws-sdk';

import { SLOT_RETENTION_SECONDS } from '../base/limits.ts';
import {
  checkParked,
  holderOf,
  holdersAt,
  lineOf,
  parkedTaskPartition,
  placeKey,
  placeOf,
  sinceOf,
  taskIdOf,
} from '../ports/slot-keys.ts';
import type {
  CountOptions,
  Holder,
  LastPlace,
  Lines,
  LinesQuery,
  Parked,
  Place,
  Slots,
  SlotsOutcome,
  SlotStore,
  SlotsWrite,
} from '../ports/slots.ts';
import { inPartition, type Query, queryItems, queryPages } from './dynamodb-query.ts';
import { type Item, number, text } from './dynamodb-record.ts';
import { linesIn, noteOf } from './line-notes.ts';
import { type DynamodbTable, writeAll } from './dynamodb-writes.ts';
import { type Built, makingOf, mayMake, updateOf } from './slot-expressions.ts';
import { storedMessage } from './stored-message.ts';

// Another made the item in between, or took it away.
const ROUNDS = 3;
const TASK_SORT_KEY = '-';

/** Slots on the table of state. */
export class DynamodbSlots implements SlotStore {
  readonly #store: DynamodbTable;

  /** Reads and writes nothing yet. */
  constructor(options: DynamodbTable) {
    this.#store = options;
  }

  async read(key: string): Promise<Slots> {
    return slotsOf(await this.#get(keyOf(key)));
  }

  async write(write: SlotsWrite): Promise<SlotsOutcome> {
    let seen: Item | undefined;
    for (let round = 0; round < ROUNDS; round += 1) {
      const refused = await this.#update(write, updateOf(write));
      if (refused === undefined) return { done: true };
      seen = refused.item;
      if (seen !== undefined || !mayMake(write)) break;
      // A path within a map can be written only where the map is: the first holder brings it.
      const remade = await this.#update(write, makingOf(write));
      if (remade === undefined) return { done: true };
    }
    return { done: false, seen: slotsOf(seen) };
  }

  async park(key: string, parked: readonly Parked[], notedMs?: number): Promise<void> {
    for (const each of parked) checkParked(key, each);
    const ttl = number(Math.ceil(this.#store.clock.nowMs() / 1000) + SLOT_RETENTION_SECONDS);
    // In the requests that store them: whoever looks for a task knows its id alone. One of them without the other harms nothing.
    const places = new Map(
      parked.map((each) => [
        taskIdOf(each.holder),
        { ...taskKey(taskIdOf(each.holder)), key: text(key), place: text(placeKey(each)), ttl },
      ]),
    );
    const notes = notedMs === undefined ? [] : [noteOf(key, notedMs)];
    const waiting = parked.map((each) => ({ ...placeAt(key, each), ...parkedFields(each) }));
    await this.#put([...waiting, ...places.values(), ...notes]);
  }

  async noteLine(key: string, nowMs: number): Promise<void> {
    await this.#put([noteOf(key, nowMs)]);
  }

  async lines(query: LinesQuery): Promise<Lines> {
    return linesIn(this.#store, query);
  }

  async since({ sinceMs, holder }: Place, expiresAtSeconds: number): Promise<number> {
    const { client, table: TableName } = this.#store;
    const { Attributes } = await client.send(
      new UpdateItemCommand({
        TableName,
        Key: { pk: text(sinceOf(holder)), sk: text('-') },
        UpdateExpression: 'SET #since = if_not_exists(#since, :since), #ttl = :ttl',
        ExpressionAttributeNames: { '#since': 'since', '#ttl': 'ttl' },
        ExpressionAttributeValues: { ':since': number(sinceMs), ':ttl': number(expiresAtSeconds) },
        ReturnValues: 'ALL_NEW',
      }),
    );
    return Number(Attributes?.['since']?.N ?? sinceMs);
  }

  async line(key: string, limit: number): Promise<Parked[]> {
    // Who has just come must be seen: a line is taken for empty only where it is.
    return limit < 1 ? [] : (await queryItems(this.#store, inLine(key), { most: limit })).map(parkedOf);
  }

  async parked(key: string, place: Place): Promise<Parked | undefined> {
    const item = await this.#get(placeAt(key, place));
    return item === undefined ? undefined : parkedOf(item);
  }

  async unpark(key: string, place: Place, token?: string): Promise<void> {
    const { client, table: TableName } = this.#store;
    const condition = {
      ConditionExpression: '#token = :token',
      ExpressionAttributeNames: { '#token': 'token' },
      ExpressionAttributeValues: { ':token': text(token ?? '') },
    };
    try {
      await client.send(
        new DeleteItemCommand({ TableName, Key: placeAt(key, place), ...(token === undefined ? {} : condition) }),
      );
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
    }
  }

  async lastPlace(id: string): Promise<LastPlace | undefined> {
    const item = await this.#get(taskKey(id));
    if (item === undefined) return undefined;
    const [key, place] = [item['key']?.S ?? '', placeOf(item['place']?.S ?? '')];
    const parked = await this.parked(key, place);
    return { key, place, ...(parked === undefined ? {} : { parked }) };
  }

  async count(key: string, { before, most = Infinity }: CountOptions = {}): Promise<number> {
    let count = 0;
    for await (const page of queryPages(this.#store, { ...inLine(key, before), Select: 'COUNT' }, { most }))
      count += page.Count ?? 0;
    return count;
  }

  async #put(items: readonly Item[]): Promise<void> {
    await writeAll(
      this.#store,
      items.map((Item) => ({ PutRequest: { Item } })),
    );
  }

  async #get(Key: Item): Promise<Item | undefined> {
    const { client, table: TableName } = this.#store;
    return (await client.send(new GetItemCommand({ TableName, Key, ConsistentRead: true }))).Item;
  }

  /** Undefined where it was done, else how the item stood. */
  async #update({ key }: SlotsWrite, built: Built): Promise<{ readonly item: Item | undefined } | undefined> {
    const { client, table: TableName } = this.#store;
    const Key = keyOf(key);
    try {
      await client.send(
        new UpdateItemCommand({ TableName, Key, ...built, ReturnValuesOnConditionCheckFailure: 'ALL_OLD' }),
      );
      return undefined;
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      // Emulators refuse a write without showing the item.
      return { item: error.Item ?? (await this.#get(Key)) };
    }
  }
}

function slotsOf(item: Item | undefined): Slots {
  const holders = Object.entries(item?.['holders']?.M ?? {}).map(([holder, entry]): readonly [string, Holder] => [
    holder,
    holderOf(entry.S ?? ''),
  ]);
  const numeric = (name: string): number | undefined =>
    item?.[name]?.N === undefined ? undefined : Number(item[name].N);
  const [line, checkMs, limit] = [item?.['line']?.S, numeric('check'), numeric('limit')];
  return {
    holders: new Map(holders),
    ...(line === undefined ? {} : { line }),
    ...(checkMs === undefined ? {} : { checkMs }),
    ...(limit === undefined ? {} : { limit }),
  };
}

// ------------------------------------------------------------------- lines

function parkedFields({ holder, token, wake, grants, expiresMs }: Parked): Item {
  return {
    holder: text(holder),
    token: text(token),
    grants: number(grants),
    ...(wake.kind === 'send'
      ? { message: text(JSON.stringify(wake.message)) }
      : { queue: text(wake.queue), receipt: text(wake.receipt) }),
    ...(expiresMs === undefined ? {} : { expires: number(expiresMs) }),
  };
}

function parkedOf(item: Item): Parked {
  const message = item['message']?.S;
  const expires = item['expires']?.N;
  return {
    // As it is sorted.
    ...placeOf(item['sk']?.S ?? ''),
    token: item['token']?.S ?? '',
    grants: Number(item['grants']?.N ?? 0),
    wake:
      message === undefined
        ? { kind: 'show', queue: item['queue']?.S ?? '', receipt: item['receipt']?.S ?? '' }
        : { kind: 'send', message: storedMessage(message) },
    ...(expires === undefined ? {} : { expiresMs: Number(expires) }),
  };
}

function inLine(key: string, before?: Place): Query {
  if (before === undefined) return inPartition(lineOf(key));
  return {
    KeyConditionExpression: '#pk = :pk AND #sk < :before',
    ExpressionAttributeNames: { '#pk': 'pk', '#sk': 'sk' },
    ExpressionAttributeValues: { ':pk': text(lineOf(key)), ':before': text(placeKey(before)) },
  };
}

function keyOf(key: string): Item {
  const { partition, sort } = holdersAt(key);
  return { pk: text(partition), sk: text(sort) };
}

function taskKey(id: string): Item {
  return { pk: text(parkedTaskPartition(id)), sk: text(TASK_SORT_KEY) };
}

function placeAt(key: string, place: Place): Item {
  return { pk: text(lineOf(key)), sk: text(placeKey(place)) };
}
