/**
 * The classes of the AWS SDK that the library uses, in one place: `#aws-sdk` of package.json is this file, and in bundles of workers
 * and sweepers the lean client. No other file of the library takes a class from the SDK, so that nothing else needs to be replaced.
 */
import type { DescribeRuleCommand, DisableRuleCommand, EnableRuleCommand } from '@aws-sdk/client-eventbridge';
import type { EventBridgeClient, ResourceNotFoundException } from '@aws-sdk/client-eventbridge';

export {
  BatchExecuteStatementCommand,
  BatchGetItemCommand,
  BatchWriteItemCommand,
  ConditionalCheckFailedException,
  CreateTableCommand,
  DeleteItemCommand,
  DescribeTableCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
export {
  ChangeMessageVisibilityBatchCommand,
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  PurgeQueueCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';

export interface EventBridge {
  readonly DescribeRuleCommand: typeof DescribeRuleCommand;
  readonly DisableRuleCommand: typeof DisableRuleCommand;
  readonly EnableRuleCommand: typeof EnableRuleCommand;
  readonly EventBridgeClient: typeof EventBridgeClient;
  readonly ResourceNotFoundException: typeof ResourceNotFoundException;
}

/** Loaded on first use, and by nothing else: a bundle that leaves it out does not load it either, and finds it in Lambda's own runtime. */
export const eventBridge = (): Promise<EventBridge> => import('@aws-sdk/client-eventbridge');
