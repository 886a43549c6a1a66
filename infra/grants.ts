/** Rights as plain data, with only the actions that the code calls: a role's own statements and `grantEnqueue` are made of the same. */
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import { Grant, type IGrantable, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';

/** Both tables of a service. */
export interface Tables {
  readonly results: ITable;
  readonly state: ITable;
  /** The bucket of large payloads; undefined where the app stores none. */
  readonly payloads?: IBucket | undefined;
}

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

/** What an event source mapping does with the function's role. */
export function receiveFrom(queues: readonly IQueue[]): Rights {
  return {
    actions: ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'],
    resourceArns: queues.map((queue) => queue.queueArn),
  };
}

/** That a message comes back sooner or later than its queue says. */
export function showAgain(queues: readonly IQueue[]): Rights {
  return { actions: ['sqs:ChangeMessageVisibility'], resourceArns: queues.map((queue) => queue.queueArn) };
}

/**
 * A table's actions on some of its partitions alone. `ForAllValues` also holds where a request names no key; none of the
 * actions that are granted by it can do without one.
 */
export function onKeys(
  table: ITable,
  keys: readonly string[],
  actions: readonly string[],
  attributes?: string[],
): Rights {
  return {
    actions: actions.map((action) => `dynamodb:${action}`),
    resourceArns: [table.tableArn],
    conditions: {
      'ForAllValues:StringLike': {
        'dynamodb:LeadingKeys': [...keys],
        ...(attributes === undefined ? {} : { 'dynamodb:Attributes': attributes }),
      },
    },
  };
}

export const TASKS = "b'celery-task-meta-*";
// As Celery's backend names them: members of a group, and the count of a chord.
const CELERY_GROUPS = "b'celery-taskset-meta-*";
const CELERY_CHORDS = "b'chord-unlock-*";
export const TIMERS = 'timer#*';
export const GROUPS = 'group#*';
// What is changed at run time.
export const CONTROL = 'control';
export const RATE_LINES = 'rate#*';
export const RATE_SLOTS = 'rate-slot#*';
export const LOCKS = 'lock#*';
export const SLOTS = 'slots#*';
export const PARKED = 'parked#*';
const PARKED_SINCE = 'parked-since#*';
export const PARKED_TASKS = 'parked-task#*';
export const PARKED_KEYS = 'parked-keys#*';
const UNIQUE = 'unique#*';
export const DEBOUNCED = 'debounce#*';
export const HISTORY = 'history#*';
export const STATS = 'stats#*';
// How far the sweeper is with the history, and what it has to look at again.
export const ROLL_NOTES = 'history-roll';
// What has been told of failures.
const NOTICES = 'notices';
export const ENTRIES = 'schedule';
export const DUE_MARKS = 'schedule-due';
// Which queues are paused.
export const PAUSES = 'paused';

/**
 * Of a worker. Claims, commits and conclusions are conditional updates, many in one PartiQL batch; a refused one is
 * read; an expired item is deleted; the results of a chord's members are read many at a time.
 */
export function workOnResults(table: ITable): Rights {
  const actions = ['UpdateItem', 'GetItem', 'BatchGetItem', 'DeleteItem', 'PartiQLInsert', 'PartiQLUpdate'];
  return { actions: actions.map((action) => `dynamodb:${action}`), resourceArns: [table.tableArn] };
}

/** Ending a task that has not run: one conditional update, a read where it is refused, an expired item deleted. */
export function endTasks(table: ITable): Rights {
  return onKeys(table, [TASKS], ['UpdateItem', 'GetItem', 'DeleteItem']);
}

/** Taking back ticks that were sent ahead: the same of what is new, and never expired. `reads` where it may not read results yet. */
export function revokeTicks(table: ITable, { reads }: { readonly reads: boolean }): Rights {
  return onKeys(table, [TASKS], reads ? ['UpdateItem', 'GetItem'] : ['UpdateItem']);
}

/**
 * Of whoever looks at dead letters and has their tasks run once more: received, shown, deleted and counted there, sent to
 * the queues, and the records of their tasks opened again.
 */
export function workOnDeadLetters(
  deadLetterQueues: readonly IQueue[],
  targets: readonly IQueue[],
  { results }: Tables,
): Rights[] {
  return [
    {
      actions: ['sqs:ReceiveMessage', 'sqs:ChangeMessageVisibility', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes'],
      resourceArns: deadLetterQueues.map((queue) => queue.queueArn),
    },
    sendTo(targets),
    onKeys(results, [TASKS], ['GetItem', 'BatchGetItem', 'UpdateItem', 'DeleteItem']),
  ];
}

/** Reading results and members of groups, and how far groups are. */
export function readResults({ results, state }: Tables): Rights[] {
  return [
    { actions: ['dynamodb:GetItem', 'dynamodb:BatchGetItem'], resourceArns: [results.tableArn] },
    onKeys(state, [GROUPS], ['Query']),
  ];
}

/** One task at a time, by its id. */
export function readTasks({ results }: Pick<Tables, 'results'>): Rights {
  return onKeys(results, [TASKS], ['GetItem']);
}

/** Revoking tasks, forgetting results and groups, and changing rate limits. */
export function manageResults({ results, state }: Tables): Rights[] {
  return [
    endTasks(results),
    onKeys(results, [CELERY_CHORDS], ['GetItem']),
    onKeys(results, [CELERY_GROUPS], ['DeleteItem']),
    onKeys(state, [GROUPS], ['Query']),
    // Deletes name nothing but the key: a batch that puts members into a count is refused.
    onKeys(state, [GROUPS], ['BatchWriteItem'], ['pk', 'sk']),
    onKeys(state, [CONTROL], ['PutItem', 'DeleteItem']),
  ];
}

/** Storing timers, and taking one's own back; nothing else of the state table. */
export function putTimers(table: ITable, action: 'BatchWriteItem' | 'PutItem' = 'BatchWriteItem'): Rights {
  return onKeys(table, [TIMERS], [action]);
}

// Of a definition (lib/aws/dynamodb-groups.ts); a count of members has others, which only workers write.
const DEFINITION = ['pk', 'sk', 'size', 'created', 'chunks', 'digest', 'body', 'ttl'];

/** What a sender stores of groups: definitions, and where Celery looks for members; `counted` for chords with members in Python. */
export function defineGroups({ results, state }: Tables, { counted }: { readonly counted: boolean }): Rights[] {
  return [
    onKeys(state, [GROUPS], ['PutItem'], DEFINITION),
    onKeys(results, counted ? [CELERY_GROUPS, CELERY_CHORDS] : [CELERY_GROUPS], ['UpdateItem']),
  ];
}

/** Of a worker: defining groups, marking members, reading and forgetting. */
export function workOnGroups(table: ITable): Rights {
  return onKeys(table, [GROUPS], ['PutItem', 'Query', 'BatchWriteItem', 'UpdateItem']);
}

/** Of a worker whose tasks have rate limits: places in their lines, and those that messages keep where they wait. */
export function takeRateSlots(table: ITable): Rights[] {
  return [
    onKeys(table, [RATE_LINES], ['UpdateItem', 'GetItem']),
    onKeys(table, [RATE_SLOTS], ['PutItem', 'GetItem']),
    onKeys(table, [CONTROL], ['Query']),
  ];
}

/** Acquiring, renewing, giving back and freeing locks, which are one conditional update each, and listing them. */
export function workOnLocks(table: ITable): Rights {
  return onKeys(table, [LOCKS], ['UpdateItem', 'GetItem', 'Query']);
}

/** Who runs under a concurrency, or as the one instance, and who waits. */
export function readSlots(table: ITable): Rights[] {
  return [onKeys(table, [SLOTS, LOCKS], ['GetItem']), onKeys(table, [PARKED, PARKED_KEYS], ['Query'])];
}

/** Of a worker whose tasks have a concurrency, or one instance: slots of their keys, and messages that wait for one. */
export function takeSlots(
  table: ITable,
  { slotted, alone }: { readonly slotted: boolean; readonly alone: boolean },
): Rights[] {
  const keys = [...(slotted ? [SLOTS] : []), ...(alone ? [LOCKS] : [])];
  if (keys.length === 0) return [];
  return [
    onKeys(table, keys, ['UpdateItem', 'GetItem']),
    // All kinds stand in one batch, and the keys of a batch have to fit one statement.
    onKeys(table, [PARKED, PARKED_TASKS, PARKED_KEYS], ['BatchWriteItem']),
    onKeys(table, [PARKED], ['Query', 'GetItem', 'DeleteItem']),
    onKeys(table, [PARKED_SINCE], ['UpdateItem']),
  ];
}

/**
 * Of a sender of tasks that are unique, throttled or debounced: taking a key or joining what waits, telling that it is
 * sent, freeing what was refused; and reading whether the task that stands has ended.
 */
export function takeMarks({ results, state }: Tables): Rights[] {
  return [
    onKeys(state, [UNIQUE], ['UpdateItem', 'PartiQLInsert', 'PartiQLUpdate', 'DeleteItem', 'GetItem']),
    onKeys(state, [DEBOUNCED], ['GetItem', 'PutItem', 'UpdateItem']),
    onKeys(results, [TASKS], ['GetItem', 'BatchGetItem']),
  ];
}

/** Of a worker, whose tasks send too: also freeing the keys of what has ended, and closing what was debounced. */
export function workOnMarks(table: ITable): Rights[] {
  return [
    onKeys(table, [UNIQUE], ['UpdateItem', 'PartiQLInsert', 'PartiQLUpdate', 'DeleteItem', 'GetItem']),
    onKeys(table, [DEBOUNCED], ['GetItem', 'PutItem', 'UpdateItem', 'DeleteItem']),
  ];
}

/** Of a worker: what ended, and that it was late. */
export function writeHistory(table: ITable): Rights {
  return onKeys(table, [HISTORY, ROLL_NOTES], ['PutItem']);
}

/** Of the sweeper: what ended there, and making counts of all of it. */
export function rollUpHistory(table: ITable): Rights[] {
  return [
    onKeys(table, [HISTORY, STATS, ROLL_NOTES], ['PutItem', 'Query']),
    onKeys(table, [ROLL_NOTES], ['DeleteItem']),
  ];
}

/** Of a worker whose failures are told: which of them have been. */
export function tellFailures(table: ITable): Rights {
  return onKeys(table, [NOTICES], ['UpdateItem', 'GetItem']);
}

/** The same of the sweeper, which also counts failures and ends windows. */
export function digestFailures(table: ITable): Rights {
  return onKeys(table, [NOTICES], ['UpdateItem', 'GetItem', 'DeleteItem', 'PutItem', 'Query']);
}

/** Reading what ended and its counts, and the items of tasks. */
export function readHistory({ results, state }: Tables): Rights[] {
  return [onKeys(state, [HISTORY, STATS, ROLL_NOTES], ['Query']), onKeys(results, [TASKS], ['GetItem'])];
}

/** Asking which queues are paused. */
export function readPauses(table: ITable): Rights {
  return onKeys(table, [PAUSES], ['Query']);
}

/** Noting that a queue is paused, and taking the note away. */
export function workOnPauses(table: ITable): Rights {
  return onKeys(table, [PAUSES], ['Query', 'PutItem', 'GetItem', 'DeleteItem']);
}

/** How much lies in queues, and how long they keep it. */
export function countIn(queues: readonly IQueue[]): Rights {
  return { actions: ['sqs:GetQueueAttributes'], resourceArns: queues.map((queue) => queue.queueArn) };
}

/** Emptying queues. */
export function emptyQueues(queues: readonly IQueue[]): Rights {
  return { actions: ['sqs:PurgeQueue'], resourceArns: queues.map((queue) => queue.queueArn) };
}

/** Looking at what lies in queues: it is received, and hidden from nobody. FIFO queues are not looked into. */
export function lookInto(queues: readonly IQueue[]): Rights[] {
  const resourceArns = queues.filter(({ fifo }) => !fifo).map((queue) => queue.queueArn);
  return resourceArns.length === 0 ? [] : [{ actions: ['sqs:ReceiveMessage'], resourceArns }];
}

/**
 * Whatever tells why a task does not run: its record, its timer, its place in a line and who is in front of it, its group, what
 * is debounced and paused.
 */
export function readWaits({ results, state }: Tables): Rights[] {
  return [
    onKeys(results, [TASKS], ['GetItem']),
    onKeys(state, [SLOTS, LOCKS, PARKED, PARKED_TASKS, RATE_SLOTS, DEBOUNCED], ['GetItem']),
    onKeys(state, [PARKED, TIMERS, GROUPS, PAUSES], ['Query']),
  ];
}

/** Timers and schedule entries that come due. */
export function sweepState(table: ITable): Rights[] {
  return [
    onKeys(table, [TIMERS, DUE_MARKS], ['Query', 'BatchWriteItem']),
    onKeys(table, [ENTRIES], [...ENTRY_WRITES, 'BatchGetItem', 'DeleteItem']),
    onKeys(table, [DUE_MARKS], ['PutItem']),
  ];
}

// Entries are written in batches of statements, or one by one where that tells nothing.
const ENTRY_WRITES = ['PutItem', 'PartiQLInsert', 'PartiQLUpdate'];

/** Reading and changing schedule entries. */
export function workOnSchedules(table: ITable): Rights[] {
  return [
    onKeys(table, [ENTRIES], [...ENTRY_WRITES, 'BatchGetItem', 'Query']),
    onKeys(table, [DUE_MARKS], ['PutItem', 'BatchWriteItem']),
  ];
}

/** Asking whether a schedule entry is switched off. */
export function readSchedules(table: ITable): Rights {
  return onKeys(table, [ENTRIES], ['BatchGetItem']);
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
