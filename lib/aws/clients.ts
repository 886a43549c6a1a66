/** SDK clients, made once per process and on first use. Endpoint, region and credentials come from the SDK's own environment. */
import { DynamoDBClient, type DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import { SQSClient, type SQSClientConfig } from '@aws-sdk/client-sqs';

// The default of 3 gives up within a second; a throttled commit would run its task again.
const DYNAMODB_ATTEMPTS = 8;

let sqs: SQSClient | undefined;
let dynamodb: DynamoDBClient | undefined;

export function sqsClient(config: SQSClientConfig = {}): SQSClient {
  return (sqs ??= new SQSClient(config));
}

export function dynamodbClient(config: DynamoDBClientConfig = {}): DynamoDBClient {
  return (dynamodb ??= new DynamoDBClient({ maxAttempts: DYNAMODB_ATTEMPTS, ...config }));
}
