/** Marks of keys on DynamoDB: one item a key, each write conditional on the task that stands in it. */
import {
  ConditionalCheckFailedException,
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
} from '#aws-sdk';

import {
  DEBOUNCE_RETENTION_SECONDS,
  DYNAMODB_MAX_BATCH_STATEMENTS,
  MARK_RETENTION_SECONDS,
  MARK_ROUNDS,
} from '../base/limits.ts';
import { mapConcurrently } from '../base/map-concurrently.ts';
import { quoted } from '../base/quote.ts';
import {
  debouncePartition,
  type Episode,
  type JoinRequest,
  type KeyMark,
  type Marks,
  type OwnMark,
  type SealOutcome,
  type TakeMarkRequest,
  uniquePartition,
} from '../ports/marks.ts';
import { partitionKey } from '../ports/store-limits.ts';
import { type Item, number, text } from './dynamodb-record.ts';
import { type Statement, type StatementOutcome, Statements } from './dynamodb-statements.ts';
import { storedMessage } from './stored-message.ts';
import type { DynamodbTable } from './dynamodb-writes.ts';
import { UpdateBuilder } from './update-builder.ts';

/** Where the marks are: `table` is the table of state. */
export type DynamodbMarksOptions = Pick<DynamodbTable, 'client' | 'table'>;

// Requests at a time of what is asked key by key.
const WIDTH = 16;
const SORT_KEY = '-';

interface Written {
  readonly ok: boolean;
  /** What stands there: after the write, or why it was refused. */
  readonly item: Item | undefined;
}

/** Marks of keys on the table of state. */
export class DynamodbMarks implements Marks {
  readonly #store: DynamodbMarksOptions;
  readonly #statements: Statements;

  /** Reads and writes nothing yet. */
  constructor(options: DynamodbMarksOptions) {
    this.#store = options;
    this.#statements = new Statements(options.client);
  }

  async take(requests: readonly TakeMarkRequest[]): Promise<(KeyMark | undefined)[]> {
    // Most keys are free: those are taken many in one request, and what is not free is asked for by itself.
    const fresh = requests.length < 2 ? [] : requests.filter(({ instead }) => instead === undefined);
    const taken = done(fresh, await this.#execute(fresh.map((request) => this.#insert(request))));
    return mapConcurrently(requests, WIDTH, (request) =>
      taken.has(request) ? Promise.resolve(undefined) : this.#take(request),
    );
  }

  async noteSent(marks: readonly OwnMark[]): Promise<void> {
    const outcomes = marks.length < 2 ? [] : await this.#execute(marks.map((mark) => this.#noted(mark)));
    const left = marks.filter((_, index) => (outcomes[index] ?? 'unknown') === 'unknown');
    await mapConcurrently(left, WIDTH, async ({ key, id }) => {
      const update = new UpdateBuilder().set('sent', number(1));
      await this.#write(uniqueKey(key), update.when(is(update, id)));
    });
  }

  async clear(marks: readonly OwnMark[], unsent = false): Promise<void> {
    await mapConcurrently(marks, WIDTH, ({ key, id }) => this.#delete(uniqueKey(key), id, unsent));
  }

  async episode(key: string): Promise<Episode | undefined> {
    const item = await this.#read(debounceKey(key));
    return item && episodeOf(item);
  }

  async open(key: string, { id, firstMs, dueMs, message }: Episode, instead?: string): Promise<boolean> {
    const { client, table: TableName } = this.#store;
    const names = { '#id': 'task_id', ...(instead === undefined ? {} : { '#sealed': 'sealed' }) };
    const ended = instead === undefined ? '' : ' OR (#id = :instead AND attribute_exists(#sealed))';
    try {
      await client.send(
        new PutItemCommand({
          TableName,
          Item: {
            ...debounceKey(key),
            task_id: text(id),
            first: number(firstMs),
            due: number(dueMs),
            message: text(JSON.stringify(message)),
            ttl: ttlOf(dueMs),
          },
          ConditionExpression: `attribute_not_exists(#id) OR #id = :id${ended}`,
          ExpressionAttributeNames: names,
          ExpressionAttributeValues: {
            ':id': text(id),
            ...(instead === undefined ? {} : { ':instead': text(instead) }),
          },
        }),
      );
      return true;
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      return false;
    }
  }

  async join({ key, id, dueMs, message }: JoinRequest): Promise<boolean> {
    const update = new UpdateBuilder()
      .set('message', text(JSON.stringify(message)))
      .set('due', number(dueMs))
      .set('ttl', ttlOf(dueMs));
    update.when(`${is(update, id)} AND attribute_not_exists(${update.name('sealed')})`);
    return (await this.#write(debounceKey(key), update)).ok;
  }

  async noteToken({ key, id }: OwnMark, tokenMs: number): Promise<void> {
    const update = new UpdateBuilder().set('token', number(tokenMs));
    await this.#write(debounceKey(key), update.when(is(update, id)));
  }

  async seal({ key, id }: OwnMark, nowMs: number): Promise<SealOutcome> {
    const update = new UpdateBuilder().set('sealed', number(1));
    const due = `${update.name('due')} <= ${update.value(number(nowMs))}`;
    update.when(`${is(update, id)} AND (attribute_exists(${update.name('sealed')}) OR ${due})`);
    const { ok, item } = await this.#write(debounceKey(key), update, true);
    const episode = item && episodeOf(item);
    if (episode === undefined || episode.id !== id) return { kind: 'gone' };
    return { kind: ok ? 'sealed' : 'waits', episode };
  }

  close({ key, id }: OwnMark): Promise<void> {
    return this.#delete(debounceKey(key), id);
  }

  async #take(request: TakeMarkRequest): Promise<KeyMark | undefined> {
    const { key, id, nowMs, expiresMs, instead } = request;
    for (let round = 0; round < MARK_ROUNDS; round += 1) {
      const update = new UpdateBuilder().setAll(fieldsOf(id, expiresMs)).remove('sent');
      const free = [
        `attribute_not_exists(${update.name('task_id')})`,
        `${update.name('exp')} < ${update.value(number(nowMs))}`,
        is(update, id),
        ...(instead === undefined ? [] : [is(update, instead)]),
      ];
      const { ok, item } = await this.#write(uniqueKey(key), update.when(free.join(' OR ')), true);
      if (ok) return undefined;
      // Gone between the refusal and the look: it is free now.
      if (item !== undefined) return markOf(item);
    }
    throw Object.assign(new Error(`The mark of key ${quoted(key)} came and went ${MARK_ROUNDS} times.`), {
      retryable: true,
    });
  }

  #insert({ key, id, expiresMs }: TakeMarkRequest): Statement {
    const fields = [...Object.entries(uniqueKey(key)), ...fieldsOf(id, expiresMs)];
    return {
      Statement: `INSERT INTO "${this.#store.table}" VALUE {${fields.map(([name]) => `'${name}': ?`).join(', ')}}`,
      Parameters: fields.map(([, value]) => value),
    };
  }

  #noted({ key, id }: OwnMark): Statement {
    const { pk, sk } = uniqueKey(key);
    return {
      Statement: `UPDATE "${this.#store.table}" SET "sent" = ? WHERE "pk" = ? AND "sk" = ? AND "task_id" = ?`,
      Parameters: [number(1), pk, sk, text(id)],
    };
  }

