/** What both clients are held against each other with: handlers that keep what is sent, retries without pauses, commands at random. */
import { Readable } from 'node:stream';

import * as dynamodb from '@aws-sdk/client-dynamodb';
import * as sqs from '@aws-sdk/client-sqs';
import { seededRandom } from 'celeriac/testing';
import fc from 'fast-check';

import * as lean from '../../lib/aws/lean/index.ts';
import type { HttpRequest, RequestHandler } from '../../lib/aws/lean/http.ts';
import { type Clock, systemClock } from '../../lib/base/time.ts';

export const CREDENTIALS = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'a secret of/some+length' };

export interface Answering {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Answers without a network, and keeps what came. */
export class Recorder implements RequestHandler {
  readonly requests: HttpRequest[] = [];
  readonly #answer: (number: number) => Answering;

  constructor(answer: (number: number) => Answering = () => ({})) {
    this.#answer = answer;
  }

  handle(request: HttpRequest): ReturnType<RequestHandler['handle']> {
    this.requests.push(request);
    const { status = 200, headers = {}, body = '{}' } = this.#answer(this.requests.length);
    const response = {
      statusCode: status,
      headers: { ...headers },
      reason: '',
      body: Readable.from([Buffer.from(body)]),
    };
    return Promise.resolve({ response: response as never });
  }

  destroy(): void {}

  httpHandlerConfigs(): object {
    return {};
  }

  updateHttpClientConfig(): void {}
}

/** Time that does not pass while somebody sleeps. */
export const sleepless = (slept: number[] = [], clock: Partial<Clock> = {}): Clock => ({
  ...systemClock,
  sleep: (ms) => {
    slept.push(ms);
    return Promise.resolve();
  },
  ...clock,
});

export interface AnyClient {
  send(command: never, options?: { abortSignal?: AbortSignal }): Promise<unknown>;
  destroy(): void;
}

export interface Pair {
  readonly sdk: AnyClient;
  readonly lean: AnyClient;
}

export type ServiceName = 'SQS' | 'DynamoDB';

/** The SDK's own strategy, which decides as it does and waits for nothing. */
export async function withoutPauses(client: { readonly config: unknown }): Promise<void> {
  const { retryStrategy } = client.config as {
    readonly retryStrategy: () => Promise<{ readonly retryBackoffStrategy: object }>;
  };
  Object.assign((await retryStrategy()).retryBackoffStrategy, { computeNextBackoffDelay: () => 0 });
}

export async function pairOf(service: ServiceName, options: object, leanOptions: object = {}): Promise<Pair> {
  const common = { region: 'eu-central-1', credentials: CREDENTIALS, ...options };
  const real = service === 'SQS' ? new sqs.SQSClient(common) : new dynamodb.DynamoDBClient(common);
  await withoutPauses(real);
  const parts = { clock: sleepless(), random: seededRandom(1), ids: { next: () => 'an-id' } };
  const given = { ...common, ...leanOptions };
  const ours = service === 'SQS' ? new lean.SQSClient(given, parts) : new lean.DynamoDBClient(given, parts);
  return { sdk: real as unknown as AnyClient, lean: ours };
}

export interface Call {
  readonly service: ServiceName;
  /** As in `SendMessage`. */
  readonly operation: keyof typeof OPERATIONS;
  readonly input: object;
}

/** The same command of either library. */
export function commandOf(library: 'sdk' | 'lean', { service, operation, input }: Call): never {
  const from: object = library === 'lean' ? lean : service === 'SQS' ? sqs : dynamodb;
  const Command = (from as Record<string, new (input: object) => object>)[`${operation}Command`];
  if (Command === undefined) throw new Error(`${library} has no ${operation}Command`);
  return new Command(structuredClone(input)) as never;
}

const text = fc.oneof(fc.string({ unit: 'grapheme', maxLength: 30 }), fc.string({ unit: 'binary', maxLength: 30 }));
const bytes = fc.uint8Array({ maxLength: 40 });
// Names that are also names of types, and of members of every object.
const name = fc
  .oneof(fc.constantFrom('B', 'BS', 'S', 'M', 'L', 'BinaryValue', 'constructor', 'a b', 'ä'), text)
  .filter((each) => each !== '__proto__');
const { value: attribute } = fc.letrec<{ value: object }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3, depthSize: 'small' },
    fc.record({ S: text }),
    fc.record({ N: fc.integer().map(String) }),
    fc.record({ B: bytes }),
    fc.record({ BOOL: fc.boolean() }),
    fc.record({ NULL: fc.constant(true) }),
    fc.record({ SS: fc.array(text, { maxLength: 3 }) }),
    fc.record({ NS: fc.array(fc.integer().map(String), { maxLength: 3 }) }),
    fc.record({ BS: fc.array(bytes, { maxLength: 3 }) }),
    fc.record({ L: fc.array(tie('value'), { maxLength: 3 }) }),
    fc.record({ M: fc.dictionary(name, tie('value'), { maxKeys: 3 }) }),
  ),
}));
export const item: fc.Arbitrary<Record<string, object>> = fc.dictionary(name, attribute, { maxKeys: 4 });
const table = fc.constantFrom('results', 'state', 'B');
const placeholders = fc.dictionary(
  fc.string({ minLength: 1, maxLength: 3 }).map((each) => `#${each}`),
  text,
  { maxKeys: 3 },
);
const url = fc.constantFrom(
  'https://sqs.eu-central-1.amazonaws.com/1/shop',
  'http://emulator.invalid:4566/1/shop.fifo',
);
const messageAttributes = fc.dictionary(
  name,
  fc.oneof(
    fc.record({ DataType: fc.constant('String'), StringValue: text }),
    fc.record({ DataType: fc.constant('Binary'), BinaryValue: bytes }),
  ),
  { maxKeys: 3 },
);
const message = {
  MessageBody: text,
  DelaySeconds: fc.option(fc.nat(900), { nil: undefined }),
  MessageAttributes: fc.option(messageAttributes, { nil: undefined }),
  MessageGroupId: fc.option(fc.constant('a group'), { nil: undefined }),
};

