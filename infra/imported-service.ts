/** A service that another stack or repository deploys. */
import { Stack, Token, TokenComparison } from 'aws-cdk-lib';
import { type ITableV2, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import type { Grant, IGrantable } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { type IQueue, Queue } from 'aws-cdk-lib/aws-sqs';
import { StringParameter } from 'aws-cdk-lib/aws-ssm';
import { Construct } from 'constructs';

import { integerIn, refuseUnknownKeys, shown } from '../lib/base/checks.ts';
import { ImproperlyConfigured, InvalidOption, QueueNotFound } from '../lib/base/errors.ts';
import { DEFAULT_TIMER_SHARDS } from '../lib/base/limits.ts';
import { type DeployedService, queueArn, readDeployedService } from '../lib/options/deployed-service.ts';
import type { LaneOptions } from '../lib/options/manifest.ts';
import { laneName } from '../lib/options/queue-options.ts';
import { acknowledgeRulePattern } from './beat-rules.ts';
import { checkName } from './deployed-parameter.ts';
import { EncryptionKeys } from './encryption.ts';
import { ServiceEnvironment } from './environment.ts';
import { type ITaskService, ServiceAccess } from './service-access.ts';

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
  /** ARN of its wake-up queue; needed where a queue is FIFO. @default - none */
  readonly wakeQueueArn?: string;
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
  'wakeQueueArn',
  'rulePrefix',
  'encryptionKeyArn',
]);

/** What `fromAttributes` and `fromParameter` return. */
class ImportedService extends Construct implements ITaskService {
  readonly appName: string;
  readonly #queues: Readonly<Record<string, IQueue>>;
  readonly #access: ServiceAccess;
  readonly #anyQueue: ((name: string) => IQueue) | undefined;

