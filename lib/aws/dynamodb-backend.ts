/** Results on DynamoDB: one conditional UpdateItem for each step of the protocol, no transactions, no scans. */
import type { DynamoDBClient, UpdateItemCommandInput } from '@aws-sdk/client-dynamodb';
import {
  BatchGetItemCommand,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  GetItemCommand,
  UpdateItemCommand,
} from '#aws-sdk';

import { refusalOf } from '../ports/claims.ts';
import { DYNAMODB_MAX_BATCH_GETS } from '../base/limits.ts';
import type {
  Backend,
  ClaimOutcome,
  ClaimRequest,
  CommitRequest,
  ConcludeOutcome,
  ConcludeRequest,
  ReopenRequest,
  TaskRecord,
  UpdateOutcome,
  UpdateRequest,
} from '../ports/backend.ts';
import type { Clock, Random } from '../base/time.ts';
import { mapConcurrently } from '../base/map-concurrently.ts';
import { backoff } from './backoff.ts';
import { readTerminated, reopenTask, revokeTask } from '#deployed/aws/dynamodb-revokes';
import { freeFor, isConclusion, isOurs, oursFor } from './dynamodb-conditions.ts';
import { claimFields, commitFields, concludeFields, ENDED_OTHERWISE, updateFields } from './dynamodb-fields.ts';
import { DynamodbBatch } from './dynamodb-batch.ts';
import type { StatementOutcome } from './dynamodb-statements.ts';
import { document, isExpired, type Item, number, recordOf, text } from './dynamodb-record.ts';
import { resultKey } from './keys.ts';
import type { TaskItem } from './dynamodb-revokes.ts';
import { UpdateBuilder } from './update-builder.ts';

// A failed tree of a hundred thousand steps is concluded item by item, and a group of as many forgotten.
const SINGLES_AT_ONCE = 16;

/** Where the results are, and by what they are reached. */
export interface DynamodbBackendOptions {
  /** What sends its requests. */
  readonly client: DynamoDBClient;
  /** Name of the table of results. */
  readonly table: string;
  /** Waits between attempts. */
  readonly clock: Clock;
  /** Random numbers for jitter between attempts. */
  readonly random: Random;
}

/**
 * Results on DynamoDB: claims, commits and revokes as conditional writes, in items that Celery's DynamoDB backend
 * reads.
 */
export class DynamodbBackend implements Backend {
  readonly #client: DynamoDBClient;
  readonly #table: string;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #batch: DynamodbBatch;

  /** Reads and writes nothing yet. */
  constructor(options: DynamodbBackendOptions) {
    this.#client = options.client;
    this.#table = options.table;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#batch = new DynamodbBatch(options.client, options.table);
  }

