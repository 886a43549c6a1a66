/** Statements with only the actions that the code calls. */
import type { ITableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';

export function allow(actions: readonly string[], ...resources: readonly string[]): PolicyStatement {
  return new PolicyStatement({ actions: [...actions], resources: [...resources] });
}

export function sendTo(queues: readonly IQueue[]): PolicyStatement {
  return allow(['sqs:SendMessage'], ...queues.map((queue) => queue.queueArn));
}

/** What an event source mapping does with the function's role, and our own changes of visibility. */
export function receiveFrom(queues: readonly IQueue[]): PolicyStatement {
  return allow(
    ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ChangeMessageVisibility'],
    ...queues.map((queue) => queue.queueArn),
  );
}

/** Claims, commits and conclusions are conditional updates, many in one PartiQL batch; a refused one is read; an expired item is deleted. */
export function workOnResults(table: ITableV2): PolicyStatement {
  return allow(
    [
      'dynamodb:UpdateItem',
      'dynamodb:GetItem',
      'dynamodb:DeleteItem',
      'dynamodb:PartiQLInsert',
      'dynamodb:PartiQLUpdate',
    ],
    table.tableArn,
  );
}

/** Reading results, revoking and forgetting. */
export function readResults(table: ITableV2): PolicyStatement {
  return allow(
    ['dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem'],
    table.tableArn,
  );
}

/** Storing timers, and nothing else of the state table. */
export function putTimers(table: ITableV2): PolicyStatement {
  return new PolicyStatement({
    actions: ['dynamodb:BatchWriteItem', 'dynamodb:PutItem'],
    resources: [table.tableArn],
    conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['timer#*'] } },
  });
}

export function sweepTimers(table: ITableV2): PolicyStatement {
  return new PolicyStatement({
    actions: ['dynamodb:Query', 'dynamodb:BatchWriteItem', 'dynamodb:PutItem', 'dynamodb:DeleteItem'],
    resources: [table.tableArn],
    conditions: { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['timer#*'] } },
  });
}