const OPERATIONS = {
  SendMessage: fc.record({ QueueUrl: url, ...message }),
  SendMessageBatch: fc.record({
    QueueUrl: url,
    Entries: fc.array(fc.record({ Id: fc.nat(99).map(String), ...message }), { maxLength: 3 }),
  }),
  ChangeMessageVisibility: fc.record({ QueueUrl: url, ReceiptHandle: text, VisibilityTimeout: fc.nat(43_200) }),
  ReceiveMessage: fc.record({
    QueueUrl: url,
    MaxNumberOfMessages: fc.nat(10),
    MessageAttributeNames: fc.constant(['All']),
  }),
  DeleteMessageBatch: fc.record({ QueueUrl: url, Entries: fc.array(fc.record({ Id: text, ReceiptHandle: text })) }),
  GetItem: fc.record({ TableName: table, Key: item, ConsistentRead: fc.boolean() }),
  PutItem: fc.record({ TableName: table, Item: item, ConditionExpression: fc.option(text, { nil: undefined }) }),
  UpdateItem: fc.record({
    TableName: table,
    Key: item,
    UpdateExpression: text,
    ExpressionAttributeNames: placeholders,
    ExpressionAttributeValues: item,
    ReturnValuesOnConditionCheckFailure: fc.constant('ALL_OLD'),
  }),
  DeleteItem: fc.record({ TableName: table, Key: item }),
  Query: fc.record({
    TableName: table,
    KeyConditionExpression: text,
    ExpressionAttributeValues: item,
    ExclusiveStartKey: fc.option(item, { nil: undefined }),
    ScanIndexForward: fc.boolean(),
    Limit: fc.nat(100),
  }),
  BatchGetItem: fc.record({
    RequestItems: fc.dictionary(table, fc.record({ Keys: fc.array(item, { maxLength: 3 }) })),
  }),
  BatchWriteItem: fc.record({
    RequestItems: fc.dictionary(
      table,
      fc.array(
        fc.oneof(
          fc.record({ PutRequest: fc.record({ Item: item }) }),
          fc.record({ DeleteRequest: fc.record({ Key: item }) }),
        ),
        { maxLength: 3 },
      ),
    ),
  }),
  BatchExecuteStatement: fc.record({
    Statements: fc.array(fc.record({ Statement: text, Parameters: fc.array(attribute, { maxLength: 3 }) }), {
      maxLength: 3,
    }),
  }),
} as const satisfies Record<string, fc.Arbitrary<object>>;

const SQS_OPERATIONS = /Message/;

export const call: fc.Arbitrary<Call> = fc.oneof(
  ...(Object.keys(OPERATIONS) as (keyof typeof OPERATIONS)[]).map((operation) =>
    (OPERATIONS[operation] as fc.Arbitrary<object>).map((input): Call => ({
      service: SQS_OPERATIONS.test(operation) ? 'SQS' : 'DynamoDB',
      operation,
      input,
    })),
  ),
);
