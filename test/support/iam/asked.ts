/** Which rights a request to SQS, DynamoDB, S3 or EventBridge needs: actions, resources, and what conditions may ask of it. */
import type { Asked } from './policy.ts';

export const REGION = 'us-east-1';
// The account of the embedded SQS server.
export const ACCOUNT = '000000000000';

type Input = Readonly<Record<string, unknown>>;
type Value = { readonly S?: string };
type Item = Readonly<Record<string, Value>>;

/** The partition key of each table, by what its keys are called. */
const PARTITION_KEYS: readonly string[] = ['pk', 'id'];
const PARTIQL: Readonly<Record<string, string>> = {
  INSERT: 'PartiQLInsert',
  UPDATE: 'PartiQLUpdate',
  DELETE: 'PartiQLDelete',
  SELECT: 'PartiQLSelect',
};
// IAM has no batch actions of SQS: the right to the single one covers them.
const SQS_BATCH = /^(SendMessage|DeleteMessage|ChangeMessageVisibility)Batch$/;
// What every request of AWS's SDKs is, on AWS.
const ALWAYS = { 'aws:SecureTransport': ['true'] };

export function arnOfQueue(name: string): string {
  return `arn:aws:sqs:${REGION}:${ACCOUNT}:${name}`;
}

export function arnOfTable(name: string): string {
  return `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/${name}`;
}

export function arnOfBucket(name: string): string {
  return `arn:aws:s3:::${name}`;
}

/** @param target as in `DynamoDB_20120810.PutItem`. Of a batch of statements, one for each in order. */
export function rightsAsked(target: string, input: Input): Asked[] {
  const [service = '', operation = ''] = target.split('.');
  if (service === 'AmazonSQS') return [sqs(operation, input)];
  if (service === 'AWSEvents') return [rule(operation, input)];
  if (service === 'S3') return [s3(operation, input)];
  if (service.startsWith('DynamoDB_')) return dynamodb(operation, input);
  throw new Error(`not understood here: ${target}`);
}

function sqs(operation: string, input: Input): Asked {
  const { QueueUrl: url, QueueName: name } = input;
  const queue = typeof url === 'string' ? url.slice(url.lastIndexOf('/') + 1) : name;
  const action = `sqs:${operation.replace(SQS_BATCH, '$1')}`;
  if (operation === 'ListQueues') return { action, resource: '*', context: ALWAYS };
  if (typeof queue !== 'string') throw new Error(`not understood here: ${action} of no queue`);
  return { action, resource: arnOfQueue(queue), context: ALWAYS };
}

/** An object of a bucket; of no object the bucket itself. */
function s3(operation: string, { Bucket: bucket, Key: key }: Input): Asked {
  const object = typeof key === 'string' ? `/${key}` : '';
  return { action: `s3:${operation}`, resource: `${arnOfBucket(String(bucket))}${object}`, context: ALWAYS };
}

function rule(operation: string, { Name: name }: Input): Asked {
  return {
    action: `events:${operation}`,
    resource: `arn:aws:events:${REGION}:${ACCOUNT}:rule/${String(name)}`,
    context: ALWAYS,
  };
}

function dynamodb(operation: string, input: Input): Asked[] {
  if (operation === 'BatchExecuteStatement')
    return (input['Statements'] as readonly Input[]).map((statement) => partiql(statement));
  if (operation === 'ExecuteStatement') return [partiql(input)];
  if (operation === 'TransactWriteItems')
    return (input['TransactItems'] as readonly Readonly<Record<string, Input>>[]).flatMap((item) =>
      Object.entries(item).flatMap(([kind, write]) => dynamodb(`${kind}Item`, write)),
    );
  const byTable = input['RequestItems'] as Readonly<Record<string, unknown>> | undefined;
  if (byTable !== undefined)
    return Object.entries(byTable).map(([table, requests]) => {
      const items = itemsOfBatch(requests);
      const written = operation === 'BatchWriteItem' ? items.flatMap((item) => Object.keys(item)) : undefined;
      return onTable(operation, table, items, written);
    });
  const { TableName: table } = input;
  if (typeof table !== 'string') throw new Error(`not understood here: ${operation} of no table`);
  if (operation.startsWith('Describe')) return [onTable(operation, table)];
  if (operation === 'Query') return [onTable(operation, table, [keyOfQuery(input)])];
  const item = (input['Key'] ?? input['Item']) as Item | undefined;
  if (item === undefined) throw new Error(`not understood here: ${operation}`);
  return [onTable(operation, table, [item], operation === 'PutItem' ? Object.keys(item) : undefined)];
}

/** @param items of which each is there with its partition key. @param attributes where a condition may ask for them. */
function onTable(operation: string, table: string, items?: readonly Item[], attributes?: readonly string[]): Asked {
  return {
    action: `dynamodb:${operation}`,
    resource: arnOfTable(table),
    context: {
      ...ALWAYS,
      ...(items === undefined ? {} : { 'dynamodb:LeadingKeys': [...new Set(items.map(partitionKey))] }),
      ...(attributes === undefined ? {} : { 'dynamodb:Attributes': [...new Set(attributes)] }),
    },
  };
}

function partiql({ Statement: text, Parameters = [] }: Input): Asked {
  const [, verb = '', table = ''] = /^(\w+)[^"]*"([^"]+)"/.exec(String(text)) ?? [];
  const action = PARTIQL[verb];
  if (action === undefined) throw new Error(`not understood here: ${String(text)}`);
  const names = [...String(text).matchAll(/["'](\w+)["'](?: =|:) \?/g)].map(([, name = '']) => name);
  const values = Parameters as readonly Value[];
  return onTable(action, table, [Object.fromEntries(names.map((name, index) => [name, values[index] ?? {}]))]);
}

function itemsOfBatch(requests: unknown): Item[] {
  if (!Array.isArray(requests)) return [...(requests as { readonly Keys: readonly Item[] }).Keys];
  return (requests as readonly { PutRequest?: { Item: Item }; DeleteRequest?: { Key: Item } }[]).map(
    ({ PutRequest, DeleteRequest }) => PutRequest?.Item ?? DeleteRequest?.Key ?? {},
  );
}

function keyOfQuery(input: Input): Item {
  const names = (input['ExpressionAttributeNames'] ?? {}) as Readonly<Record<string, string>>;
  const values = (input['ExpressionAttributeValues'] ?? {}) as Item;
  const equalities = String(input['KeyConditionExpression']).matchAll(/(#?\w+) = (:\w+)/g);
  return Object.fromEntries(
    [...equalities].map(([, name = '', value = '']) => [names[name] ?? name, values[value] ?? {}]),
  );
}

function partitionKey(item: Item): string {
  const key = PARTITION_KEYS.map((name) => item[name]?.S).find((value) => value !== undefined);
  if (key === undefined)
    throw new Error(`not understood here: an item without a partition key: ${Object.keys(item).join(', ')}`);
  return key;
}
