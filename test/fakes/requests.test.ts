/** Request by request, the fake DynamoDB answers what a DynamoDB server of somebody else's answers, errors included. */
import {
  type AttributeValue,
  DeleteItemCommand,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { Celeriac, silentLogger } from 'celeriac';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { FakeDynamodb } from '../support/fake-services/fake-dynamodb.ts';
import type { Send } from '../support/fake-services/services.ts';
import { byUtf8 } from '../support/fake-services/values.ts';
import { type Servers, startServers } from '../support/servers.ts';
import { PATIENCE_MS } from '../support/patience.ts';

const RUNS = Number(process.env['HISTORIES'] ?? 60);

/** A command, made for one table and one partition. */
type Make = (table: string, partition: string) => object;

const name = fc.constantFrom('a', 'b', 'c');
const value: fc.Arbitrary<AttributeValue> = fc.oneof(
  fc.integer({ min: -2, max: 11 }).map((number) => ({ N: String(number) })),
  fc.constantFrom('1.50', '1.5', '1e1', '0.001').map((number) => ({ N: number })),
  fc.constantFrom('', 'x', 'xy', 'ÿ', '~', '\u{1F600}').map((text) => ({ S: text })),
  fc.uniqueArray(fc.integer({ min: 0, max: 3 }), { maxLength: 3 }).map((numbers) => ({ NS: numbers.map(String) })),
  fc.boolean().map((truth) => ({ BOOL: truth })),
  fc.constantFrom('x', 'y').map((text) => ({ B: Buffer.from(text) })),
);

/** Text whose placeholders are still names (`#a`) and values (`{json}`). */
type Template = readonly (string | AttributeValue)[];

const operand: fc.Arbitrary<Template> = fc.oneof(
  name.map((each) => [`#${each}`]),
  value.map((each) => [each]),
);
function hasOrder([part]: Template): boolean {
  return typeof part === 'string' || (part?.NS === undefined && part?.BOOL === undefined);
}

const comparison = fc
  .tuple(operand, fc.constantFrom('=', '<', '<=', '>', '>='), operand)
  .filter(([left, , right]) => JSON.stringify(left) !== JSON.stringify(right))
  // What has no order is refused by DynamoDB; this server refuses some of it.
  .filter(([left, operator, right]) => operator === '=' || (hasOrder(left) && hasOrder(right)))
  // This server takes two attributes that are not there for equal; DynamoDB compares nothing with what is not there.
  .filter(([left, , right]) => (typeof left[0] === 'string') !== (typeof right[0] === 'string'))
  .map(([left, operator, right]): Template => [...left, ` ${operator} `, ...right]);
const called = fc.oneof(
  fc
    .tuple(fc.constantFrom('attribute_exists', 'attribute_not_exists'), name)
    .map(([f, n]): Template => [`${f}(#${n})`]),
  fc
    .tuple(name, fc.constantFrom({ N: '1' }, { N: '2' }, { S: 'x' }))
    .map(([n, wanted]): Template => [`contains(#${n}, `, wanted, ')']),
  fc
    .tuple(name, fc.constantFrom({ S: 'x' }, { S: 'xy' }))
    .map(([n, start]): Template => [`begins_with(#${n}, `, start, ')']),
);
const condition: fc.Arbitrary<Template> = fc.letrec<{ all: Template }>((tie) => ({
  all: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    comparison,
    called,
    fc.tuple(tie('all'), fc.constantFrom(' AND ', ' OR '), tie('all')).map(([l, o, r]): Template => [...l, o, ...r]),
    fc.tuple(fc.constantFrom('NOT (', '('), tie('all')).map(([open, inner]): Template => [open, ...inner, ')']),
  ),
})).all;

const setOperand: fc.Arbitrary<Template> = fc.oneof(
  operand,
  fc.tuple(name, value).map(([n, v]): Template => [`if_not_exists(#${n}, `, v, ')']),
);
const change = fc.oneof(
  fc.tuple(setOperand, fc.option(setOperand)).map(([left, right]) => ({
    clause: 'SET',
    text: (n: string): Template => [`#${n} = `, ...left, ...(right === null ? [] : [' + ', ...right])],
  })),
  fc.constant({ clause: 'REMOVE', text: (n: string): Template => [`#${n}`] }),
  fc
    .oneof<fc.Arbitrary<AttributeValue>[]>(
      fc.integer({ min: -3, max: 3 }).map((number) => ({ N: String(number) })),
      fc.constantFrom('1', '2 3').map((numbers) => ({ NS: numbers.split(' ') })),
    )
    .map((v) => ({ clause: 'ADD', text: (n: string): Template => [`#${n} `, v] })),
);
const update: fc.Arbitrary<Template> = fc.dictionary(name, change, { minKeys: 1, maxKeys: 3 }).map((changes) =>
  ['SET', 'REMOVE', 'ADD'].flatMap((clause) => {
    const own = Object.entries(changes).filter(([, each]) => each.clause === clause);
    return own.flatMap(([n, each], index) => [index === 0 ? ` ${clause} ` : ', ', ...each.text(n)]);
  }),
);

