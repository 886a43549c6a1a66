/** SDK clients, made once per process and on first use. Endpoint, region and credentials come from the SDK's own environment. */
import type { DynamoDBClient, DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import type { SQSClient, SQSClientConfig } from '@aws-sdk/client-sqs';
// Not by name: the declarations that users read name the SDK's own.
import * as sdk from '#aws-sdk';

// The default of 3 gives up within a second; a throttled commit would run its task again.
export const DYNAMODB_ATTEMPTS = 8;

let sqs: SQSClient | undefined;
let dynamodb: DynamoDBClient | undefined;

/**
 * The environment's endpoint stands (AWS_ENDPOINT_URL, FIPS, dual stack): a queue URL's host, which is the SDK's default,
 * may be a name that only the emulator knows, and the SDK prints a warning for each request then.
 */
export function sqsClient(config: SQSClientConfig = {}): SQSClient {
  return (sqs ??= new sdk.SQSClient({ useQueueUrlAsEndpoint: false, ...config }));
}

/**
 * The process's DynamoDB client, made at the first call; `config` counts then only. Eight attempts unless it says
 * otherwise.
 */
export function dynamodbClient(config: DynamoDBClientConfig = {}): DynamoDBClient {
  return (dynamodb ??= new sdk.DynamoDBClient({ maxAttempts: DYNAMODB_ATTEMPTS, ...config }));
}