  async claim(requests: readonly ClaimRequest[]): Promise<ClaimOutcome[]> {
    const first = requests.filter((request) => request.attempt === 0);
    const won = new Set(first.length < 2 ? [] : done(first, await this.#batch.claim(first)));
    return Promise.all(
      requests.map(async (request) =>
        won.has(request) ? { kind: 'claimed', deliveries: 1, requeues: 0 } : this.#claim(request),
      ),
    );
  }

  async commit(requests: readonly CommitRequest[]): Promise<boolean[]> {
    const ours = new Set(requests.length < 2 ? [] : done(requests, await this.#batch.commit(requests)));
    return Promise.all(requests.map(async (request) => ours.has(request) || this.#commit(request)));
  }

  conclude(requests: readonly ConcludeRequest[]): Promise<ConcludeOutcome[]> {
    return mapConcurrently(requests, SINGLES_AT_ONCE, (request) => this.#conclude(request));
  }

  async #claim(request: ClaimRequest): Promise<ClaimOutcome> {
    const update = new UpdateBuilder()
      .setAll(claimFields(request))
      .increment('deliveries')
      .remove('settlement', 'ignored');
    if (request.keepMeta) update.setIfAbsent('result', document(request.meta));
    else update.set('result', document(request.meta));
    const free = freeFor(update, request.attempt, request.nowMs);
    update.when(`attribute_not_exists(${update.name('revoked')}) AND ${free}`);
    const done = await this.#write(request.id, update, 'ALL_NEW');
    if (done.ok) return claimed(done.item);
    const record = done.item && recordOf(done.item);
    if (record === undefined) return this.#claim(request);
    if (isExpired(record, request.nowMs))
      return this.#replaceExpired(request.id, request.nowMs, () => this.#claim(request));
    // Our own earlier write, whose answer was lost on the way.
    if (isOurs(record, request)) return claimed(done.item);
    return refusalOf(record, request.attempt, request.nowMs, true) ?? this.#claim(request);
  }

  async #commit(request: CommitRequest): Promise<boolean> {
    const update = new UpdateBuilder().setAll(commitFields(request));
    update.when(oursFor(update, request));
    const done = await this.#write(request.id, update, 'NONE');
    if (done.ok) return true;
    const record = done.item && recordOf(done.item);
    // Our own earlier write, whose answer was lost on the way.
    return (
      record?.owner === request.owner && record.attempt === request.attempt && record.committed === request.attempt
    );
  }

  async release(request: { readonly id: string; readonly attempt: number; readonly owner: string }): Promise<boolean> {
    const update = new UpdateBuilder().set('lease', number(0)).increment('requeues');
    // Once: counted twice, it would let a lost delivery pass for one that was handed back.
    update.when(`${oursFor(update, request)} AND ${update.name('lease')} > ${update.value(number(0))}`);
    const done = await this.#write(request.id, update, 'NONE');
    if (done.ok) return true;
    const record = done.item && recordOf(done.item);
    // Our own earlier write, whose answer was lost on the way.
    return record !== undefined && isOurs(record, request) && record.leaseMs === 0;
  }

  async noteSettled({ id, attempt }: { readonly id: string; readonly attempt: number }): Promise<void> {
    const update = new UpdateBuilder().set('settled', number(attempt));
    update.when(`${update.name('committed')} = ${update.value(number(attempt))}`);
    await this.#write(id, update, 'NONE');
  }

  async update(request: UpdateRequest): Promise<UpdateOutcome> {
    const update = new UpdateBuilder().setAll(updateFields(request));
    update.when(`${oursFor(update, request)} AND attribute_not_exists(${update.name('terminate')})`);
    const { ok, item } = await this.#write(request.id, update, 'NONE');
    if (ok) return 'stored';
    return item !== undefined && isOurs(recordOf(item), request) ? 'terminated' : 'lost';
  }

  async #conclude(request: ConcludeRequest): Promise<ConcludeOutcome> {
    const update = new UpdateBuilder().setAll(concludeFields(request)).remove(...ENDED_OTHERWISE);
    if (request.settlement === undefined) update.remove('settlement');
    update.when(freeFor(update, request.attempt, request.nowMs));
    const done = await this.#write(request.id, update, 'NONE');
    if (done.ok) return { kind: 'concluded' };
    const record = done.item && recordOf(done.item);
    if (record === undefined) return this.#conclude(request);
    if (isExpired(record, request.nowMs))
      return this.#replaceExpired(request.id, request.nowMs, () => this.#conclude(request));
    // Our own earlier write, whose answer was lost on the way.
    if (isConclusion(record, request)) return { kind: 'concluded' };
    const refusal = refusalOf(record, request.attempt, request.nowMs, false);
    return refusal === undefined || refusal.kind === 'revoked' ? this.#conclude(request) : refusal;
  }

  revoke(request: Parameters<Backend['revoke']>[0]): Promise<string> {
    return revokeTask(request, this.#item(request));
  }

  reopen(request: ReopenRequest): Promise<boolean> {
    return reopenTask(request, this.#item(request));
  }

  #item({ id, nowMs }: { readonly id: string; readonly nowMs: number }): TaskItem {
    return {
      write: (update) => this.#write(id, update, 'NONE'),
      replaceExpired: (again) => this.#replaceExpired(id, nowMs, again),
    };
  }

  terminated(ids: readonly string[]): Promise<boolean[]> {
    return readTerminated(ids, this.#client, this.#table);
  }

  async get(ids: readonly string[], nowMs: number): Promise<(TaskRecord | undefined)[]> {
    const items = ids.length === 1 && ids[0] !== undefined ? await this.#getOne(ids[0]) : await this.#getMany(ids);
    return ids.map((id) => {
      const item = items.get(resultKey(id));
      const record = item && recordOf(item);
      // DynamoDB deletes by TTL up to two days late: an expired item is none.
      return record === undefined || isExpired(record, nowMs) ? undefined : record;
    });
  }

  async #getOne(id: string): Promise<Map<string, Item>> {
    const item = await this.#read(id);
    return new Map(item === undefined ? [] : [[resultKey(id), item]]);
  }

  async #getMany(ids: readonly string[]): Promise<Map<string, Item>> {
    const items = new Map<string, Item>();
    let keys = [...new Set(ids)].map((id) => ({ id: text(resultKey(id)) }));
    for (let attempt = 0; keys.length > 0; attempt += 1) {
      const page = keys.slice(0, DYNAMODB_MAX_BATCH_GETS);
      const { Responses, UnprocessedKeys } = await this.#client.send(
        new BatchGetItemCommand({ RequestItems: { [this.#table]: { Keys: page, ConsistentRead: true } } }),
      );
      for (const item of Responses?.[this.#table] ?? []) items.set(item['id']?.S ?? '', item);
      const open = (UnprocessedKeys?.[this.#table]?.Keys ?? []) as typeof keys;
      if (open.length > 0) await backoff(attempt, this.#clock, this.#random);
      else attempt = -1;
      keys = [...open, ...keys.slice(DYNAMODB_MAX_BATCH_GETS)];
    }
    return items;
  }

  async forget(ids: readonly string[]): Promise<void> {
    await mapConcurrently(ids, SINGLES_AT_ONCE, (id) =>
      this.#client.send(new DeleteItemCommand({ TableName: this.#table, Key: { id: text(resultKey(id)) } })),
    );
  }

  /** One conditional write. Where the condition fails, `item` is what stands there, or undefined for nothing. */
  async #write(
    id: string,
    update: UpdateBuilder,
    returns: 'ALL_NEW' | 'NONE',
  ): Promise<{ ok: boolean; item: Item | undefined }> {
    const input: UpdateItemCommandInput = {
      TableName: this.#table,
      Key: { id: text(resultKey(id)) },
      ...update.build(),
      ReturnValues: returns,
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    };
    try {
      const { Attributes } = await this.#client.send(new UpdateItemCommand(input));
      return { ok: true, item: Attributes };
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      // Not every backend returns the item with the refusal (dynalite does not): then it is read.
      return { ok: false, item: error.Item ?? (await this.#read(id)) };
    }
  }

  async #read(id: string): Promise<Item | undefined> {
    const { Item: item } = await this.#client.send(
      new GetItemCommand({ TableName: this.#table, Key: { id: text(resultKey(id)) }, ConsistentRead: true }),
    );
    return item;
  }

  async #replaceExpired<T>(id: string, nowMs: number, again: () => Promise<T>): Promise<T> {
    try {
      await this.#client.send(
        new DeleteItemCommand({
          TableName: this.#table,
          Key: { id: text(resultKey(id)) },
          ConditionExpression: '#ttl <= :now',
          ExpressionAttributeNames: { '#ttl': 'ttl' },
          ExpressionAttributeValues: { ':now': number(Math.floor(nowMs / 1000)) },
        }),
      );
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
    }
    return again();
  }
}

/** What the batch did; everything else is asked the single way, which also tells why. */
function done<T>(requests: readonly T[], outcomes: readonly StatementOutcome[]): T[] {
  return requests.filter((_, index) => outcomes[index] === 'done');
}

function claimed(item: Item | undefined): ClaimOutcome {
  const record = item === undefined ? undefined : recordOf(item);
  const { deliveries = 1, requeues = 0, checkpoint } = record ?? {};
  return { kind: 'claimed', deliveries, requeues, ...(checkpoint && { checkpoint }) };
}
