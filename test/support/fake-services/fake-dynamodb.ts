/**
 * DynamoDB in this process, as far as lib/aws asks it: no HTTP, no timers, the same answers for the same requests.
 * What it does not know it refuses, so that nothing is taken for granted. A read that is not consistent is as stale as
 * it may be: it sees every item as it was before its last write, once, and a range of items always.
 */
import {
  BatchExecuteStatementCommand,
  BatchGetItemCommand,
  type BatchStatementResponse,
  BatchWriteItemCommand,
  ConditionalCheckFailedException,
  DeleteItemCommand,
  type DynamoDBServiceException,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  type QueryCommandInput,
  ResourceNotFoundException,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';

import { type Condition, Placeholders, readCondition } from './expression.ts';
import { readStatement, type Statement } from './partiql.ts';
import { FakeTable, type KeySchema } from './table.ts';
import { readUpdate } from './update-expression.ts';
import { invalid, type Item, itemBytes, equal, takenItem, typeOf } from './values.ts';

// Amazon's own figures.
const MAX_BATCH_GETS = 100;
const MAX_BATCH_WRITES = 25;
const MAX_BATCH_STATEMENTS = 25;
const PAGE_BYTES = 1024 * 1024;

/** One item changed. `values` are those that the request brought. */
export interface TableWrite {
  readonly table: string;
  readonly before: Item | undefined;
  readonly after: Item | undefined;
  readonly values: readonly string[];
}

export class FakeDynamodb {
  readonly #tables: ReadonlyMap<string, FakeTable>;
  /** Told of every write, before its answer goes out. */
  onWrite: ((write: TableWrite) => void) | undefined;

  constructor(tables: Readonly<Record<string, KeySchema>>) {
    this.#tables = new Map(Object.entries(tables).map(([name, schema]) => [name, new FakeTable(name, schema)]));
  }

  table(name: string | undefined): FakeTable {
    const table = this.#tables.get(name ?? '');
    if (table !== undefined) return table;
    throw new ResourceNotFoundException({ message: `Requested resource not found: ${name}`, $metadata: {} });
  }

  /** What has expired vanishes, at a moment of DynamoDB's own. */
  deleteExpired(nowMs: number): void {
    for (const table of this.#tables.values()) {
      const isOver = (item: Item): boolean => Number(item['ttl']?.N ?? Infinity) * 1000 < nowMs;
      const over = [...table.items()].filter(isOver);
      for (const item of over) table.write(table.itemKeyOf(item), undefined);
    }
  }

  /** As the SDK's client: resolves or rejects, never throws. */
  async send(command: unknown): Promise<object> {
    return Promise.resolve(this.#answer(command));
  }

  #answer(command: unknown): object {
    if (command instanceof GetItemCommand) return this.#get(command.input);
    if (command instanceof PutItemCommand) return this.#put(command.input);
    if (command instanceof UpdateItemCommand) return this.#update(command.input);
    if (command instanceof DeleteItemCommand) return this.#delete(command.input);
    if (command instanceof QueryCommand) return this.#query(command.input);
    if (command instanceof BatchGetItemCommand) return this.#batchGet(command.input);
    if (command instanceof BatchWriteItemCommand) return this.#batchWrite(command.input);
    if (command instanceof BatchExecuteStatementCommand) return this.#batchExecute(command.input);
    throw new Error(`The fake DynamoDB does not know ${(command as object).constructor.name}.`);
  }

  #get(input: GetItemCommand['input']): object {
    known(input, ['TableName', 'Key', 'ConsistentRead']);
    const table = this.table(input.TableName);
    const key = keyIn(table, input.Key);
    const item = table.read(table.itemKeyOf(key), input.ConsistentRead === true);
    return item === undefined ? {} : { Item: { ...item } };
  }

  #put(input: PutItemCommand['input']): object {
    known(input, ['TableName', 'Item', ...CONDITION]);
    const table = this.table(input.TableName);
    const item = takenItem(input.Item ?? {});
    const placeholders = new Placeholders(input);
    const condition = conditionOf(input.ConditionExpression, placeholders);
    placeholders.allUsed();
    const before = table.read(table.itemKeyOf(item), true);
    if (!condition(before ?? {})) throw conditionFailed(input, before);
    this.#write(table, item, before, item, input.ExpressionAttributeValues);
    return {};
  }

  #update(input: UpdateItemCommand['input']): object {
    known(input, ['TableName', 'Key', 'UpdateExpression', 'ReturnValues', ...CONDITION]);
    const table = this.table(input.TableName);
    const key = keyIn(table, input.Key);
    const placeholders = new Placeholders(input);
    const update = readUpdate(input.UpdateExpression ?? '', placeholders, table.keys);
    const condition = conditionOf(input.ConditionExpression, placeholders);
    placeholders.allUsed();
    const before = table.read(table.itemKeyOf(key), true);
    if (!condition(before ?? {})) throw conditionFailed(input, before);
    const after = takenItem(update(before ?? key));
    this.#write(table, key, before, after, input.ExpressionAttributeValues);
    const { ReturnValues: returns = 'NONE' } = input;
    if (!['NONE', 'ALL_NEW', 'ALL_OLD'].includes(returns))
      throw new Error(`The fake DynamoDB does not return ${returns}.`);
    if (returns === 'ALL_OLD' && before !== undefined) return { Attributes: { ...before } };
    return returns === 'ALL_NEW' ? { Attributes: { ...after } } : {};
  }

  #delete(input: DeleteItemCommand['input']): object {
    known(input, ['TableName', 'Key', 'ReturnValues', ...CONDITION]);
    const table = this.table(input.TableName);
    const key = keyIn(table, input.Key);
    const placeholders = new Placeholders(input);
    const condition = conditionOf(input.ConditionExpression, placeholders);
    placeholders.allUsed();
    const before = table.read(table.itemKeyOf(key), true);
    if (!condition(before ?? {})) throw conditionFailed(input, before);
    this.#write(table, key, before, undefined, {});
    const { ReturnValues: returns = 'NONE' } = input;
    if (!['NONE', 'ALL_OLD'].includes(returns)) throw new Error(`The fake DynamoDB does not return ${returns}.`);
    return returns === 'ALL_OLD' && before !== undefined ? { Attributes: { ...before } } : {};
  }

  #query(input: QueryCommandInput): object {
    known(input, [
      'TableName',
      'KeyConditionExpression',
      'ProjectionExpression',
      'ExpressionAttributeNames',
      'ExpressionAttributeValues',
      'ConsistentRead',
      'Limit',
      'ExclusiveStartKey',
      'ScanIndexForward',
      'Select',
    ]);
    const table = this.table(input.TableName);
    const placeholders = new Placeholders(input);
    const condition = readCondition(input.KeyConditionExpression ?? '', placeholders);
    const partition = partitionIn(table, input);
    const shown = shownBy(input.ProjectionExpression, placeholders);
    placeholders.allUsed();
    const { Limit: limit = Infinity, ExclusiveStartKey: from } = input;
    if (limit < 1) throw invalid('Limit must be at least 1');
    const counts = input.Select === 'COUNT';
    if (input.Select !== undefined && !counts) throw new Error(`The fake DynamoDB does not select ${input.Select}.`);
    const after = from === undefined ? undefined : table.itemKeyOf(keyIn(table, from)).sort;
    const Items: Item[] = [];
    let [bytes, last]: [number, Item | undefined] = [0, undefined];
    for (const item of table.partition(
      partition,
      input.ConsistentRead === true,
      after,
      input.ScanIndexForward !== false,
    )) {
      if (!condition(item)) continue;
      if (Items.length >= limit || bytes > PAGE_BYTES)
        return { ...(counts ? {} : { Items }), Count: Items.length, LastEvaluatedKey: table.keyOf(last ?? item) };
      last = item;
      bytes += itemBytes(item);
      Items.push(only(item, shown));
    }
    // A page that is full is followed by another one, which may be empty.
    return {
      ...(counts ? {} : { Items }),
      Count: Items.length,
      ...(Items.length >= limit && last !== undefined ? { LastEvaluatedKey: table.keyOf(last) } : {}),
    };
  }

  #batchGet(input: BatchGetItemCommand['input']): object {
    known(input, ['RequestItems']);
    const Responses: Record<string, Item[]> = {};
    for (const [name, { Keys = [], ConsistentRead, ...rest }] of Object.entries(input.RequestItems ?? {})) {
      known(rest, ['ProjectionExpression', 'ExpressionAttributeNames']);
      const placeholders = new Placeholders(rest);
      const shown = shownBy(rest.ProjectionExpression, placeholders);
      placeholders.allUsed();
      if (Keys.length === 0 || Keys.length > MAX_BATCH_GETS) throw invalid(`${Keys.length} keys in BatchGetItem`);
      const table = this.table(name);
      distinct(
        table,
        Keys.map((key) => keyIn(table, key)),
      );
      Responses[name] = Keys.flatMap((key) => {
        const item = table.read(table.itemKeyOf(key), ConsistentRead === true);
        return item === undefined ? [] : [only(item, shown)];
      });
    }
    return { Responses, UnprocessedKeys: {} };
  }

  #batchWrite(input: BatchWriteItemCommand['input']): object {
    known(input, ['RequestItems']);
    const all = Object.entries(input.RequestItems ?? {}).flatMap(([name, requests]) => {
      const table = this.table(name);
      const writes = requests.map(({ PutRequest: put, DeleteRequest: remove }) => {
        if ((put === undefined) === (remove === undefined)) throw invalid('A request is a put or a delete');
        if (put !== undefined) return { table, key: takenItem(put.Item ?? {}), item: takenItem(put.Item ?? {}) };
        return { table, key: keyIn(table, remove?.Key), item: undefined };
      });
      distinct(
        table,
        writes.map(({ key }) => key),
      );
      return writes;
    });
    if (all.length === 0 || all.length > MAX_BATCH_WRITES) throw invalid(`${all.length} requests in BatchWriteItem`);
    for (const { table, key, item } of all) {
      const before = table.read(table.itemKeyOf(key), true);
      this.#write(table, key, before, item, {});
    }
    return { UnprocessedItems: {} };
  }

  #batchExecute(input: BatchExecuteStatementCommand['input']): object {
    known(input, ['Statements']);
    const given = input.Statements ?? [];
    if (given.length === 0 || given.length > MAX_BATCH_STATEMENTS) throw invalid(`${given.length} statements`);
    const statements = given.map(({ Statement: text = '', Parameters = [], ...rest }) => {
      known(rest, []);
      return readStatement(text, Parameters);
    });
    for (const name of new Set(statements.map(({ table }) => table)))
      distinct(this.table(name), statements.filter(({ table }) => table === name).map(itemOf));
    return { Responses: statements.map((statement) => this.#execute(statement)) };
  }

  #execute(statement: Statement): BatchStatementResponse {
    const table = this.table(statement.table);
    const named = itemOf(statement);
    const before = table.read(table.itemKeyOf(named), true);
    const failed = (Code: 'DuplicateItem' | 'ConditionalCheckFailed' | 'ValidationError'): BatchStatementResponse => ({
      Error: { Code, Message: `${Code} of the fake` },
      TableName: table.name,
    });
    let after: Item;
    if (statement.kind === 'insert') {
      if (before !== undefined) return failed('DuplicateItem');
      after = statement.item;
    } else {
      const fits = Object.entries(statement.where).every(([name, value]) => {
        const held = before?.[name];
        return held !== undefined && equal(held, value);
      });
      if (!fits) return failed('ConditionalCheckFailed');
      after = { ...before, ...statement.sets };
    }
    try {
      after = takenItem(after);
    } catch (error) {
      if ((error as DynamoDBServiceException).name === 'ValidationException') return failed('ValidationError');
      throw error;
    }
    const values = statement.kind === 'insert' ? statement.item : { ...statement.where, ...statement.sets };
    this.#write(table, named, before, after, values);
    return { TableName: table.name };
  }

  #write(table: FakeTable, key: Item, before: Item | undefined, after: Item | undefined, values: Item = {}): void {
    table.write(table.itemKeyOf(key), after);
    this.onWrite?.({
      table: table.name,
      before,
      after,
      values: Object.values(values).flatMap(({ S: text }) => (text === undefined ? [] : [text])),
    });
  }
}

