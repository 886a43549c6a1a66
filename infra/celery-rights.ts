/** What a Celery app calls (kombu/transport/SQS.py of kombu 5.6, celery/backends/dynamodb.py of Celery 5.6), as rights. */
import { Validations } from 'aws-cdk-lib';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import {
  type Grant,
  type IGrantable,
  type IIdentity,
  type IPrincipal,
  Policy,
  PolicyStatement,
} from 'aws-cdk-lib/aws-iam';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

import type { EncryptionKeys } from './encryption.ts';
import { grantAll, type Rights } from './grants.ts';

const SENDING = [
  // One request a message: kombu sends no batches.
  'sqs:SendMessage',
  // Celery declares a queue before its first message, and kombu answers with the queue's size.
  'sqs:GetQueueAttributes',
];

const CONSUMING = [
  'sqs:ReceiveMessage',
  // An acknowledgement.
  'sqs:DeleteMessage',
  // Reject with requeue, what a worker still holds when it stops, and `backoff_policy`.
  'sqs:ChangeMessageVisibility',
];

const RESULTS = [
  // Before anything else, once a process: were there no table, Celery would make it.
  'dynamodb:DescribeTable',
  // With ttl_seconds. TTL is on, and on the attribute that Celery wants: there is nothing to update.
  'dynamodb:DescribeTimeToLive',
  'dynamodb:GetItem',
  'dynamodb:PutItem',
  // Members of a chord are counted.
  'dynamodb:UpdateItem',
  // `forget()`, and the counter of a chord whose body was sent.
  'dynamodb:DeleteItem',
];

// By which kombu looks for queues that it has no address of. It has no resources.
const LISTING = 'sqs:ListQueues';

export interface CeleryAccess {
  /** Queues it may send to. */
  readonly queues: readonly IQueue[];
  /** Those of them that it may consume. */
  readonly external: readonly IQueue[];
  readonly results: ITable;
  /** Of queues and tables. */
  readonly keys: EncryptionKeys;
}

export function grantCeleryAccess(grantee: IGrantable, { queues, external, results, keys }: CeleryAccess): Grant {
  const on = (actions: readonly string[], consumed: readonly IQueue[]): Rights => ({
    actions,
    resourceArns: consumed.map((queue) => queue.queueArn),
  });
  const rights = keys.with([
    on(SENDING, queues),
    ...(external.length === 0 ? [] : [on(CONSUMING, external)]),
    { actions: RESULTS, resourceArns: [results.tableArn] },
  ]);
  const principal = grantee.grantPrincipal;
  if (!isIdentity(principal)) return grantAll(grantee, [...rights, { actions: [LISTING], resourceArns: ['*'] }]);
  letList(principal);
  return grantAll(grantee, rights);
}

const LISTING_ID = 'CeleryListQueues';

/** A policy of its own: what is said to cdk-nag of this '*' must not hold for any other of the grantee's. */
function letList(identity: IIdentity & Construct): void {
  if (identity.node.tryFindChild(LISTING_ID) !== undefined) return;
  const policy = new Policy(identity, LISTING_ID, {
    statements: [new PolicyStatement({ actions: [LISTING], resources: ['*'] })],
  });
  Validations.of(policy).acknowledge({
    id: 'AwsSolutions::AwsSolutions-IAM5[Resource::*]',
    reason: 'SQS cannot limit ListQueues to queues, and Celery looks for its queues by it.',
  });
  identity.attachInlinePolicy(policy);
}

function isIdentity(principal: IPrincipal): principal is IIdentity & Construct {
  return Construct.isConstruct(principal) && 'attachInlinePolicy' in principal;
}
