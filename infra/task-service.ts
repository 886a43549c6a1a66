import { Stack } from 'aws-cdk-lib';
import type { Grant, IGrantable, IManagedPolicy } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Function as LambdaFn } from 'aws-cdk-lib/aws-lambda';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IStringParameter } from 'aws-cdk-lib/aws-ssm';
import { Construct } from 'constructs';
import { type AppManifest, externalQueuesOf, hasFifoQueue, laneOwners, senderFacts } from '../lib/options/manifest.ts';
import { deployedParameterName, type DeployedWorker } from '../lib/options/deployed-service.ts';
import { TaskAlarms } from './alarms.ts';
import type { TaskBundling } from './bundling.ts';
import { BeatRules } from './beat-rules.ts';
import { grantCeleryAccess } from './celery-rights.ts';
import { celerySettings } from './celery-settings.ts';
import { readTasks } from './grants.ts';
import { TaskDashboard } from './dashboard.ts';
import { checkName, deployedParameter } from './deployed-parameter.ts';
import { allowServices, EncryptionKeys, validateKey } from './encryption.ts';
import { ServiceEnvironment } from './environment.ts';
import { checkExistingQueues, type ExistingQueue, validateExistingQueues } from './existing-queues.ts';
import { type ExistingTables, validateTables } from './existing-tables.ts';
import { validateExternalQueues } from './external-queues.ts';
import { type FunctionProps, type SweeperOverrides, sweeperProps, validateShared } from './function-props.ts';
import type { TaskServiceAttributes } from './imported-attributes.ts';
import { serviceFromAttributes, serviceFromParameter } from './imported-service.ts';
import { refuseUnknownProps } from './known-props.ts';
import { MeteredService } from './metrics.ts';
import { type AddedMonitor, type MonitorOptions, TaskMonitor, validateMonitor } from './monitor.ts';
import {
  type NotifyOptions,
  ProcessNotifications,
  type ProcessNotifyOptions,
  TaskNotifications,
  validateNotify,
  validateProcessNotify,
} from './notify.ts';
import { Operators, type OperatorsProps } from './operators.ts';
import type { TaskFunctionOptions } from './task-function.ts';
import { type PayloadKey, type PayloadKeys, payloadKeysOf } from './payload-keys.ts';
import { onPayloads, payloadBucketOf } from './payloads.ts';
import { planQueues, type QueueOverrides, type ServicePlan } from './plan.ts';
import { type PresetProps, type ServiceSettings, settingsOf } from './preset.ts';
import { given, manifestOf } from './props.ts';
import { TaskQueues } from './queues.ts';
import type { TaskSecret } from './secrets.ts';
import { type ITaskService, ServiceAccess } from './service-access.ts';
import { type GivenTo, ServiceFunctions } from './service-functions.ts';
import { reportService, warnOfRetention, warnOfRoutes } from './service-report.ts';
import { type AddedStatusUrl, type StatusUrlOptions, TaskStatusUrl, validateStatusUrl } from './status-url.ts';
import { Sweeper, type SweeperProps } from './sweeper.ts';
import { TaskTables } from './tables.ts';
import { entryOf } from './bundling.ts';
import { ProcessWorkers } from './process-worker.ts';
import { WorkerFunction, type WorkerFunctionProps } from './worker-function.ts';
import { usedFlow } from './worker-rights.ts';

