/**
 * The AWS SDK's names, as many as the library uses, over a client of our own: in bundles of workers and sweepers it stands in the SDK's place
 * (`#aws-sdk` in package.json, by the condition `@celeriac/lean`). Code of users that imports the SDK gets the SDK.
 */
import { Client, type ClientOptions, type ClientParts, type Service } from './client.ts';
import { command, type CommandClass } from './command.ts';
import { ResourceNotFoundException } from './errors.ts';

const SQS: Service = {
  id: 'SQS',
  prefix: 'sqs',
  target: 'AmazonSQS',
  contentType: 'application/x-amz-json-1.0',
  maxAttempts: 3,
  baseDelayMs: 50,
  queryCompatible: true,
};

const DYNAMODB: Service = {
  id: 'DYNAMODB',
  prefix: 'dynamodb',
  target: 'DynamoDB_20120810',
  contentType: 'application/x-amz-json-1.0',
  maxAttempts: 4,
  baseDelayMs: 25,
  queryCompatible: false,
};

const EVENTBRIDGE: Service = {
  id: 'EVENTBRIDGE',
  prefix: 'events',
  target: 'AWSEvents',
  contentType: 'application/x-amz-json-1.1',
  maxAttempts: 3,
  baseDelayMs: 50,
  queryCompatible: false,
};

export class SQSClient extends Client {
  constructor(options?: ClientOptions, parts?: ClientParts) {
    super(SQS, options, parts);
  }
}

export class DynamoDBClient extends Client {
  constructor(options?: ClientOptions, parts?: ClientParts) {
    super(DYNAMODB, options, parts);
  }
}

class EventBridgeClient extends Client {
  constructor(options?: ClientOptions, parts?: ClientParts) {
    super(EVENTBRIDGE, options, parts);
  }
}

export const ChangeMessageVisibilityBatchCommand: CommandClass =
  /* @__PURE__ */ command('ChangeMessageVisibilityBatch');
export const ChangeMessageVisibilityCommand: CommandClass = /* @__PURE__ */ command('ChangeMessageVisibility');
export const CreateQueueCommand: CommandClass = /* @__PURE__ */ command('CreateQueue');
export const DeleteMessageBatchCommand: CommandClass = /* @__PURE__ */ command('DeleteMessageBatch');
export const GetQueueAttributesCommand: CommandClass = /* @__PURE__ */ command('GetQueueAttributes');
export const PurgeQueueCommand: CommandClass = /* @__PURE__ */ command('PurgeQueue');
export const ReceiveMessageCommand: CommandClass = /* @__PURE__ */ command('ReceiveMessage');
export const SendMessageBatchCommand: CommandClass = /* @__PURE__ */ command('SendMessageBatch');
export const SendMessageCommand: CommandClass = /* @__PURE__ */ command('SendMessage');

export const BatchExecuteStatementCommand: CommandClass = /* @__PURE__ */ command('BatchExecuteStatement');
export const BatchGetItemCommand: CommandClass = /* @__PURE__ */ command('BatchGetItem');
export const BatchWriteItemCommand: CommandClass = /* @__PURE__ */ command('BatchWriteItem');
export const CreateTableCommand: CommandClass = /* @__PURE__ */ command('CreateTable');
export const DeleteItemCommand: CommandClass = /* @__PURE__ */ command('DeleteItem');
export const DescribeTableCommand: CommandClass = /* @__PURE__ */ command('DescribeTable');
export const GetItemCommand: CommandClass = /* @__PURE__ */ command('GetItem');
export const PutItemCommand: CommandClass = /* @__PURE__ */ command('PutItem');
export const QueryCommand: CommandClass = /* @__PURE__ */ command('Query');
export const UpdateItemCommand: CommandClass = /* @__PURE__ */ command('UpdateItem');

export { ConditionalCheckFailedException } from './errors.ts';

/** As with the SDK, where loading it is worth a promise. */
export const eventBridge = (): Promise<object> =>
  Promise.resolve({
    DescribeRuleCommand: command('DescribeRule'),
    DisableRuleCommand: command('DisableRule'),
    EnableRuleCommand: command('EnableRule'),
    EventBridgeClient,
    ResourceNotFoundException,
  });