/** Puts the placeholders in: a request with a name or a value too many is refused. */
function expressions(templates: Readonly<Record<string, Template | null>>): Record<string, unknown> {
  const values: Record<string, AttributeValue> = {};
  const built: Record<string, unknown> = {};
  for (const [field, template] of Object.entries(templates)) {
    if (template === null) continue;
    built[field] = template
      .map((part) => {
        if (typeof part === 'string') return part;
        const placeholder = `:v${Object.keys(values).length}`;
        values[placeholder] = part;
        return placeholder;
      })
      .join('')
      .trim();
  }
  const names = [...new Set(Object.values(built).flatMap((text) => String(text).match(/#\w+/g) ?? []))];
  if (names.length > 0) built['ExpressionAttributeNames'] = Object.fromEntries(names.map((n) => [n, n.slice(1)]));
  if (Object.keys(values).length > 0) built['ExpressionAttributeValues'] = values;
  return built;
}

const sort = fc.constantFrom('k', 'k#1', 'ÿ', '~', '\u{1F600}');
const optionalCondition = fc.option(condition);
const request: fc.Arbitrary<Make> = fc.oneof(
  fc
    .tuple(sort, fc.dictionary(name, value, { maxKeys: 3 }), optionalCondition)
    .map(([sk, item, when]): Make => (TableName, pk) => {
      const Item = { ...item, pk: { S: pk }, sk: { S: sk } };
      return new PutItemCommand({ TableName, Item, ...expressions({ ConditionExpression: when }) });
    }),
  {
    weight: 4,
    arbitrary: fc.tuple(sort, update, optionalCondition).map(
      ([sk, changes, when]): Make =>
        (TableName, pk) =>
          new UpdateItemCommand({
            TableName,
            Key: { pk: { S: pk }, sk: { S: sk } },
            ReturnValues: 'ALL_NEW',
            ...expressions({ UpdateExpression: changes, ConditionExpression: when }),
          }),
    ),
  },
  fc.tuple(sort, optionalCondition).map(
    ([sk, when]): Make =>
      (TableName, pk) =>
        new DeleteItemCommand({
          TableName,
          Key: { pk: { S: pk }, sk: { S: sk } },
          ...expressions({ ConditionExpression: when }),
        }),
  ),
  sort.map(
    (sk): Make =>
      (TableName, pk) =>
        new GetItemCommand({ TableName, Key: { pk: { S: pk }, sk: { S: sk } }, ConsistentRead: true }),
  ),
  fc
    .tuple(
      fc.constantFrom<Template>([], [' AND #sk <= ', { S: 'k#1' }], [' AND begins_with(#sk, ', { S: 'k' }, ')']),
      fc.option(fc.integer({ min: 1, max: 3 }), { nil: undefined }),
      fc.option(sort, { nil: undefined }),
    )
    .map(
      ([further, Limit, after]): Make =>
        (TableName, pk) =>
          new QueryCommand({
            TableName,
            ConsistentRead: true,
            ...(Limit === undefined ? {} : { Limit }),
            ...(after === undefined || further.length > 0
              ? {}
              : { ExclusiveStartKey: { pk: { S: pk }, sk: { S: after } } }),
            ...(expressions({ KeyConditionExpression: ['#pk = ', { S: pk }, ...further] }) as object),
          }),
    ),
);

async function answerOf(send: Send, command: object): Promise<unknown> {
  try {
    return plain(await send(command));
  } catch (error) {
    return { error: error instanceof Error ? error.name : String(error) };
  }
}

/** What counts of an answer: sets have no order. */
function plain(answer: object): unknown {
  const { Item, Attributes, Items, LastEvaluatedKey } = answer as Record<string, unknown>;
  return JSON.parse(
    JSON.stringify({ Item, Attributes, Items, LastEvaluatedKey }, (key, held: unknown) => {
      if (key === 'NS' && Array.isArray(held)) return held.map(String).toSorted(byUtf8);
      if (typeof held !== 'object' || held === null || Array.isArray(held)) return held;
      if (held instanceof Uint8Array) return Buffer.from(held).toString('hex');
      return Object.fromEntries(Object.entries(held).toSorted(([one], [other]) => (one < other ? -1 : 1)));
    }),
  ) as unknown;
}

describe('the fake DynamoDB', () => {
  let servers: Servers;
  let table = '';
  let fake: FakeDynamodb;

  beforeAll(async () => {
    servers = await startServers();
    ({ stateTable: table } = await servers.provision(new Celeriac('requests', { logger: silentLogger })));
    fake = new FakeDynamodb({ [table]: { partition: 'pk', sort: 'sk' } });
  });
  afterAll(() => servers.stop());

  it('answers as a server does, whatever is asked of it', async () => {
    let run = 0;
    const seen = new Map<string, number>();
    await fc.assert(
      fc.asyncProperty(fc.array(request, { minLength: 3, maxLength: 25 }), async (requests) => {
        run += 1;
        for (const make of requests) {
          const command = make(table, `p${run}`);
          const told = await answerOf((each) => servers.dynamodb.send(each as GetItemCommand), make(table, `p${run}`));
          const answer = await answerOf((each) => fake.send(each), command);
          expect(answer, JSON.stringify((command as GetItemCommand).input)).toEqual(told);
          const kind = (told as { readonly error?: string }).error ?? 'answered';
          seen.set(kind, (seen.get(kind) ?? 0) + 1);
        }
      }),
      // All of them, on a machine however busy: what was seen is counted.
      { numRuns: RUNS, interruptAfterTimeLimit: PATIENCE_MS },
    );
    // Of each kind enough that the comparison says something.
    for (const kind of ['answered', 'ConditionalCheckFailedException', 'ValidationException'])
      expect(seen.get(kind), kind).toBeGreaterThan(RUNS);
  });
});