/** What a service is made of, and where it differs from the defaults. */
export interface TaskServiceProps extends FunctionProps, PresetProps {
  /** The app, or its manifest: what `app.manifest()` returns, also read back from JSON. */
  readonly app: AppManifest | { manifest(): AppManifest };
  /**
   * What is bundled into the functions: path of the module that exports the app, or a folder or pattern of modules, one of which exports it.
   * For these `loadApp()` gives the whole app.
   */
  readonly entry: string;
  /** Overrides per queue, by its Celery name. @default - what the tasks' time limits ask for */
  readonly queues?: Readonly<Record<string, QueueOverrides>>;
  /** Overrides for the sweeper, which gets what is said of every function but memory. @default - 512 MiB */
  readonly sweeper?: SweeperOverrides;
  /**
   * Queues that exist already, by Celery name: nothing is made of them, and callers may send to them. The app
   * declares each as `external`. @default - the service makes its external queues too, without workers
   */
  readonly externalQueues?: Readonly<Record<string, IQueue>>;
  /**
   * Queues that exist already, by Celery name, each with the queue for its rejected tasks: nothing is made of them, and
   * the service becomes their worker. @default - the service makes its queues
   */
  readonly existingQueues?: Readonly<Record<string, ExistingQueue>>;
  /** Tables that exist already. @default - the service makes both */
  readonly tables?: ExistingTables;
  /**
   * A bucket that exists already, for an app with `largePayloads`. Its lifecycle is yours: objects under `messages/` and `results/` have to
   * live as long as `largePayloads.keep` says. @default - the service makes it
   */
  readonly payloadBucket?: IBucket;
  /**
   * Where the keys of the app's `codec` are, by the name of the variable that holds the ARN: a secret, or a key of KMS. Workers, the sweeper
   * and the grants have the right to use them, each as far as it encrypts or decrypts, and functions have the variable. @default - none
   */
  readonly payloadKeys?: Readonly<Record<string, PayloadKey>>;
  /** Fixed queue names, as Celery's `queue_name_prefix` makes them. @default - CloudFormation names the queues */
  readonly queueNamePrefix?: string;
  /**
   * Encrypts queues, tables and logs. Whoever is granted something gets what of the key it takes; the key's policy lets
   * CloudWatch Logs and EventBridge use it. The stack's region has to be known. @default - keys that AWS owns, which cost nothing
   */
  readonly encryptionKey?: IKey;
  /** How the functions are bundled. @default - minified ESM with a lean client in the SDK's place */
  readonly bundling?: TaskBundling;
  /**
   * Name of the SSM parameter in which the service says what it is, for tools and `TaskService.fromParameter`; false for
   * none. Services of one app in one account and Region need different ones. @default - `/celeriac/<app>`
   */
  readonly parameterName?: string | false;
}

/**
 * Everything an app needs on AWS: queues, workers, tables and the sweeper.
 *
 * @example
 * ```ts
 * const service = new TaskService(this, 'Tasks', {
 *   app,
 *   entry: 'src/tasks.ts',
 *   queues: { default: { memoryMiB: 1024 } },
 * });
 * service.grantEnqueue(apiFunction);
 * ```
 */
export class TaskService extends MeteredService implements ITaskService {
  /** The app as plain data: queues, tasks, schedule entries. */
  readonly manifest: AppManifest;
  /** What of the preset and of single props holds. */
  readonly settings: ServiceSettings;
  /** The tables of results and of state. */
  readonly tables: TaskTables;
  /** Every queue of the service, with dead-letter queues and lost queues. */
  readonly queues: TaskQueues;
  /**
   * The function that sends timers and ticks that come due, each minute, and concludes tasks that no worker handled.
   */
  readonly sweeper: LambdaFn;
  /** The EventBridge rules of schedule entries. */
  readonly rules: BeatRules;
  /** The SSM parameter in which the service says what it is. undefined with `parameterName: false`. */
  readonly parameter: IStringParameter | undefined;
  /** The service's alarms. undefined with `alarms: false`. */
  readonly alarms: TaskAlarms | undefined;
  /** The service's dashboard. undefined with `dashboard: false`. */
  readonly dashboard: TaskDashboard | undefined;
  readonly #functions: ServiceFunctions;
  readonly #processes: ProcessWorkers;
  readonly #environment: ServiceEnvironment;
  readonly #payloadKeys: PayloadKeys;
  readonly #access: ServiceAccess;
  readonly #keys: EncryptionKeys;
  readonly #operators: Operators;
  readonly #parts: { readonly common: TaskFunctionOptions; readonly parameterName: string | undefined };

