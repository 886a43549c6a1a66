/** What a stack has to know of a service that another stack or repository deploys. */
import { Stack, Token, TokenComparison } from 'aws-cdk-lib';
import type { Construct } from 'constructs';

import { integerIn, refuseUnknownKeys, shown } from '../lib/base/checks.ts';
import { InvalidOption, QueueNotFound } from '../lib/base/errors.ts';
import { DEFAULT_TIMER_SHARDS } from '../lib/base/limits.ts';
import type { LaneOptions } from '../lib/options/manifest.ts';
import { laneName } from '../lib/options/queue-options.ts';
import type { PayloadKey } from './payload-keys.ts';

/** A deployed service as its callers have to know it. */
export interface TaskServiceAttributes {
  /** The app's name, by which functions find what they are told of it. */
  readonly appName: string;
  /** ARNs of its queues by Celery's name, external ones too. */
  readonly queues: Readonly<Record<string, string>>;
  /** Name of the table of results. */
  readonly resultsTableName: string;
  /** Name of the table of timers, groups and schedules. */
  readonly stateTableName: string;
  /** Celery's name of the default queue. @default - the first of `queues` */
  readonly defaultQueue?: string;
  /** Names of those queues that are consumed elsewhere. @default - none */
  readonly externalQueues?: readonly string[];
  /**
   * Queues with lanes, by Celery's name: what the app says of their `priorities` and `defaultPriority`. `queues` then has each lane by its own
   * name, such as `mail-p5`. @default - none
   */
  readonly lanes?: Readonly<Record<string, LaneOptions>>;
  /** Queue by task, where routes or options say another than the default one. @default - none */
  readonly taskQueues?: Readonly<Record<string, string>>;
  /** Names of all its tasks: others are then refused at the call. @default - no name is refused */
  readonly taskNames?: readonly string[];
  /** Names of its tasks that are unique, throttled or debounced: grants have the rights on their marks. @default - none */
  readonly markedTasks?: readonly string[];
  /** The app's `timerShards`: who sends uses as many as who sweeps. @default 8 */
  readonly timerShards?: number;
  /** ARNs of its dead-letter queues by Celery's name of their queue, for `grantDeadLetters`. @default - none */
  readonly deadLetterQueues?: Readonly<Record<string, string>>;
  /** ARN of its wake-up queue; needed where a queue is FIFO. @default - none */
  readonly wakeQueueArn?: string;
  /** Name of its bucket of large payloads, for an app with `largePayloads`: grants have the rights on it. @default - none */
  readonly payloadBucketName?: string;
  /**
   * Where the keys of its codec are, by the name of the variable that holds the ARN, as the service's own `payloadKeys`: grants have the rights on
   * them. @default - none
   */
  readonly payloadKeys?: Readonly<Record<string, PayloadKey>>;
  /** What the names of its EventBridge rules begin with, for `grantSchedules`. @default - it has no rules */
  readonly rulePrefix?: string;
  /** ARN of the key of yours that encrypts its queues and tables: grants have the rights on it. @default - none */
  readonly encryptionKeyArn?: string;
}

const KEYS: ReadonlySet<string> = new Set<keyof TaskServiceAttributes>([
  'appName',
  'queues',
  'resultsTableName',
  'stateTableName',
  'defaultQueue',
  'externalQueues',
  'lanes',
  'taskQueues',
  'taskNames',
  'markedTasks',
  'timerShards',
  'deadLetterQueues',
  'wakeQueueArn',
  'rulePrefix',
  'payloadBucketName',
  'payloadKeys',
  'encryptionKeyArn',
]);

/** @throws InvalidOption, QueueNotFound */
export function checkAttributes(scope: Construct, id: string, attributes: TaskServiceAttributes): void {
  const place = `attributes of service '${id}'`;
  refuseUnknownKeys(attributes, KEYS, place);
  const names = Object.keys(attributes.queues ?? {});
  if (names.length === 0) throw new InvalidOption(`${place}: queues is empty. Give the ARN of each, by Celery's name.`);
  for (const field of ['appName', 'resultsTableName', 'stateTableName'] as const) {
    if (typeof attributes[field] !== 'string' || attributes[field] === '')
      throw new InvalidOption(`${place}: ${field} is missing.`);
  }
  integerIn(attributes.timerShards ?? DEFAULT_TIMER_SHARDS, 1, 64, `${place}: timerShards`);
  const { defaultQueue, externalQueues = [], taskQueues = {}, wakeQueueArn } = attributes;
  const named = [
    ...(defaultQueue === undefined ? [] : [defaultQueue]),
    ...externalQueues,
    ...Object.values(taskQueues),
    ...Object.keys(attributes.deadLetterQueues ?? {}),
    ...Object.entries(attributes.lanes ?? {}).flatMap(([name, lanes]) => namesOfLanes(name, lanes, place)),
  ];
  const stray = named.find((name) => !names.includes(name));
  if (stray !== undefined)
    throw new QueueNotFound(`${place}: queue '${stray}' is none of its queues, which are: ${names.join(', ')}.`);
  for (const [name, arn] of Object.entries(attributes.queues)) refuseElsewhere(scope, `${place}: queue '${name}'`, arn);
  for (const [name, arn] of Object.entries(attributes.deadLetterQueues ?? {}))
    refuseElsewhere(scope, `${place}: dead-letter queue of '${name}'`, arn);
  const ordered = Object.entries(attributes.queues).find(([, arn]) => arn.endsWith('.fifo'));
  if (ordered !== undefined && wakeQueueArn === undefined)
    throw new InvalidOption(
      `${place}: queue '${ordered[0]}' is FIFO, and so wakeQueueArn is needed: what is due later is sent there in time by the sweeper. It is the service's queues.wakeUps.`,
    );
  if (wakeQueueArn !== undefined) refuseElsewhere(scope, `${place}: wakeQueueArn`, wakeQueueArn);
}

/** The queue itself is one of its lanes. @throws InvalidOption */
function namesOfLanes(name: string, { priorities, defaultPriority = 0 }: LaneOptions, place: string): string[] {
  if (!Array.isArray(priorities) || !priorities.includes(0))
    throw new InvalidOption(
      `${place}: lanes.${name}.priorities: ${shown(priorities)} given; what the app says of them is needed, such as [0, 5].`,
    );
  const own = Math.max(...priorities.filter((step: number) => step <= defaultPriority));
  return priorities.map((step: number) => (step === own ? name : laneName(name, step)));
}

/** @throws InvalidOption for a queue that this stack's functions cannot reach by their own credentials and region. */
function refuseElsewhere(scope: Construct, place: string, arn: string): void {
  if (Token.isUnresolved(arn)) return;
  const [prefix, , service, region = '', account = '', name] = arn.split(':');
  if (prefix !== 'arn' || service !== 'sqs' || name === undefined)
    throw new InvalidOption(
      `${place}: '${arn}' is no ARN of an SQS queue, such as arn:aws:sqs:eu-central-1:111122223333:shop-mail.`,
    );
  const stack = Stack.of(scope);
  for (const [given, own, what, why] of [
    [region, stack.region, 'Region', 'a function signs its requests for its own Region'],
    [account, stack.account, 'account', "tables are addressed by name, which reaches the function's own account alone"],
  ] as const) {
    if (Token.compareStrings(given, own) !== TokenComparison.DIFFERENT) continue;
    throw new InvalidOption(
      `${place}: it is in ${what} ${given}, and stack '${stack.stackName}' in ${own}: ${why}. Grant in a stack of the service's own ${what}, and let others call a function there.`,
    );
  }
}
