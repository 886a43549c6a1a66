/** Locks on DynamoDB: one item per key, which stays when nobody has it, so that its tokens go on. */
import { ConditionalCheckFailedException, GetItemCommand, UpdateItemCommand } from '#aws-sdk';

import { LOCK_RETENTION_SECONDS } from '../base/limits.ts';
import { lapsedBeforeMs, LOCK_SHARDS, lockAt, lockPartition, USER_LOCK_PREFIX } from '../ports/lock-place.ts';
import { type LockHolding, type LockRenewal, type LockRequest, type Locks, NOBODY } from '../ports/locks.ts';
import { queryPages, withPrefix } from './dynamodb-query.ts';
import { type Item, number, text } from './dynamodb-record.ts';
import type { DynamodbTable } from './dynamodb-writes.ts';
import { UpdateBuilder } from './update-builder.ts';

/** Where the locks are: `table` is the table of state. */
export type DynamodbLocksOptions = Pick<DynamodbTable, 'client' | 'table'>;

// Each refusal without anybody who has it means that it was given back meanwhile.
const ROUNDS = 5;
const HELD = ['owner', 'until', 'info'] as const;

/** Locks on the table of state. */
export class DynamodbLocks implements Locks {
  readonly #store: DynamodbLocksOptions;

  /** Reads and writes nothing yet. */
  constructor(options: DynamodbLocksOptions) {
    this.#store = options;
  }

  async acquire({ key, owner, nowMs, untilMs, info }: LockRequest): Promise<LockHolding | undefined> {
    for (let round = 0; round < ROUNDS; round += 1) {
      const update = held(new UpdateBuilder(), untilMs).set('owner', text(owner));
      // A first token of the clock's: an item that was deleted long ago had smaller ones.
      update.increment('token', nowMs);
      if (info === undefined) update.remove('info');
      else update.set('info', text(info));
      const [ownerName, until] = [update.name('owner'), update.name('until')];
      const lapsed = `${until} < ${update.value(number(lapsedBeforeMs(nowMs)))}`;
      update.when(`attribute_not_exists(${ownerName}) OR ${lapsed} OR ${ownerName} = ${update.value(text(owner))}`);
      const { done, item } = await this.#update(key, update, 'ALL_NEW');
      const holding = item === undefined ? undefined : holdingOf(key, item);
      if (done || holding !== undefined) return holding;
    }
    return undefined;
  }

  async renew({ key, owner, nowMs, untilMs }: LockRenewal): Promise<boolean> {
    const update = held(new UpdateBuilder(), untilMs);
    const ours = `${update.name('owner')} = ${update.value(text(owner))}`;
    update.when(`${ours} AND ${update.name('until')} >= ${update.value(number(nowMs))}`);
    return (await this.#update(key, update)).done;
  }

  async release({ key, owner }: Pick<LockHolding, 'key' | 'owner'>): Promise<boolean> {
    const update = new UpdateBuilder().set('released', text(owner)).remove(...HELD);
    update.when(`${update.name('owner')} = ${update.value(text(owner))}`);
    const { done, item } = await this.#update(key, update);
    // The answer of a first try may be lost.
    return done || item?.['released']?.S === owner;
  }

  async free(key: string, token: number | undefined): Promise<LockHolding | undefined> {
    const update = new UpdateBuilder().set('released', text(NOBODY)).remove(...HELD);
    const somebody = `attribute_exists(${update.name('owner')})`;
    update.when(
      token === undefined ? somebody : `${somebody} AND ${update.name('token')} = ${update.value(number(token))}`,
    );
    const { done, item } = await this.#update(key, update, 'ALL_OLD');
    return done && item !== undefined ? holdingOf(key, item) : undefined;
  }

  async held(nowMs: number, limit: number): Promise<LockHolding[]> {
    const holdings: LockHolding[] = [];
    for (let shard = 0; shard < LOCK_SHARDS && holdings.length < limit; shard += 1) {
      for await (const page of queryPages(this.#store, withPrefix(lockPartition(shard), USER_LOCK_PREFIX))) {
        for (const item of page.Items ?? []) {
          const holding = holdingOf((item['sk']?.S ?? '').slice(USER_LOCK_PREFIX.length), item);
          if (holding !== undefined && holding.untilMs >= lapsedBeforeMs(nowMs)) holdings.push(holding);
        }
        if (holdings.length >= limit) break;
      }
    }
    return holdings.slice(0, limit);
  }

  /** Where it is refused, `item` is what stands there. */
  async #update(
    key: string,
    update: UpdateBuilder,
    ReturnValues?: 'ALL_NEW' | 'ALL_OLD',
  ): Promise<{ readonly done: boolean; readonly item: Item | undefined }> {
    const { client, table: TableName } = this.#store;
    const Key = keyOf(key);
    try {
      const { Attributes: item } = await client.send(
        new UpdateItemCommand({
          TableName,
          Key,
          ...update.build(),
          ...(ReturnValues === undefined ? {} : { ReturnValues }),
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        }),
      );
      return { done: true, item };
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      // Emulators refuse a write without showing the item.
      const item = error.Item ?? (await client.send(new GetItemCommand({ TableName, Key, ConsistentRead: true }))).Item;
      return { done: false, item };
    }
  }
}

/** Until then, and its item for longer: a renewed one must not be deleted either. */
function held(update: UpdateBuilder, untilMs: number): UpdateBuilder {
  return update.set('until', number(untilMs)).set('ttl', number(Math.ceil(untilMs / 1000) + LOCK_RETENTION_SECONDS));
}

function holdingOf(key: string, item: Item): LockHolding | undefined {
  const owner = item['owner']?.S;
  if (owner === undefined) return undefined;
  const info = item['info']?.S;
  return {
    key,
    owner,
    untilMs: Number(item['until']?.N ?? 0),
    token: Number(item['token']?.N ?? 0),
    ...(info === undefined ? {} : { info }),
  };
}

function keyOf(key: string): Item {
  const { partition, sort } = lockAt(key);
  return { pk: text(partition), sk: text(sort) };
}
