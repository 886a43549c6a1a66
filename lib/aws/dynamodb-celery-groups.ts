/** Celery's groups on the results table, in the very items of Celery's DynamoDB backend. */
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { ConditionalCheckFailedException, DeleteItemCommand, GetItemCommand, UpdateItemCommand } from '#aws-sdk';
import type { CeleryCount, CeleryGroup, CeleryGroups } from '../ports/celery-groups.ts';
import { celeryGroupMembers, checkGroupSize } from '../wire/celery-group.ts';
import { document, type Item, number, text, timestamp } from './dynamodb-record.ts';
import { chordKey, groupKey } from './keys.ts';
import { UpdateBuilder } from './update-builder.ts';

// Celery's attribute, and two of ours on the same item, which Celery ignores.
const COUNT = 'chord_count';
const COUNTED = 'celeriac_counted';
const CLOSED = 'celeriac_closed';

/** Celery's groups on the table of results, in the very items of Celery's DynamoDB backend. */
export class DynamodbCeleryGroups implements CeleryGroups {
  readonly #client: DynamoDBClient;
  readonly #table: string;

  /** Reads and writes nothing yet. `table` is the name of the table of results. */
  constructor(options: { readonly client: DynamoDBClient; readonly table: string }) {
    this.#client = options.client;
    this.#table = options.table;
  }

  async define(group: CeleryGroup): Promise<void> {
    const json = checkGroupSize(group);
    // The counter first: a member that finds the group counts.
    if (group.chord) await this.#put(chordKey(group.groupId), new UpdateBuilder().set(COUNT, number(0)), group);
    await this.#put(groupKey(group.groupId), new UpdateBuilder().set('result', document(json)), group);
  }

  async #put(key: string, update: UpdateBuilder, { nowMs, expiresAtSeconds }: CeleryGroup): Promise<void> {
    update.set('timestamp', timestamp(nowMs)).set('ttl', number(expiresAtSeconds));
    update.when(`attribute_not_exists(${update.name('id')})`);
    await this.#update(key, update.build());
  }

  async members(groupId: string, nowMs: number): Promise<readonly string[] | undefined> {
    const item = await this.#read(groupKey(groupId));
    // DynamoDB deletes by TTL up to two days late.
    if (Number(item?.['ttl']?.N ?? Infinity) * 1000 <= nowMs) return undefined;
    const bytes = item?.['result']?.B;
    return bytes === undefined ? undefined : celeryGroupMembers(Buffer.from(bytes).toString('utf8'));
  }

  async count(request: Parameters<CeleryGroups['count']>[0]): Promise<CeleryCount | undefined> {
    const key = chordKey(request.groupId);
    const counted = await this.#update(key, {
      UpdateExpression: 'SET #count = #count + :one, #ttl = if_not_exists(#ttl, :ttl) ADD #counted :indexes',
      // A delivery that comes back finds itself counted.
      ConditionExpression: 'attribute_exists(#count) AND NOT contains(#counted, :index)',
      ExpressionAttributeNames: { '#count': COUNT, '#counted': COUNTED, '#ttl': 'ttl' },
      ExpressionAttributeValues: {
        ':one': number(1),
        ':index': number(request.index),
        ':indexes': { NS: [String(request.index)] },
        ':ttl': number(request.expiresAtSeconds),
      },
    });
    return countOf(counted ?? (await this.#read(key)));
  }

  async close(groupId: string): Promise<void> {
    const update = new UpdateBuilder().set(CLOSED, { BOOL: true });
    update.when(`attribute_exists(${update.name(COUNT)})`);
    await this.#update(chordKey(groupId), update.build());
  }

  async forget(groupId: string): Promise<void> {
    if ((await this.#read(chordKey(groupId))) !== undefined) return;
    await this.#client.send(new DeleteItemCommand({ TableName: this.#table, Key: { id: text(groupKey(groupId)) } }));
  }

  async #read(key: string): Promise<Item | undefined> {
    const { Item: item } = await this.#client.send(
      new GetItemCommand({ TableName: this.#table, Key: { id: text(key) }, ConsistentRead: true }),
    );
    return item;
  }

  /** The item afterwards; undefined where the condition does not hold. */
  async #update(key: string, update: ReturnType<UpdateBuilder['build']>): Promise<Item | undefined> {
    try {
      const { Attributes } = await this.#client.send(
        new UpdateItemCommand({ TableName: this.#table, Key: { id: text(key) }, ...update, ReturnValues: 'ALL_NEW' }),
      );
      return Attributes;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return undefined;
      throw error;
    }
  }
}

function countOf(item: Item | undefined): CeleryCount | undefined {
  const count = item?.[COUNT]?.N;
  return count === undefined ? undefined : { count: Number(count), closed: item?.[CLOSED]?.BOOL === true };
}