const CONDITION = [
  'ConditionExpression',
  'ExpressionAttributeNames',
  'ExpressionAttributeValues',
  'ReturnValuesOnConditionCheckFailure',
];

/** A parameter that the fake passed over would be one that no test sees. */
function known(input: object, names: readonly string[]): void {
  const strange = Object.entries(input).find(([name, value]) => value !== undefined && !names.includes(name));
  if (strange !== undefined) throw new Error(`The fake DynamoDB does not know the parameter ${strange[0]}.`);
}

function keyIn(table: FakeTable, key: Item | undefined): Item {
  const names = Object.keys(key ?? {});
  if (key === undefined || names.length !== table.keys.length || !table.keys.every((name) => names.includes(name)))
    throw invalid('The provided key element does not match the schema');
  table.itemKeyOf(key);
  return takenItem(key);
}

/** A statement names its item by its whole key. */
function itemOf(statement: Statement): Item {
  return statement.kind === 'insert' ? statement.item : statement.where;
}

function distinct(table: FakeTable, keys: readonly Item[]): void {
  const itemKeys = keys.map((key) => JSON.stringify(table.itemKeyOf(key)));
  if (new Set(itemKeys).size < itemKeys.length) throw invalid('Provided list of item keys contains duplicates');
}

function conditionOf(expression: string | undefined, placeholders: Placeholders): Condition {
  return expression === undefined ? () => true : readCondition(expression, placeholders);
}

