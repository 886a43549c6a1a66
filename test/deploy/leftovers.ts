/** What an account holds, by name. */
import { DynamoDBClient, ListTablesCommand } from '@aws-sdk/client-dynamodb';
import { EventBridgeClient, ListRulesCommand } from '@aws-sdk/client-eventbridge';
import { ListQueuesCommand, SQSClient } from '@aws-sdk/client-sqs';

import { ListBucketsCommand, S3Client } from '@aws-sdk/client-s3';

import { LambdaApi } from './lambda-api.ts';

/** @returns the URL of the standard queue whose name begins with `prefix`. */
export async function queueNamed(prefix: string): Promise<string> {
  const { QueueUrls } = await new SQSClient({}).send(new ListQueuesCommand({ QueueNamePrefix: prefix }));
  const [url, ...others] = (QueueUrls ?? []).filter((each) => !each.endsWith('.fifo'));
  if (url === undefined || others.length > 0)
    throw new Error(`${others.length + (url === undefined ? 0 : 1)} queues are named ${prefix}...`);
  return url;
}

/** Names of everything whose name holds `part`. */
export async function leftovers(endpoint: string, part: string): Promise<string[]> {
  const lambda = new LambdaApi(endpoint);
  const [functions, eventSources, queues, tables, rules, buckets] = await Promise.all([
    lambda.functions(),
    lambda.eventSources(),
    new SQSClient({}).send(new ListQueuesCommand({})),
    new DynamoDBClient({}).send(new ListTablesCommand({})),
    new EventBridgeClient({}).send(new ListRulesCommand({})),
    new S3Client({ forcePathStyle: true }).send(new ListBucketsCommand({})),
  ]);
  return [
    ...functions.map(({ FunctionName }) => `function ${FunctionName}`),
    ...eventSources.map(({ FunctionArn }) => `event source of ${FunctionArn}`),
    ...(queues.QueueUrls ?? []).map((url) => `queue ${url}`),
    ...(tables.TableNames ?? []).map((name) => `table ${name}`),
    ...(rules.Rules ?? []).map(({ Name }) => `rule ${Name}`),
    // Names of buckets have no capitals.
    ...(buckets.Buckets ?? []).map(({ Name }) => `bucket ${Name}`),
  ].filter((name) => name.toLowerCase().includes(part.toLowerCase()));
}