  /**
   * Makes the queues, a worker function for each queue that is not external, the tables, the sweeper and the rules.
   *
   * @throws ImproperlyConfigured, InvalidOption, QueueNotFound; each tells what was given and what is allowed.
   */
  constructor(scope: Construct, id: string, props: TaskServiceProps) {
    super(scope, id);
    refuseUnknownProps(props);
    validateShared(props);
    validateKey(this, props.encryptionKey);
    this.settings = settingsOf(props);
    this.manifest = manifestOf(props.app);
    this.#payloadKeys = payloadKeysOf(this, props.payloadKeys, this.manifest);
    warnOfRoutes(this, this.manifest);
    const { externalQueues: imported = {}, existingQueues: existing = {} } = props;
    validateExternalQueues(Stack.of(this), this.manifest, imported);
    validateExistingQueues(this, this.manifest, existing);
    validateTables(this, props.tables ?? {}, props);
    const plan = planQueues(this.manifest, props.queues ?? {}, Object.keys(imported), props, Object.keys(existing));
    checkExistingQueues(this, existing, plan.workers);
    warnOfRetention(this, this.manifest, plan.queues);
    const encryption = given(props, ['encryptionKey']);
    this.tables = this.#newTables(props);
    this.queues = new TaskQueues(this, 'Queues', {
      plans: plan.queues,
      imported,
      existing,
      laneOf: laneOwners(this.manifest),
      hasFifoQueue: hasFifoQueue(this.manifest),
      ...given(props, ['queueNamePrefix']),
      ...encryption,
    });
    this.#keys = new EncryptionKeys(this, this.queues.everyOne, this.tables);
    if (props.encryptionKey !== undefined) allowServices(this, props.encryptionKey);
    this.rules = this.#newRules();
    this.#environment = this.#newEnvironment();
    this.#access = this.#newAccess();
    const common = {
      ...given(props, ['bundling']),
      ...encryption,
      logRetention: this.settings.logRetention,
      keys: this.#keys,
      ...entryOf(props.entry, this.manifest),
      appName: this.manifest.name,
      queues: this.queues,
      tables: this.tables,
      payloadKeys: this.#payloadKeys,
    };
    const described: Record<string, DeployedWorker> = {};
    const workers = this.#makeWorkers(plan, common, described);
    const sources = { workers: described, parameterName: parameterNameOf(props, this.appName) };
    this.#operators = this.#newOperators(sources);
    this.#parts = {
      common: { ...common, given: { ...sweeperProps(props, undefined), environment: {}, secrets: {} } },
      parameterName: sources.parameterName,
    };
    this.sweeper = this.#newSweeper(props, { ...common, sources });
    this.#processes = this.#newProcesses();
    this.#functions = new ServiceFunctions(workers, this.sweeper, this.queues, this.#processes.queues);
    this.parameter = this.#describe(sources.parameterName, props, described);
    const { alarms, dashboard } = this.settings;
    this.alarms = alarms === false ? undefined : new TaskAlarms(this, 'Alarms', this, alarms);
    this.dashboard = dashboard ? new TaskDashboard(this, 'Dashboard', this) : undefined;
    reportService(this, plan);
  }

  /**
   * A service that another stack or repository deploys, by what it is made of. Its account and Region are the stack's own.
   *
   * @example
   * ```ts
   * const shop = TaskService.fromAttributes(this, 'Shop', {
   *   appName: 'shop',
   *   queues: { default: 'arn:aws:sqs:eu-central-1:111122223333:shop-default' },
   *   resultsTableName: 'shop-results',
   *   stateTableName: 'shop-state',
   * });
   * shop.grantEnqueue(apiFunction);
   * ```
   * @throws InvalidOption, QueueNotFound
   */
  static fromAttributes(scope: Construct, id: string, attributes: TaskServiceAttributes): ITaskService {
    return serviceFromAttributes(scope, id, attributes);
  }

  /**
   * A service that another stack or repository deploys, by its SSM parameter, which CDK looks up while it synthesizes and
   * keeps in `cdk.context.json`: the stack has `env: { account, region }`, those of the service. After a change of the
   * service's queues, `cdk context --reset` has it looked up again.
   *
   * @example
   * ```ts
   * const shop = TaskService.fromParameter(this, 'Shop', '/celeriac/shop');
   * shop.grantEnqueue(apiFunction);
   * ```
   * @throws InvalidOption, ImproperlyConfigured
   */
  static fromParameter(scope: Construct, id: string, parameterName: string): ITaskService {
    return serviceFromParameter(scope, id, parameterName);
  }

  /** The app's name. */
  get appName(): string {
    return this.manifest.name;
  }

  /** A queue by Celery's name, an imported one too. @throws QueueNotFound */
  queue(name: string): IQueue {
    return this.queues.queue(name);
  }

  /**
   * Where a queue's rejected tasks lie.
   *
   * @throws QueueNotFound; ImproperlyConfigured for one of `externalQueues`, which has none here
   */
  deadLetterQueue(name: string): IQueue {
    return this.queues.pair(name).deadLetterQueue;
  }

  /**
   * The function that runs a queue's tasks.
   *
   * @throws QueueNotFound; ImproperlyConfigured for an external queue, which has none here
   */
  worker(name: string): LambdaFn {
    return this.#functions.worker(name);
  }

  /** The worker functions, by Celery's name of their queues; external queues have none. */
  get workers(): Readonly<Record<string, LambdaFn>> {
    return this.#functions.workers;
  }

  /**
   * What `celeriac worker` needs for a queue whose worker is a process, `worker: 'process'`: attach it to the role of its task
   * or instance. It may what a worker function may.
   *
   * @throws QueueNotFound; ImproperlyConfigured for a queue with another worker
   */
  workerPolicy(queue: string): IManagedPolicy {
    return this.#processes.policy(queue);
  }

  /**
   * Environment variables of `celeriac worker`, by which it finds queues and tables. The value holds tokens.
   *
   * @param queues those that it works on. Default: all whose worker is a process
   * @throws QueueNotFound; ImproperlyConfigured for a queue with another worker
   */
  workerEnvironment(queues?: readonly string[]): Record<string, string> {
    return this.#processes.variables(queues);
  }

  /**
   * Sets an environment variable of every worker and of the sweeper, which loads the app's module too.
   *
   * @param to workers of some queues alone
   * @example
   * ```ts
   * service.addEnvironment('SHOP_CURRENCY', 'EUR');
   * service.addEnvironment('BANK_HOST', bank.host, { queues: ['payments'] });
   * ```
   * @throws InvalidOption for a name that Lambda or the service does not take; QueueNotFound, ImproperlyConfigured for a
   *   queue without a worker here. All variables of a function together have 4 KB: more is an error of synth.
   */
  addEnvironment(name: string, value: string, to: GivenTo = {}): void {
    this.#functions.addEnvironment(name, value, to);
  }

  /**
   * Lets tasks read a secret of Secrets Manager or a parameter of SSM, `SecureString` too, and sets the variable that
   * holds its ARN. The value itself is neither in the template nor in a variable: a task asks for it.
   *
   * @param variable name of the variable
   * @param to workers of some queues alone: who needs no secret should have none
   * @example
   * ```ts
   * service.grantSecret(paymentKey, 'PAYMENT_SECRET', { queues: ['payments'] });
   * ```
   * @returns a grant; see `grantEnqueue`.
   * @throws InvalidOption for what is no secret; and see `addEnvironment`.
   */
  grantSecret(secret: TaskSecret, variable: string, to: GivenTo = {}): Grant {
    return this.#functions.grantSecret(secret, variable, to);
  }

  /**
   * Lets somebody enqueue: send to every queue, at any time, canvases and `save()` of groups too. It reads no result
   * and changes none. A Lambda function also gets the environment that `enqueue()` reads; give anything else what
   * `environment()` returns.
   *
   * @example
   * ```ts
   * service.grantEnqueue(apiFunction);
   * service.grantEnqueue(containerRole).assertSuccess();
   * ```
   * @returns a grant; `assertSuccess()` throws where the grantee takes no policy, as a service principal.
   */
  grantEnqueue(grantee: IGrantable): Grant {
    return this.#access.enqueue(grantee);
  }

  /**
   * Lets somebody put messages of tasks into DynamoDB transactions of its own: `signature.toTransactItem()`. It writes timers, and
   * does nothing else; `flush()`, which sends at once, needs `grantEnqueue` beside it.
   *
   * @returns a grant; see `grantEnqueue`.
   */
  grantOutbox(grantee: IGrantable): Grant {
    return this.#access.outbox(grantee);
  }

  /**
   * Lets somebody read results, states and progress, of tasks and of groups.
   *
   * @returns a grant; see `grantEnqueue`.
   */
  grantResults(grantee: IGrantable): Grant {
    return this.#access.results(grantee);
  }

  /**
   * Lets somebody revoke tasks, and forget results and groups. Who may revoke may write any end of a task.
   *
   * @returns a grant; see `grantEnqueue`.
   */
  grantManage(grantee: IGrantable): Grant {
    return this.#access.manage(grantee);
  }

  /**
   * `grantEnqueue`, and to read and change schedule entries: what `app.schedules` does. A change revokes ticks of the
   * entry that were sent ahead.
   *
   * @returns a grant; see `grantEnqueue`.
   */
  grantSchedules(grantee: IGrantable): Grant {
    return this.#access.schedules(grantee);
  }

  /**
   * Lets somebody use `app.locks`: acquire, renew, give back, list and free locks. A worker needs it, too, where its tasks do:
   * `service.grantLocks(service.worker('default'))`.
   *
   * @returns a grant; see `grantEnqueue`.
   */
  grantLocks(grantee: IGrantable): Grant {
    return this.#access.locks(grantee);
  }

  /**
   * Lets somebody read what ended: `app.history` and `app.stats()`, the items of tasks among it.
   *
   * @returns a grant; see `grantEnqueue`.
   */
  grantHistory(grantee: IGrantable): Grant {
    return this.#access.history(grantee);
  }

  /**
   * Lets somebody ask why tasks wait, run or have ended: `app.explain()`. Messages that wait in the table are read for it, with
   * their arguments.
   *
   * @returns a grant; see `grantEnqueue`.
   */
  grantExplain(grantee: IGrantable): Grant {
    return this.#access.explain(grantee, this.queues.all);
  }

  /**
   * Lets somebody use `app.deadLetters`: look at what was put aside, have it run once more, and delete it. Whoever may
   * may read every argument that lies there, and write any end of a task.
   *
   * @returns a grant; see `grantEnqueue`.
   */
  grantDeadLetters(grantee: IGrantable): Grant {
    return this.#access.deadLetters(grantee, this.queues.withLetters(externalQueuesOf(this.manifest)));
  }

  /**
   * Lets somebody pause and resume queues, and see how much lies in them. Reading the age of the oldest message takes a right
   * on all metrics of the account, since CloudWatch has no smaller one.
   *
   * @returns a grant; see `grantEnqueue`.
   */
  grantPause(grantee: IGrantable): Grant {
    return this.#operators.pause(grantee);
  }

  /**
   * Lets somebody do whatever the command `celeriac` does with a service: all that the other grants have but Celery's. Meant
   * for the role of the people who look after it, not for functions. A role: it is more than the policy of a user or a group holds.
   *
   * @returns a grant; see `grantEnqueue`.
   */
  grantOperate(grantee: IGrantable): Grant {
    return this.#operators.operate(grantee).combine(this.grantDeadLetters(grantee));
  }

  /**
   * Adds a page that shows the service, and lets operators change it: a function behind an address of its own, which costs
   * nothing while nobody looks. The address is an output of the stack.
   *
   * @example
   * ```ts
   * service.addMonitor({
   *   auth: { oidc: { issuer: 'https://login.example.org', clientId: 'tasks', operators: ['group:operations'] } },
   * });
   * ```
   * @throws InvalidOption without a login, and for one that lets in everybody
   */
  addMonitor(options: MonitorOptions): AddedMonitor {
    validateMonitor(options);
    const { common, parameterName } = this.#parts;
    const letters = this.queues.withLetters(externalQueuesOf(this.manifest));
    const deadLetterQueues = Object.values(letters).map(({ deadLetterQueue }) => deadLetterQueue);
    const byPassword = options.auth.password !== undefined;
    const rights = this.#operators.looking(deadLetterQueues, { byPassword });
    const monitor = new TaskMonitor(this, 'Monitor', { ...common, ...options, rights, parameterName });
    this.#environment.addTo(monitor.function, { rejectable: Object.keys(letters), rules: options.readOnly !== true });
    if (options.readOnly !== true) this.#operators.act(monitor.function, deadLetterQueues);
    return { url: monitor.address.url, function: monitor.function };
  }

  /**
   * Adds an address at which a browser asks for the state of a task: a small function that may read results and nothing else.
   *
   * @example
   * ```ts
   * const status = service.addStatusUrl({ auth: 'signed', cors: ['https://shop.example.org'] });
   * status.grantSign(apiFunction);
   * ```
   * @throws InvalidOption
   */
  addStatusUrl(options: StatusUrlOptions): AddedStatusUrl {
    validateStatusUrl(options);
    const rights = [readTasks(this.tables), ...onPayloads(this.tables, ['results'], ['get'])];
    const status = new TaskStatusUrl(this, 'StatusUrl', { ...this.#parts.common, ...options, rights });
    this.#environment.addTo(status.function);
    return status;
  }

  /**
   * Tells somebody of failures: the first of a kind at once, and what fails the same way afterwards in one mail for each
   * window. Tasks with `errorEmails: false` are left out.
   *
   * @example
   * ```ts
   * service.notify({ emails: ['ops@example.org'], monitorUrl: 'https://tasks.example.org' });
   * ```
   * @returns the topic, for further subscriptions
   * @throws InvalidOption; ImproperlyConfigured for an app whose history is `'off'`, and when it is called twice
   */
  notify(options: NotifyOptions): ITopic {
    validateNotify(options, this.manifest, this);
    const { tables } = this;
    const { encryptionKey } = this.#parts.common;
    const { topic, told, workerRights, sweeperRights } = new TaskNotifications(this, 'Notifications', {
      ...options,
      tables,
      encryptionKey,
    });
    this.#functions.tell(told, { workerRights, sweeperRights }, this.#keys, this.#environment);
    this.#processes.tell(told, workerRights);
    return topic;
  }

  /**
   * The same by a mail server of yours: each `celeriac worker` whose environment names one sends the mails, and looks once a
   * minute what functions had to tell. Nothing is made for it.
   *
   * @example
   * ```ts
   * service.notifyByProcesses({ monitorUrl: 'https://tasks.example.org' });
   * ```
   * @throws InvalidOption; ImproperlyConfigured for an app without a queue whose worker is a process, or whose history is
   *   `'off'`, and beside `notify()`
   */
  notifyByProcesses(options: ProcessNotifyOptions = {}): void {
    validateProcessNotify(options, this.manifest, this);
    const { tables } = this;
    const parts = new ProcessNotifications(this, 'Notifications', { ...options, tables });
    this.#functions.tell(parts.told, parts, this.#keys, this.#environment);
    this.#processes.tell(parts.told, parts.processRights);
  }

  /**
   * What `grantEnqueue` and its siblings write into the environment of a Lambda function, for whatever is none: a
   * container's `environment`, an instance's user data. One variable, `CELERIAC_SERVICE_<APP>`: those of several
   * services go together. The value holds tokens.
   */
  environment(): Record<string, string> {
    return this.#access.variables();
  }

  /**
   * Lets somebody be a Celery app: producer and result reader on all queues, worker on the external ones. Its
   * settings are those of `celerySettings()`, or a broker `sqs://` with this service's `queueNamePrefix`.
   *
   * @returns a grant; see `grantEnqueue`.
   */
  grantCelery(grantee: IGrantable): Grant {
    return grantCeleryAccess(grantee, {
      queues: this.queues.all,
      external: externalQueuesOf(this.manifest).map((name) => this.queues.queue(name)),
      results: this.tables.results,
      keys: this.#keys,
    });
  }

  /**
   * Settings by which a Celery app in Python works with this service: `app.conf.update(...)` takes them. Plain
   * data with tokens inside; `Stack.of(this).toJsonString()` makes text of it, for an output or a parameter.
   *
   * @throws InvalidOption where Celery could not tell two queues apart.
   */
  celerySettings(): Record<string, unknown> {
    return celerySettings({
      manifest: this.manifest,
      queues: this.queues.byName,
      results: this.tables.results,
      region: Stack.of(this).region,
    });
  }

  #makeWorkers(
    plan: ServicePlan,
    common: Omit<WorkerFunctionProps, 'queue' | 'plan' | 'given' | 'ticked' | 'flow'>,
    described: Record<string, DeployedWorker>,
  ): Record<string, LambdaFn> {
    // A scope of their own: a queue may have any name.
    const scope = new Construct(this, 'Workers');
    const ruled = new Set(this.manifest.beat.filter(({ firedBy }) => firedBy === 'rule').map((entry) => entry.queue));
    const workers: Record<string, LambdaFn> = {};
    for (const [queue, ofWorker] of Object.entries(plan.workers)) {
      const { function: made, eventSources } = new WorkerFunction(scope, queue, {
        ...common,
        queue,
        plan: ofWorker,
        given: plan.given[queue] ?? {},
        ticked: ofWorker.sources.some((source) => ruled.has(source.queue)),
        flow: usedFlow(this.manifest),
      });
      this.#environment.addTo(made, { rejectable: [queue] });
      workers[queue] = made;
      for (const [source, eventSource] of Object.entries(eventSources))
        described[source] = { function: made.functionName, eventSource };
    }
    return workers;
  }

  #newSweeper(
    props: TaskServiceProps,
    common: Omit<SweeperProps, 'given' | 'ruleArns' | 'missedTicks' | 'noted'>,
  ): LambdaFn {
    const { function: made } = new Sweeper(this, 'Sweeper', {
      ...common,
      given: sweeperProps(props, props.sweeper),
      ruleArns: this.rules.ruleArns,
      missedTicks: this.queues.missedTicks,
      noted: this.manifest.history !== 'off',
    });
    this.#environment.addTo(made, { rejectable: Object.keys(this.queues.pairs), rules: true });
    return made;
  }

  #describe(
    parameterName: string | undefined,
    { encryptionKey }: TaskServiceProps,
    workers: Readonly<Record<string, DeployedWorker>>,
  ): IStringParameter | undefined {
    if (parameterName === undefined) return undefined;
    return deployedParameter(this, {
      parameterName,
      app: this.manifest.name,
      environment: this.#environment,
      parts: { rejectable: Object.keys(this.queues.pairs), rules: true },
      workers,
      sweeper: this.sweeper.functionName,
      lostQueues: this.queues.lost.map((queue) => queue.queueUrl),
      missedTicks: this.queues.missedTicks.queueUrl,
      rules: this.manifest.beat.filter(({ firedBy }) => firedBy === 'rule').length,
      resultExpiresSeconds: this.manifest.resultExpiresSeconds,
      ...(encryptionKey === undefined ? {} : { encryptionKeyArn: encryptionKey.keyArn }),
    });
  }

  #newTables(props: TaskServiceProps): TaskTables {
    const { removalPolicy } = this.settings;
    const encryption = given(props, ['encryptionKey']);
    const payloads = payloadBucketOf(this, {
      manifest: this.manifest,
      existing: props.payloadBucket,
      removalPolicy,
      ...encryption,
    });
    const existing = props.tables ?? {};
    return new TaskTables(this, 'Tables', { ...this.settings, ...encryption, existing, payloads });
  }

  #newProcesses(): ProcessWorkers {
    const { manifest, queues, tables } = this;
    const service = { manifest, queues, tables, payloadKeys: this.#payloadKeys };
    return new ProcessWorkers(this, 'Processes', service, this.#keys, this.#environment);
  }

  #newRules(): BeatRules {
    const { manifest, queues } = this;
    const { name: appName, beat } = manifest;
    return new BeatRules(this, 'Beat', { appName, beat, queues, missedTicks: queues.missedTicks });
  }

  #newAccess(): ServiceAccess {
    return new ServiceAccess({
      environment: this.#environment,
      targets: this.queues.targets,
      tables: this.tables,
      ruleArns: this.rules.ruleArns,
      counted: externalQueuesOf(this.manifest).length > 0,
      keys: this.#keys,
      payloadKeys: this.#payloadKeys,
    });
  }

  #newOperators(sources: Pick<OperatorsProps, 'workers' | 'parameterName'>): Operators {
    const own = this.queues.all;
    const queues = [...own, ...this.queues.allDeadLetters];
    return new Operators(this, {
      ...sources,
      access: this.#access,
      tables: this.tables,
      keys: this.#keys,
      own,
      targets: this.queues.targets,
      ruleArns: this.rules.ruleArns,
      queues,
    });
  }

  #newEnvironment(): ServiceEnvironment {
    const { manifest, queues, tables } = this;
    const made = Object.entries(queues.pairs).map(([name, { deadLetterQueue }]) => [name, deadLetterQueue] as const);
    return new ServiceEnvironment(this, {
      app: manifest.name,
      queues: Object.fromEntries(Object.entries(queues.byName).map(([name, queue]) => [name, queue.queueUrl])),
      deadLetterQueues: Object.fromEntries(made),
      resultsTable: tables.results.tableName,
      stateTable: tables.state.tableName,
      timerShards: manifest.timerShards,
      defaultQueue: manifest.defaultQueue,
      ...senderFacts(manifest),
      wakeQueue: queues.wakeUps?.queueUrl,
      rulePrefix: this.rules.prefix,
      payloadBucket: tables.payloads?.bucketName,
      taskNames: Object.keys(manifest.tasks),
    });
  }
}

function parameterNameOf({ parameterName }: TaskServiceProps, app: string): string | undefined {
  if (parameterName === false) return undefined;
  const name = parameterName ?? deployedParameterName(app);
  checkName(name);
  return name;
}
