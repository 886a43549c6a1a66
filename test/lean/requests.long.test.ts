/** What is sent and what is read is what the SDK sends and reads. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { HttpRequest } from '../../lib/aws/lean/http.ts';
import {
  type Answering,
  type Call,
  call,
  commandOf,
  item,
  type Pair,
  pairOf,
  Recorder,
  type ServiceName,
} from './wire.ts';

async function both(
  what: Call,
  answering: Answering,
): Promise<{ readonly requests: HttpRequest[]; readonly outputs: unknown[] }> {
  const handlers = [new Recorder(() => answering), new Recorder(() => answering)] as const;
  const pair: Pair = await pairOf(
    what.service,
    { requestHandler: handlers[0], md5: false, useQueueUrlAsEndpoint: false },
    { requestHandler: handlers[1] },
  );
  const outputs = [await pair.sdk.send(commandOf('sdk', what)), await pair.lean.send(commandOf('lean', what))];
  return { requests: handlers.flatMap((handler) => handler.requests), outputs };
}

function seen({ method, path, protocol, hostname, port, headers, body }: HttpRequest): object {
  const lower = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
  const said = ['host', 'content-type', 'content-length', 'x-amz-target', 'x-amzn-query-mode', 'amz-sdk-request'];
  const json: unknown = JSON.parse(Buffer.from(body ?? '').toString());
  return { method, path, protocol, hostname, port, json, headers: said.map((name) => lower[name]) };
}

describe('requests', () => {
  it('of every command are the SDK’s, whatever is in them', async () => {
    await fc.assert(
      fc.asyncProperty(call, async (what) => {
        const { requests } = await both(what, {});
        expect(requests).toHaveLength(2);
        const [sdk, lean] = requests.map((request) => seen(request));
        expect(lean).toEqual(sdk);
      }),
      { numRuns: 1000 },
    );
  });

  it('leave out what is null or undefined', async () => {
    const what: Call = {
      service: 'DynamoDB',
      operation: 'PutItem',
      input: { TableName: 'a', Item: { id: { S: 'x' }, gone: undefined, none: null }, ConditionExpression: null },
    };
    const { requests } = await both(what, {});
    const [sdk, lean] = requests.map((request) => seen(request));
    expect(lean).toEqual(sdk);
  });

  it('take bytes of any kind', async () => {
    const memory = new Uint8Array(16).map((_, index) => index * 16);
    for (const bytes of [memory, memory.subarray(3, 9), Buffer.from(memory), Buffer.from('text')]) {
      const { requests } = await both(
        { service: 'DynamoDB', operation: 'PutItem', input: { TableName: 'a', Item: { id: { B: bytes } } } },
        {},
      );
      const [sdk, lean] = requests.map((request) => seen(request));
      expect(lean).toEqual(sdk);
    }
  });
});

/** An item as it comes over the wire. */
const onWire = (value: unknown): unknown =>
  value instanceof Uint8Array
    ? Buffer.from(value).toString('base64')
    : Array.isArray(value)
      ? value.map(onWire)
      : typeof value === 'object' && value !== null
        ? Object.fromEntries(Object.entries(value).map(([name, member]) => [name, onWire(member)]))
        : value;

const text = fc.string({ maxLength: 20 });
const table = fc.constantFrom('results', 'B', 'BS');
const message = fc.record({
  MessageId: text,
  ReceiptHandle: text,
  Body: text,
  Attributes: fc.record({ ApproximateReceiveCount: fc.nat(9).map(String), MessageGroupId: text }),
  MessageAttributes: fc.dictionary(
    fc.oneof(text, fc.constantFrom('B', 'BinaryValue')).filter((name) => name !== '__proto__'),
    fc.oneof(
      fc.record({ DataType: fc.constant('Binary'), BinaryValue: fc.uint8Array({ maxLength: 9 }) }),
      fc.record({ DataType: fc.constant('String'), StringValue: text }),
    ),
    { maxKeys: 2 },
  ),
});
const failed = fc.record({ Id: text, SenderFault: fc.boolean(), Code: text, Message: text });

const ANSWERS: readonly (readonly [ServiceName, Call['operation'], fc.Arbitrary<object>])[] = [
  ['DynamoDB', 'GetItem', fc.record({ Item: item })],
  ['DynamoDB', 'UpdateItem', fc.record({ Attributes: item })],
  [
    'DynamoDB',
    'Query',
    fc.record({ Items: fc.array(item, { maxLength: 3 }), LastEvaluatedKey: item, Count: fc.nat() }),
  ],
  [
    'DynamoDB',
    'BatchGetItem',
    fc.record({
      Responses: fc.dictionary(table, fc.array(item, { maxLength: 2 })),
      UnprocessedKeys: fc.dictionary(
        table,
        fc.record({ Keys: fc.array(item, { maxLength: 2 }), ExpressionAttributeNames: fc.constant({ '#B': 'B' }) }),
      ),
    }),
  ],
  [
    'DynamoDB',
    'BatchWriteItem',
    fc.record({
      UnprocessedItems: fc.dictionary(
        table,
        fc.array(fc.record({ PutRequest: fc.record({ Item: item }) }), { maxLength: 2 }),
      ),
    }),
  ],
  [
    'DynamoDB',
    'BatchExecuteStatement',
    fc.record({
      Responses: fc.array(
        fc.oneof(
          fc.record({ TableName: table, Item: item }),
          fc.record({ Error: fc.record({ Code: text, Message: text, Item: item }) }),
        ),
        { maxLength: 3 },
      ),
    }),
  ],
  ['SQS', 'ReceiveMessage', fc.record({ Messages: fc.array(message, { maxLength: 3 }) })],
  ['SQS', 'SendMessage', fc.record({ MessageId: text, MD5OfMessageBody: text })],
  [
    'SQS',
    'SendMessageBatch',
    fc.record({
      Successful: fc.array(fc.record({ Id: text, MessageId: text, MD5OfMessageBody: text }), { maxLength: 2 }),
      Failed: fc.array(failed, { maxLength: 2 }),
    }),
  ],
];

const INPUTS: Partial<Record<Call['operation'], object>> = {
  BatchExecuteStatement: { Statements: [] },
  BatchGetItem: { RequestItems: {} },
  BatchWriteItem: { RequestItems: {} },
  SendMessageBatch: { QueueUrl: 'https://sqs.eu-central-1.amazonaws.com/1/a', Entries: [] },
};

describe('answers', () => {
  it.each(ANSWERS)('of %s %s are read as the SDK reads them', async (service, operation, answer) => {
    await fc.assert(
      fc.asyncProperty(answer, text, async (body, requestId) => {
        const input = INPUTS[operation] ?? {
          TableName: 'a',
          Key: {},
          QueueUrl: 'https://a.invalid/1/a',
          MessageBody: '',
        };
        const { outputs } = await both(
          { service, operation, input },
          { body: JSON.stringify(onWire(body)), headers: { 'x-amzn-requestid': requestId } },
        );
        const [sdk, lean] = outputs;
        expect(lean).toEqual(sdk);
      }),
      { numRuns: 200 },
    );
  });

  it('without a word are empty', async () => {
    const { outputs } = await both(
      { service: 'SQS', operation: 'DeleteMessageBatch', input: { QueueUrl: 'https://a.invalid/1/a', Entries: [] } },
      { body: '' },
    );
    expect(outputs[1]).toEqual(outputs[0]);
  });
});