  /** @param anyQueue stands for all queues while nobody knows them. */
  constructor(
    scope: Construct,
    id: string,
    attributes: TaskServiceAttributes,
    urls: Readonly<Record<string, string>> = {},
    anyQueue?: (name: string) => IQueue,
  ) {
    super(scope, id);
    this.appName = attributes.appName;
    this.#anyQueue = anyQueue;
    const { wakeQueueArn, rulePrefix, encryptionKeyArn } = attributes;
    const keyed = encryptionKeyArn === undefined ? {} : { keyArn: encryptionKeyArn };
    const queueScope = new Construct(this, 'Queues');
    this.#queues = Object.fromEntries(
      Object.entries(attributes.queues).map(([name, arn]) => [
        name,
        imported(queueScope, name, { queueArn: arn, queueUrl: urls[arn], ...keyed }),
      ]),
    );
    const wakeUps =
      wakeQueueArn === undefined
        ? []
        : [imported(this, 'WakeUps', { queueArn: wakeQueueArn, queueUrl: urls[wakeQueueArn], ...keyed })];
    const environment = new ServiceEnvironment(this, {
      app: attributes.appName,
      queues: Object.fromEntries(Object.entries(this.#queues).map(([name, queue]) => [name, queue.queueUrl])),
      deadLetterQueues: {},
      resultsTable: attributes.resultsTableName,
      stateTable: attributes.stateTableName,
      timerShards: attributes.timerShards ?? DEFAULT_TIMER_SHARDS,
      defaultQueue: attributes.defaultQueue ?? Object.keys(attributes.queues)[0] ?? 'default',
      externalQueues: attributes.externalQueues ?? [],
      markedTasks: attributes.markedTasks ?? [],
      lanes: attributes.lanes,
      taskQueues: attributes.taskQueues ?? {},
      wakeQueue: wakeUps[0]?.queueUrl,
      rulePrefix,
      taskNames: attributes.taskNames ?? [],
    });
    if (rulePrefix !== undefined) acknowledgeRulePattern(this, rulePrefix);
    const targets = [...Object.values(this.#queues), ...wakeUps];
    const encryption =
      encryptionKeyArn === undefined ? {} : { encryptionKey: Key.fromKeyArn(this, 'Key', encryptionKeyArn) };
    const table = (tableId: string, tableName: string): ITableV2 =>
      TableV2.fromTableAttributes(this, tableId, { tableName, ...encryption });
    const tables = {
      results: table('Results', attributes.resultsTableName),
      state: table('State', attributes.stateTableName),
    };
    this.#access = new ServiceAccess({
      environment,
      targets,
      tables,
      keys: new EncryptionKeys(this, targets, [tables.results, tables.state]),
      ruleArns: ruleArns(Stack.of(this), rulePrefix),
      counted: (attributes.externalQueues ?? []).length > 0,
    });
  }

  queue(name: string): IQueue {
    const queue = new Map(Object.entries(this.#queues)).get(name);
    if (queue !== undefined) return queue;
    if (this.#anyQueue !== undefined) return this.#anyQueue(name);
    throw new QueueNotFound(
      `Queue '${name}' is none of service '${this.appName}'. It has: ${Object.keys(this.#queues).join(', ')}.`,
    );
  }

  grantEnqueue(grantee: IGrantable): Grant {
    return this.#access.enqueue(grantee);
  }

  grantResults(grantee: IGrantable): Grant {
    return this.#access.results(grantee);
  }

  grantManage(grantee: IGrantable): Grant {
    return this.#access.manage(grantee);
  }

  grantSchedules(grantee: IGrantable): Grant {
    return this.#access.schedules(grantee);
  }

  grantOutbox(grantee: IGrantable): Grant {
    return this.#access.outbox(grantee);
  }

  grantLocks(grantee: IGrantable): Grant {
    return this.#access.locks(grantee);
  }

  grantHistory(grantee: IGrantable): Grant {
    return this.#access.history(grantee);
  }

  environment(): Record<string, string> {
    return this.#access.variables();
  }
}

function ruleArns(stack: Stack, prefix: string | undefined): string[] {
  const arnOf = (resourceName: string): string =>
    stack.formatArn({ service: 'events', resource: 'rule', resourceName });
  return prefix === undefined ? [] : [arnOf(`${prefix}-*`)];
}

interface QueueFacts {
  readonly queueArn: string;
  readonly queueUrl?: string | undefined;
  readonly keyArn?: string;
}

function imported(scope: Construct, id: string, { queueUrl, ...facts }: QueueFacts): IQueue {
  return Queue.fromQueueAttributes(scope, id, { ...facts, ...(queueUrl === undefined ? {} : { queueUrl }) });
}

/** @throws InvalidOption */
export function serviceFromAttributes(scope: Construct, id: string, attributes: TaskServiceAttributes): ITaskService {
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
    ...Object.entries(attributes.lanes ?? {}).flatMap(([name, lanes]) => namesOfLanes(name, lanes, place)),
  ];
  const stray = named.find((name) => !names.includes(name));
  if (stray !== undefined)
    throw new QueueNotFound(`${place}: queue '${stray}' is none of its queues, which are: ${names.join(', ')}.`);
  for (const [name, arn] of Object.entries(attributes.queues)) refuseElsewhere(scope, `${place}: queue '${name}'`, arn);
  const ordered = Object.entries(attributes.queues).find(([, arn]) => arn.endsWith('.fifo'));
  if (ordered !== undefined && wakeQueueArn === undefined)
    throw new InvalidOption(
      `${place}: queue '${ordered[0]}' is FIFO, and so wakeQueueArn is needed: what is due later is sent there in time by the sweeper. It is the service's queues.wakeUps.`,
    );
  if (wakeQueueArn !== undefined) refuseElsewhere(scope, `${place}: wakeQueueArn`, wakeQueueArn);
  return new ImportedService(scope, id, attributes);
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

/** @throws InvalidOption, ImproperlyConfigured */
export function serviceFromParameter(scope: Construct, id: string, parameterName: string): ITaskService {
  checkName(parameterName);
  const stack = Stack.of(scope);
  if (Token.isUnresolved(stack.account) || Token.isUnresolved(stack.region)) {
    throw new ImproperlyConfigured(
      `TaskService.fromParameter reads ${parameterName} while the stack is synthesized, and so stack '${stack.stackName}' needs env: { account, region }: those of the service. Where they are not known, use TaskService.fromAttributes.`,
    );
  }
  const text = StringParameter.valueFromLookup(scope, parameterName, UNKNOWN);
  // CDK synthesizes once more when it has looked.
  if (text === UNKNOWN) return notYetKnown(scope, id, stack);
  const deployed = readDeployedService(text);
  if (deployed.account !== stack.account || deployed.region !== stack.region) {
    throw new ImproperlyConfigured(
      `${parameterName} tells of a service in account ${deployed.account} and Region ${deployed.region}, and stack '${stack.stackName}' is in ${stack.account} and ${stack.region}. Forget what was looked up (cdk context --reset), or use a stack of the service's own place.`,
    );
  }
  return new ImportedService(scope, id, attributesOf(deployed), urlsOf(deployed));
}

const UNKNOWN = 'celeriac-not-looked-up-yet';

function notYetKnown(scope: Construct, id: string, stack: Stack): ITaskService {
  const arnOf = (resource: string): string => stack.formatArn({ service: 'sqs', resource });
  const attributes = { queues: { default: arnOf('unknown') }, resultsTableName: 'unknown', stateTableName: 'unknown' };
  // The app's name is not known either: one of its own, so that it meets no other service's.
  const appName = `unknown.${scope.node.path.replaceAll(/[^A-Za-z0-9]/g, '.')}.${id}`;
  const queues = new Map<string, IQueue>();
  const service: ImportedService = new ImportedService(scope, id, { ...attributes, appName }, {}, (name) => {
    const queue = queues.get(name) ?? imported(service, `Any${name}`, { queueArn: arnOf(name) });
    queues.set(name, queue);
    return queue;
  });
  return service;
}

function attributesOf(deployed: DeployedService): TaskServiceAttributes {
  const { environment } = deployed;
  const { wakeQueue, rulePrefix } = environment;
  const { encryptionKeyArn } = deployed;
  const arns = Object.entries(environment.queues).map(([name, url]) => [name, queueArn(url, deployed)] as const);
  return {
    appName: deployed.app,
    queues: Object.fromEntries(arns),
    resultsTableName: environment.resultsTable,
    stateTableName: environment.stateTable,
    defaultQueue: environment.defaultQueue,
    externalQueues: environment.externalQueues,
    markedTasks: environment.markedTasks ?? [],
    ...(environment.lanes === undefined ? {} : { lanes: environment.lanes }),
    taskQueues: environment.taskQueues,
    taskNames: deployed.taskNames,
    timerShards: environment.timerShards,
    ...(wakeQueue === undefined ? {} : { wakeQueueArn: queueArn(wakeQueue, deployed) }),
    ...(encryptionKeyArn === undefined ? {} : { encryptionKeyArn }),
    ...(rulePrefix === undefined || deployed.rules === 0 ? {} : { rulePrefix }),
  };
}

/** Addresses as the service itself uses them, by ARN. */
function urlsOf(deployed: DeployedService): Record<string, string> {
  const { queues, wakeQueue } = deployed.environment;
  const urls = [...Object.values(queues), ...(wakeQueue === undefined ? [] : [wakeQueue])];
  return Object.fromEntries(urls.map((url) => [queueArn(url, deployed), url]));
}
