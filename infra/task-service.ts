import { Duration, type RemovalPolicy, Stack } from 'aws-cdk-lib';
import { Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { IGrantable } from 'aws-cdk-lib/aws-iam';
import { CfnEventSourceMapping, Function as LambdaFn } from 'aws-cdk-lib/aws-lambda';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { type IQueue, Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';

import { ImproperlyConfigured, QueueNotFound } from '../lib/errors.ts';
import { DEADLINE_MARGIN_SECONDS, LAMBDA_MAX_TIMEOUT_SECONDS } from '../lib/limits.ts';
import { type AppManifest, ENVIRONMENT } from '../lib/manifest.ts';
import { putTimers, readResults, receiveFrom, sendTo, sweepTimers, workOnResults } from './grants.ts';
import { isDeadLetterQueue, TaskQueues } from './queues.ts';
import { TaskTables } from './tables.ts';
import { TaskFunction } from './task-function.ts';
import { longestTask, type QueuePlan, SWEEPER_TIMEOUT_SECONDS, validateEnvironment, validatePlan } from './validate.ts';

/** Overrides for one queue and its worker. */
export interface QueueOverrides {
  /** Function timeout. @default the longest time limit of the queue's tasks + 30 s, or 60 s without one */
  readonly timeout?: Duration;
  /** @default timeout + batch window + 30 s */
  readonly visibilityTimeout?: Duration;
  /** @default 4 days */
  readonly retention?: Duration;
  /** @default 14 days */
  readonly deadLetterRetention?: Duration;
  /** Receives before a message that no worker handled moves to the lost queue. @default 50 */
  readonly maxReceiveCount?: number;
  /** @default 512 */
  readonly memoryMiB?: number;
}

export interface TaskServiceProps {
  /** The app, or its manifest. */
  readonly app: AppManifest | { manifest(): AppManifest };
  /** Path of the module that exports the app; it is bundled into the functions. */
  readonly entry: string;
  /** Per queue, by its Celery name. */
  readonly queues?: Readonly<Record<string, QueueOverrides>>;
  /** Fixed queue names, as Celery's `queue_name_prefix` makes them. @default - CloudFormation names the queues */
  readonly queueNamePrefix?: string;
  /** Of the tables. @default RemovalPolicy.RETAIN */
  readonly removalPolicy?: RemovalPolicy;
  /** @default RetentionDays.ONE_MONTH */
  readonly logRetention?: RetentionDays;
}

const DEFAULT_TIMEOUT_SECONDS = 60;
// Above the longest task: claims, commits, settling and a cold start of its neighbours.
const TIMEOUT_MARGIN_SECONDS = 30;
// AWS advises six timeouts, because early redelivery repeats runs. Claims absorb that, and recovery is quick.
const VISIBILITY_MARGIN_SECONDS = 30;
const DAY_SECONDS = 86_400;

/** Everything an app needs on AWS: queues, workers, tables and the sweeper. */
export class TaskService extends Construct {
  readonly manifest: AppManifest;
  readonly tables: TaskTables;
  readonly queues: TaskQueues;
  readonly sweeper: LambdaFn;
  readonly #workers = new Map<string, LambdaFn>();
  readonly #taskQueues: Readonly<Record<string, string>>;

  constructor(scope: Construct, id: string, props: TaskServiceProps) {
    super(scope, id);
    this.manifest = 'manifest' in props.app ? props.app.manifest() : props.app;
    const stray = Object.keys(props.queues ?? {}).find((name) => !Object.hasOwn(this.manifest.queues, name));
    if (stray !== undefined) throw this.#unknownQueue(stray);
    const plans = Object.fromEntries(
      Object.keys(this.manifest.queues).map((name) => [name, this.#plan(name, props.queues?.[name] ?? {})]),
    );
    this.#taskQueues = taskQueuesOf(this.manifest);
    validateEnvironment(this.manifest, this.#taskQueues);
    this.tables = new TaskTables(
      this,
      'Tables',
      props.removalPolicy === undefined ? {} : { removalPolicy: props.removalPolicy },
    );
    this.queues = new TaskQueues(this, 'Queues', {
      plans,
      ...(props.queueNamePrefix === undefined ? {} : { queueNamePrefix: props.queueNamePrefix }),
    });
    for (const [name, plan] of Object.entries(plans)) this.#workers.set(name, this.#createWorker(name, plan, props));
    this.sweeper = this.#createSweeper(props);
  }

  /** @throws QueueNotFound */
  queue(name: string): IQueue {
    return this.#pair(name).queue;
  }

  /** @throws QueueNotFound */
  deadLetterQueue(name: string): IQueue {
    return this.#pair(name).deadLetterQueue;
  }

  /** @throws QueueNotFound */
  worker(name: string): LambdaFn {
    const worker = this.#workers.get(name);
    if (worker === undefined) throw this.#unknownQueue(name);
    return worker;
  }

  /**
   * Lets somebody enqueue, read results, revoke and forget. A Lambda function also gets the environment
   * that `enqueue()` reads.
   */
  grantEnqueue(grantee: IGrantable): void {
    const principal = grantee.grantPrincipal;
    const statements = [
      sendTo(Object.values(this.queues.pairs).map((pair) => pair.queue)),
      putTimers(this.tables.state),
      readResults(this.tables.results),
    ];
    for (const statement of statements) principal.addToPrincipalPolicy(statement);
    if (!(grantee instanceof LambdaFn)) return;
    for (const [name, value] of Object.entries(this.#environment({ deadLetters: false })))
      grantee.addEnvironment(name, value);
  }

  #pair(name: string): TaskQueues['pairs'][string] {
    const pair = this.queues.pairs[name];
    if (pair === undefined) throw this.#unknownQueue(name);
    return pair;
  }

  #unknownQueue(name: string): QueueNotFound {
    return new QueueNotFound(
      `Queue '${name}' is not declared by app '${this.manifest.name}'. Declared are: ${Object.keys(this.manifest.queues).join(', ')}.`,
    );
  }

  #plan(name: string, overrides: QueueOverrides): QueuePlan {
    const manifest = this.manifest.queues[name];
    const longest = longestTask(this.manifest, name);
    const wanted =
      longest === undefined ? DEFAULT_TIMEOUT_SECONDS : Math.ceil(longest.seconds) + TIMEOUT_MARGIN_SECONDS;
    const timeoutSeconds =
      overrides.timeout?.toSeconds() ?? Math.min(LAMBDA_MAX_TIMEOUT_SECONDS, Math.max(DEFAULT_TIMEOUT_SECONDS, wanted));
    if (longest !== undefined && longest.seconds + DEADLINE_MARGIN_SECONDS > timeoutSeconds) {
      throw new ImproperlyConfigured(
        `Task '${longest.name}' may run ${longest.seconds} s, and its worker's timeout is ${timeoutSeconds} s (Lambda's longest is ${LAMBDA_MAX_TIMEOUT_SECONDS} s, ${DEADLINE_MARGIN_SECONDS} s are kept for its result). Lower its time limit, or raise the timeout of queue '${name}'.`,
      );
    }
    const batchWindowSeconds = manifest?.batchWindowSeconds ?? 0;
    const plan: QueuePlan = {
      fifo: manifest?.fifo ?? false,
      concurrency: manifest?.concurrency,
      batchSize: manifest?.batchSize ?? 10,
      batchWindowSeconds,
      timeoutSeconds,
      visibilitySeconds:
        overrides.visibilityTimeout?.toSeconds() ?? timeoutSeconds + batchWindowSeconds + VISIBILITY_MARGIN_SECONDS,
      retentionSeconds: overrides.retention?.toSeconds() ?? 4 * DAY_SECONDS,
      deadLetterRetentionSeconds: overrides.deadLetterRetention?.toSeconds() ?? 14 * DAY_SECONDS,
      maxReceiveCount: overrides.maxReceiveCount ?? 50,
      memoryMiB: overrides.memoryMiB ?? 512,
    };
    validatePlan(name, plan);
    return plan;
  }

  #createWorker(name: string, plan: QueuePlan, props: TaskServiceProps): LambdaFn {
    const pair = this.#pair(name);
    const worker = new TaskFunction(this, `${name}Worker`, {
      handler: 'worker',
      entry: props.entry,
      timeoutSeconds: plan.timeoutSeconds,
      memoryMiB: plan.memoryMiB,
      environment: this.#environment({ deadLetters: true }),
      statements: [
        receiveFrom([pair.queue]),
        sendTo([...this.#sendable(), pair.deadLetterQueue]),
        workOnResults(this.tables.results),
        putTimers(this.tables.state),
      ],
      ...(props.logRetention === undefined ? {} : { logRetention: props.logRetention }),
    });
    this.#feed(`${name}Source`, worker.function, pair.queue, {
      batchSize: plan.batchSize,
      ...(plan.batchWindowSeconds === 0 ? {} : { maximumBatchingWindowInSeconds: plan.batchWindowSeconds }),
      // Never reserved concurrency: its throttles burn receives of messages that never ran.
      ...(plan.concurrency === undefined ? {} : { scalingConfig: { maximumConcurrency: plan.concurrency } }),
    });
    return worker.function;
  }

  #createSweeper(props: TaskServiceProps): LambdaFn {
    const pairs = Object.values(this.queues.pairs);
    const sweeper = new TaskFunction(this, 'Sweeper', {
      handler: 'sweeper',
      entry: props.entry,
      timeoutSeconds: SWEEPER_TIMEOUT_SECONDS,
      environment: this.#environment({ deadLetters: true }),
      statements: [
        receiveFrom(this.queues.lost),
        sendTo([...this.#sendable(), ...pairs.map((pair) => pair.deadLetterQueue)]),
        workOnResults(this.tables.results),
        sweepTimers(this.tables.state),
      ],
      ...(props.logRetention === undefined ? {} : { logRetention: props.logRetention }),
    });
    for (const [index, lost] of this.queues.lost.entries())
      this.#feed(`Lost${index}Source`, sweeper.function, lost, { batchSize: 10 });
    const missedTicks = new Queue(this, 'MissedTicks', {
      encryption: QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    isDeadLetterQueue(missedTicks, 'It is the dead-letter queue of the rule below.');
    new Rule(this, 'EveryMinute', {
      description: `Sends the timers of ${this.manifest.name} that come due`,
      schedule: Schedule.rate(Duration.minutes(1)),
      targets: [
        new LambdaFunction(sweeper.function, {
          event: RuleTargetInput.fromObject({ celeriac: 'sweep' }),
          // The next tick does the same work: an old one is worth nothing.
          retryAttempts: 0,
          maxEventAge: Duration.minutes(1),
          deadLetterQueue: missedTicks,
        }),
      ],
    });
    return sweeper.function;
  }

  #sendable(): IQueue[] {
    return Object.values(this.queues.pairs).map((pair) => pair.queue);
  }

  #feed(
    id: string,
    target: LambdaFn,
    queue: IQueue,
    props: Partial<ConstructorParameters<typeof CfnEventSourceMapping>[2]>,
  ): void {
    const mapping = new CfnEventSourceMapping(this, id, {
      functionName: target.functionName,
      eventSourceArn: queue.queueArn,
      // Without it Lambda deletes what failed.
      functionResponseTypes: ['ReportBatchItemFailures'],
      ...props,
    });
    // CloudFormation checks the role's rights on the queue when it makes the mapping.
    if (target.role !== undefined) mapping.node.addDependency(target.role);
  }

  #environment({ deadLetters }: { readonly deadLetters: boolean }): Record<string, string> {
    const stack = Stack.of(this);
    const pairs = Object.entries(this.queues.pairs);
    const json = (value: object): string => stack.toJsonString(value);
    return {
      [ENVIRONMENT.app]: this.manifest.name,
      [ENVIRONMENT.queues]: json(Object.fromEntries(pairs.map(([name, pair]) => [name, pair.queue.queueUrl]))),
      ...(deadLetters
        ? {
            [ENVIRONMENT.deadLetterQueues]: json(
              Object.fromEntries(pairs.map(([name, pair]) => [name, pair.deadLetterQueue.queueUrl])),
            ),
          }
        : {}),
      [ENVIRONMENT.resultsTable]: this.tables.results.tableName,
      [ENVIRONMENT.stateTable]: this.tables.state.tableName,
      [ENVIRONMENT.timerShards]: String(this.manifest.timerShards),
      [ENVIRONMENT.defaultQueue]: this.manifest.defaultQueue,
      ...(Object.keys(this.#taskQueues).length === 0
        ? {}
        : { [ENVIRONMENT.taskQueues]: JSON.stringify(this.#taskQueues) }),
    };
  }
}

function taskQueuesOf(manifest: AppManifest): Record<string, string> {
  return Object.fromEntries(
    Object.entries(manifest.tasks)
      .filter(([, task]) => task.queue !== manifest.defaultQueue)
      .map(([name, task]) => [name, task.queue]),
  );
}
