/** A service that another stack or repository deploys. */
import { Stack, Token } from 'aws-cdk-lib';
import { type ITableV2, TableV2 } from 'aws-cdk-lib/aws-dynamodb';
import type { Grant, IGrantable } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { type IQueue, Queue } from 'aws-cdk-lib/aws-sqs';
import { StringParameter } from 'aws-cdk-lib/aws-ssm';
import { Construct } from 'constructs';

import { ImproperlyConfigured, InvalidOption, QueueNotFound } from '../lib/base/errors.ts';
import { DEFAULT_TIMER_SHARDS } from '../lib/base/limits.ts';
import { type DeployedService, queueArn, readDeployedService } from '../lib/options/deployed-service.ts';
import { acknowledgeRulePattern } from './beat-rules.ts';
import { checkName } from './deployed-parameter.ts';
import { EncryptionKeys } from './encryption.ts';
import { ServiceEnvironment } from './environment.ts';
import type { Tables } from './grants.ts';
import { checkAttributes, type TaskServiceAttributes } from './imported-attributes.ts';
import { importedLetters } from './imported-letters.ts';
import { payloadKeysOf } from './payload-keys.ts';
import { type ITaskService, type LetterQueues, ServiceAccess } from './service-access.ts';

/** What `fromAttributes` and `fromParameter` return. */
class ImportedService extends Construct implements ITaskService {
  readonly appName: string;
  readonly #queues: Readonly<Record<string, IQueue>>;
  readonly #letters: Readonly<Record<string, LetterQueues>>;
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
    const letterScope = new Construct(this, 'DeadLetters');
    this.#letters = importedLetters(attributes, this.#queues, (name, arn) =>
      imported(letterScope, name, { queueArn: arn, queueUrl: urls[arn], ...keyed }),
    );
    const dead = Object.entries(this.#letters).map(([name, { deadLetterQueue }]) => [name, deadLetterQueue] as const);
    const wakeUps =
      wakeQueueArn === undefined
        ? []
        : [imported(this, 'WakeUps', { queueArn: wakeQueueArn, queueUrl: urls[wakeQueueArn], ...keyed })];
    const environment = new ServiceEnvironment(this, {
      app: attributes.appName,
      queues: Object.fromEntries(Object.entries(this.#queues).map(([name, queue]) => [name, queue.queueUrl])),
      deadLetterQueues: Object.fromEntries(dead),
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
      payloadBucket: attributes.payloadBucketName,
      taskNames: attributes.taskNames ?? [],
    });
    if (rulePrefix !== undefined) acknowledgeRulePattern(this, rulePrefix);
    const targets = [...Object.values(this.#queues), ...wakeUps];
    const tables = tablesOf(this, attributes);
    this.#access = new ServiceAccess({
      environment,
      targets,
      tables,
      keys: new EncryptionKeys(this, [...targets, ...dead.map(([, queue]) => queue)], tables),
      payloadKeys: payloadKeysOf(this, attributes.payloadKeys, { name: attributes.appName, codec: true }),
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

  grantDeadLetters(grantee: IGrantable): Grant {
    if (Object.keys(this.#letters).length > 0) return this.#access.deadLetters(grantee, this.#letters);
    // While nobody knows the queues, one stands for all of them.
    const one = this.#anyQueue?.('any');
    if (one !== undefined) return this.#access.deadLetters(grantee, { all: { own: [one], deadLetterQueue: one } });
    throw new InvalidOption(
      `grantDeadLetters: of service '${this.appName}' no dead-letter queues are known. Give deadLetterQueues, the ARN of each by Celery's name of its queue, or take TaskService.fromParameter, which reads them.`,
    );
  }

  environment(): Record<string, string> {
    return this.#access.variables();
  }
}

function tablesOf(scope: Construct, attributes: TaskServiceAttributes): Tables {
  const { resultsTableName, stateTableName, encryptionKeyArn, payloadBucketName: bucketName } = attributes;
  const encryption =
    encryptionKeyArn === undefined ? {} : { encryptionKey: Key.fromKeyArn(scope, 'Key', encryptionKeyArn) };
  const table = (id: string, tableName: string): ITableV2 =>
    TableV2.fromTableAttributes(scope, id, { tableName, ...encryption });
  const payloads =
    bucketName === undefined
      ? undefined
      : Bucket.fromBucketAttributes(scope, 'Payloads', { bucketName, ...encryption });
  return { results: table('Results', resultsTableName), state: table('State', stateTableName), payloads };
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
  checkAttributes(scope, id, attributes);
  return new ImportedService(scope, id, attributes);
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
  const { wakeQueue, rulePrefix, payloadBucket } = environment;
  const { encryptionKeyArn } = deployed;
  const arns = Object.entries(environment.queues).map(([name, url]) => [name, queueArn(url, deployed)] as const);
  return {
    appName: deployed.app,
    queues: Object.fromEntries(arns),
    deadLetterQueues: Object.fromEntries(
      Object.entries(environment.deadLetterQueues).map(([name, url]) => [name, queueArn(url, deployed)]),
    ),
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
    ...(payloadBucket === undefined ? {} : { payloadBucketName: payloadBucket }),
    ...(rulePrefix === undefined || deployed.rules === 0 ? {} : { rulePrefix }),
  };
}

/** Addresses as the service itself uses them, by ARN. */
function urlsOf(deployed: DeployedService): Record<string, string> {
  const { queues, deadLetterQueues, wakeQueue } = deployed.environment;
  const urls = [
    ...Object.values(queues),
    ...Object.values(deadLetterQueues),
    ...(wakeQueue === undefined ? [] : [wakeQueue]),
  ];
  return Object.fromEntries(urls.map((url) => [queueArn(url, deployed), url]));
}
