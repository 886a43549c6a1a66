/** Rights as plain data, with only the actions that the code calls: a role's own statements and `grantEnqueue` are made of the same. */
import type { ITableV2 } from 'aws-cdk-lib/aws-dynamodb';
import { Grant, type IGrantable, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';

export interface Rights {
  readonly actions: readonly string[];
  readonly resourceArns: readonly string[];
  readonly conditions?: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

export function statementOf({ actions, resourceArns, conditions }: Rights): PolicyStatement {
  return new PolicyStatement({
    actions: [...actions],
    resources: [...resourceArns],
    ...(conditions === undefined ? {} : { conditions }),
  });
}

/** One grant of all of them, so that the caller can wait for it or insist on it. */
export function grantAll(grantee: IGrantable, rights: readonly Rights[]): Grant {
  return rights
    .map(({ actions, resourceArns, conditions }) =>
      Grant.addToPrincipal({
        grantee,
        actions: [...actions],
        resourceArns: [...resourceArns],
        ...(conditions === undefined ? {} : { conditions }),
      }),
    )
    .reduce((all, grant) => all.combine(grant));
}

export function sendTo(queues: readonly IQueue[]): Rights {
  return { actions: ['sqs:SendMessage'], resourceArns: queues.map((queue) => queue.queueArn) };
}

/** What an event source mapping does with the function's role, and our own changes of visibility. */
export function receiveFrom(queues: readonly IQueue[]): Rights {
  return {
    actions: ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ChangeMessageVisibility'],
    resourceArns: queues.map((queue) => queue.queueArn),
  };
}

/**
 * Claims, commits and conclusions are conditional updates, many in one PartiQL batch; a refused one is read; an expired
 * item is deleted; the results of a chord's members are read many at a time.
 */
export function workOnResults(table: ITableV2): Rights {
  return {
    actions: [
      'dynamodb:UpdateItem',
      'dynamodb:GetItem',
      'dynamodb:BatchGetItem',
      'dynamodb:DeleteItem',
      'dynamodb:PartiQLInsert',
      'dynamodb:PartiQLUpdate',
    ],
    resourceArns: [table.tableArn],
  };
}

/** Reading results, revoking and forgetting. */
export function readResults(table: ITableV2): Rights {
  return {
    actions: ['dynamodb:GetItem', 'dynamodb:BatchGetItem', 'dynamodb:UpdateItem', 'dynamodb:DeleteItem'],
    resourceArns: [table.tableArn],
  };
}

// `ForAllValues` also holds where a request names no key; none of the actions below can do without one.
const TIMERS_ONLY = { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['timer#*'] } };

/** Storing timers, and nothing else of the state table. */
export function putTimers(table: ITableV2): Rights {
  return {
    actions: ['dynamodb:BatchWriteItem', 'dynamodb:PutItem'],
    resourceArns: [table.tableArn],
    conditions: TIMERS_ONLY,
  };
}

const GROUPS_ONLY = { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['group#*'] } };

/** Defining groups and reading how far they are. */
export function useGroups(table: ITableV2): Rights {
  return {
    actions: ['dynamodb:PutItem', 'dynamodb:Query', 'dynamodb:BatchWriteItem'],
    resourceArns: [table.tableArn],
    conditions: GROUPS_ONLY,
  };
}

/** That, and marking members. */
export function workOnGroups(table: ITableV2): Rights {
  const { actions, ...rest } = useGroups(table);
  return { actions: [...actions, 'dynamodb:UpdateItem'], ...rest };
}

// Entries are written in batches of statements, or one by one where a service has none.
const ENTRY_ACTIONS = [
  'dynamodb:Query',
  'dynamodb:BatchGetItem',
  'dynamodb:BatchWriteItem',
  'dynamodb:PutItem',
  'dynamodb:DeleteItem',
  'dynamodb:PartiQLInsert',
  'dynamodb:PartiQLUpdate',
];

const SWEPT_ONLY = { 'ForAllValues:StringLike': { 'dynamodb:LeadingKeys': ['timer#*', 'schedule', 'schedule-due'] } };

/** Timers and schedule entries that come due. */
export function sweepState(table: ITableV2): Rights {
  return {
    actions: ENTRY_ACTIONS,
    resourceArns: [table.tableArn],
    conditions: SWEPT_ONLY,
  };
}

const SCHEDULES_ONLY = { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': ['schedule', 'schedule-due'] } };

/** Reading and changing schedule entries. */
export function workOnSchedules(table: ITableV2): Rights {
  return {
    actions: ENTRY_ACTIONS,
    resourceArns: [table.tableArn],
    conditions: SCHEDULES_ONLY,
  };
}

const ENTRIES_ONLY = { 'ForAllValues:StringEquals': { 'dynamodb:LeadingKeys': ['schedule'] } };

/** Asking whether a schedule entry is switched off. */
export function readSchedules(table: ITableV2): Rights {
  return { actions: ['dynamodb:BatchGetItem'], resourceArns: [table.tableArn], conditions: ENTRIES_ONLY };
}

const SWITCHING = ['events:EnableRule', 'events:DisableRule'];

/** Enabling and disabling the service's own rules. */
export function switchRules(ruleArns: readonly string[]): readonly Rights[] {
  return ruleArns.length === 0 ? [] : [{ actions: SWITCHING, resourceArns: ruleArns }];
}

/** The same, where they are not as they should be. */
export function keepRules(ruleArns: readonly string[]): readonly Rights[] {
  return ruleArns.length === 0 ? [] : [{ actions: ['events:DescribeRule', ...SWITCHING], resourceArns: ruleArns }];
}