function conditionFailed(
  input: { readonly ReturnValuesOnConditionCheckFailure?: string | undefined },
  before: Item | undefined,
): ConditionalCheckFailedException {
  const returned = input.ReturnValuesOnConditionCheckFailure === 'ALL_OLD' && before !== undefined;
  return new ConditionalCheckFailedException({
    message: 'The conditional request failed',
    $metadata: { httpStatusCode: 400 },
    ...(returned ? { Item: { ...before } } : {}),
  });
}

const KEY_CONDITION =
  /^(#\w+) = (:\w+)(?: AND (?:(#\w+) (?:[<>]=? :\w+|BETWEEN :\w+ AND :\w+)|begins_with\((#\w+), :\w+\)))?$/;

/** One partition, and one condition on the sort key at most. */
function partitionIn(table: FakeTable, input: QueryCommandInput): string {
  const { KeyConditionExpression: expression = '', ExpressionAttributeNames: names = {} } = input;
  const match = KEY_CONDITION.exec(expression);
  const sort = match?.[3] ?? match?.[4];
  const fits =
    names[match?.[1] ?? ''] === table.schema.partition && (sort === undefined || names[sort] === table.schema.sort);
  const value = input.ExpressionAttributeValues?.[match?.[2] ?? ''];
  if (!fits || value === undefined || typeOf(value) !== 'S')
    throw invalid(`Query key condition not supported: ${expression}`);
  return value.S ?? '';
}

function shownBy(expression: string | undefined, placeholders: Placeholders): readonly string[] | undefined {
  return expression?.split(',').map((path) => placeholders.name(path.trim()));
}

function only(item: Item, shown: readonly string[] | undefined): Item {
  return shown === undefined
    ? { ...item }
    : Object.fromEntries(Object.entries(item).filter(([name]) => shown.includes(name)));
}