  async #execute(statements: readonly Statement[]): Promise<StatementOutcome[]> {
    const outcomes: StatementOutcome[] = [];
    for (let start = 0; start < statements.length; start += DYNAMODB_MAX_BATCH_STATEMENTS)
      outcomes.push(
        ...(await this.#statements.execute(statements.slice(start, start + DYNAMODB_MAX_BATCH_STATEMENTS))),
      );
    return outcomes;
  }

  /** One conditional write. @param shown whether what stands there afterwards is asked for */
  async #write(key: Key, update: UpdateBuilder, shown = false): Promise<Written> {
    const { client, table: TableName } = this.#store;
    try {
      const { Attributes: item } = await client.send(
        new UpdateItemCommand({
          TableName,
          Key: { ...key },
          ...update.build(),
          ReturnValues: shown ? 'ALL_NEW' : 'NONE',
          ...(shown ? { ReturnValuesOnConditionCheckFailure: 'ALL_OLD' } : {}),
        }),
      );
      return { ok: true, item };
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
      // Emulators refuse a write without showing the item.
      return { ok: false, item: shown ? (error.Item ?? (await this.#read(key))) : undefined };
    }
  }

  async #delete(key: Key, id: string, unsent = false): Promise<void> {
    const { client, table: TableName } = this.#store;
    try {
      await client.send(
        new DeleteItemCommand({
          TableName,
          Key: { ...key },
          ConditionExpression: `#id = :id${unsent ? ' AND attribute_not_exists(#sent)' : ''}`,
          ExpressionAttributeNames: { '#id': 'task_id', ...(unsent ? { '#sent': 'sent' } : {}) },
          ExpressionAttributeValues: { ':id': text(id) },
        }),
      );
    } catch (error) {
      if (!(error instanceof ConditionalCheckFailedException)) throw error;
    }
  }

  async #read(key: Key): Promise<Item | undefined> {
    const { client, table: TableName } = this.#store;
    const { Item: item } = await client.send(new GetItemCommand({ TableName, Key: { ...key }, ConsistentRead: true }));
    return item;
  }
}

type Key = Readonly<Record<'pk' | 'sk', Item[string]>>;

function uniqueKey(key: string): Key {
  return { pk: text(partitionKey(uniquePartition(key))), sk: text(SORT_KEY) };
}

function debounceKey(key: string): Key {
  return { pk: text(partitionKey(debouncePartition(key))), sk: text(SORT_KEY) };
}

function fieldsOf(id: string, expiresMs: number): [string, Item[string]][] {
  return [
    ['task_id', text(id)],
    ['exp', number(expiresMs)],
    ['ttl', number(Math.ceil(expiresMs / 1000) + MARK_RETENTION_SECONDS)],
  ];
}

function ttlOf(dueMs: number): Item[string] {
  return number(Math.ceil(dueMs / 1000) + DEBOUNCE_RETENTION_SECONDS);
}

function is(update: UpdateBuilder, id: string): string {
  return `${update.name('task_id')} = ${update.value(text(id))}`;
}

function markOf(item: Item): KeyMark {
  return {
    id: item['task_id']?.S ?? '',
    expiresMs: Number(item['exp']?.N ?? 0),
    sent: item['sent'] !== undefined,
  };
}

function episodeOf(item: Item): Episode {
  return {
    id: item['task_id']?.S ?? '',
    firstMs: Number(item['first']?.N ?? 0),
    dueMs: Number(item['due']?.N ?? 0),
    message: storedMessage(item['message']?.S ?? ''),
    sealed: item['sealed'] !== undefined,
    ...(item['token'] === undefined ? {} : { tokenMs: Number(item['token'].N ?? 0) }),
  };
}

function done<T>(requests: readonly T[], outcomes: readonly StatementOutcome[]): ReadonlySet<T> {
  return new Set(requests.filter((_, index) => outcomes[index] === 'done'));
}
