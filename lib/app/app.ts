/** The app: registry, settings and wiring. The one place that knows everything. */
import type { ApplyOptions } from '../options/apply-options.ts';
import { maybeCurrentTask, runWithContext, type TaskContext } from '../task/context.ts';
import { ImproperlyConfigured, InvalidOption } from '../base/errors.ts';
import { idIn } from '../base/checks.ts';
import { consoleLogger } from '../options/console-logger.ts';
import type { AppManifest, Environment } from '../options/manifest.ts';
import { type Clock, type Ids, type Random, systemClock, systemIds, systemRandom } from '../base/time.ts';
import type { Ports } from '../ports/ports.ts';
import type { Logger } from '../ports/log.ts';
import type { App } from '../producer/app.ts';
import { hooksOf, withoutHooks } from '../task/task-hooks.ts';
import type { SignalHandler, SignalHandlers, SignalName } from '../task/signals.ts';
import { callSite, Registry, type TaskDefinition, type TaskHooks } from '../task/registry.ts';
import { AsyncResult, type StatusUrlExpiry } from '../results/result.ts';
import { type AppOptions, resolveSettings, type Settings } from '../options/settings.ts';
import { readEnvironment, readTaskNames } from '../options/environment.ts';
import { queuesTold } from '../options/told-queues.ts';
import type { CheckedTypes } from '../base/serializable.ts';
import type { Signature } from '../wire/signature.ts';
import type { HttpTaskOptions } from './http-definition.ts';
import { remoteTask, type RemoteTask, type RemoteTaskOptions } from './remote-task.ts';
import { createTask, type Task, type TaskFunction, type TaskMethods, type TaskOf } from './task.ts';
import { factsOfClass, instanceOf, TaskBase, type TaskClass } from '../task/task-class.ts';
import { checkedTaskName, resolveTaskOptions, type TaskOptions } from '../options/task-options.ts';
import type { BatchResponse, Delivery, Invocation } from '../ports/delivery.ts';
import { consume } from '../worker/consume.ts';
import { builtinTasks } from './builtin-tasks.ts';
import type { Control } from './control.ts';
import type { GroupResult } from '../results/group-result.ts';
import { manifestOf } from '#deployed/app/app-manifest';
import { statusUrl } from '#deployed/app/status-url';
import { httpTask } from '#deployed/app/http-task';
import { addHandler, checkHooks } from '#deployed/app/add-handler';
import { awsPorts } from '#deployed/app/aws-ports';
import { packingResults } from '#deployed/results/packed-backend';
import { encryptionBy } from '#deployed/app/encrypting';
import type { Encryption } from './encrypted-ports.ts';
import { applyCall, savedGroup, sendCall, sendMany, sendNamed } from '#deployed/producer/sending';
import {
  consumeLost,
  consumeWakeUps,
  controlOf,
  deadLettersOf,
  historyOf,
  locksOf,
  rollUp,
  runEager,
} from '#deployed/app/rarely';
import type { HistoryBook } from '../history/history-book.ts';
import type { Stats, StatsQuery } from '../history/stats.ts';
import type { ExplainOptions } from '../operate/explain/explain-task.ts';
import type { Explanation } from '../operate/explain/reasons.ts';
import type { DeadLetterBook } from '../operate/dead-letter-book.ts';
import type { LockBook } from '../flow/lock-book.ts';
import { Beat } from '#deployed/beat/beat';
import type { FullSweepReport } from '../beat/beat.ts';
import type { ScheduleBook } from '../beat/schedules.ts';
import type { SweepOptions } from '../beat/sweep.ts';
import type { BeatEntry } from '../beat/entry.ts';

/** Ports without which an app works, only without what asks them. */
export type RarePort =
  | 'celeryGroups'
  | 'history'
  | 'notify'
  | 'locks'
  | 'pauses'
  | 'rates'
  | 'slots'
  | 'marks'
  | 'rules'
  | 'depths'
  | 'deadLetters';

/** Ports that a test or an embedded cloud sets; whatever is left out is the system's. */
export type Wiring = Pick<Ports, 'broker' | 'backend' | 'timers' | 'schedules' | 'groups'> &
  Partial<Pick<Ports, RarePort | 'clock' | 'ids' | 'random' | 'logger'>> & {
    /** Of `connect()`: those of its ports that stand in `ports`, as one public call sees them. */
    readonly forCall?: (ports: Partial<Ports>, seconds: number | undefined) => Promise<Partial<Ports>>;
  };

interface ConnectedPorts {
  readonly ports: Ports;
  /** Of an app with a codec. */
  readonly encryption: Encryption | undefined;
  readonly forCall: Wiring['forCall'];
}

/**
 * An app: its tasks, queues and settings, and what sends and runs tasks. A service has one, in a module that its stack
 * and its tasks import.
 *
 * @example
 * ```ts
 * const app = new Celeriac('shop', { queues: { default: {}, mail: { concurrency: 2 } } });
 * export const greet = app.task('shop.greet', (name: string) => `Hello, ${name}`);
 * ```
 */
export class Celeriac implements App {
  /** The app's options as they hold, with every default filled in. */
  readonly settings: Settings;
  /** The declared tasks by name. The library's own use: declare with `task()`, `register()` and `remote()`. */
  readonly registry: Registry = new Registry(() => builtinTasks(this));
  readonly #beat: Beat = new Beat(this);
  #wiring: Wiring | undefined;
  #connecting: Promise<ConnectedPorts> | undefined;

  /**
   * Makes the app and the current one of this process, to which `enqueue()` and `group(...).delay()` send.
   *
   * @param name letters, digits, `.`, `_` and `-`; it stands in the names of EventBridge rules and in messages as their
   * origin.
   * @throws InvalidOption, QueueNotFound
   */
  constructor(name: string, options: AppOptions = {}) {
    this.settings = resolveSettings(name, options);
    setCurrentApp(this);
  }

  /**
   * An app for a function that sends by name and bundles no task code: queues and routes are those that
   * `grantEnqueue(fn)` has told it. A function that several services have granted makes one for each.
   *
   * @example
   * ```ts
   * const shop = Celeriac.fromEnvironment('shop');
   * const mail = Celeriac.fromEnvironment('mail');
   * await shop.send('orders.charge', ['o-1']);
   * await mail.send('mail.send', ['ada@example.org']);
   * ```
   * @param name the app's name; may be left out where the environment tells of one service only.
   * @throws MissingEnvironment naming the services that the environment tells of
   */
  static fromEnvironment(name?: string): Celeriac {
    const told = readEnvironment(name);
    const { app, defaultQueue, taskQueues, timerShards, payloadBucket } = told;
    const stored = payloadBucket === undefined ? {} : { largePayloads: {} };
    return new Celeriac(app, { queues: queuesTold(told), defaultQueue, routes: taskQueues, timerShards, ...stored });
  }

  /** The name that the app was made with. */
  get name(): string {
    return this.settings.name;
  }

  // ------------------------------------------------------------- declaring

  /**
   * Declares a task and gives it back as a function with `delay` and its kin. Without a name it has its function's.
   *
   * @example
   * ```ts
   * const add = app.task({ maxRetries: 5 }, function add(x: number, y: number) {
   *   return x + y;
   * });
   * ```
   * @throws InvalidOption, AlreadyRegistered
   */
  task<F extends Function, B extends boolean = false>(
    options: TaskOptions & TaskHooks & { readonly bind?: B },
    run: TaskFunction<F, B>,
  ): TaskOf<F, B, string>;
  /**
   * Declares a task of this name, with options.
   *
   * @example
   * ```ts
   * const add = app.task('math.add', { maxRetries: 5, timeLimit: '1m' }, (x: number, y: number) => x + y);
   * ```
   * @throws InvalidOption, AlreadyRegistered
   */
  task<F extends Function, N extends string, B extends boolean = false>(
    name: N,
    options: TaskOptions & TaskHooks & { readonly bind?: B },
    run: TaskFunction<F, B>,
  ): TaskOf<F, B, N>;
  /** Declares a task that has its function's name. @throws InvalidOption, AlreadyRegistered */
  task<F extends Function>(run: TaskFunction<F, false>): TaskOf<F, false, string>;
  /**
   * Declares a task of this name.
   *
   * @example
   * ```ts
   * const add = app.task('math.add', (x: number, y: number) => x + y);
   * ```
   * @throws InvalidOption, AlreadyRegistered
   */
  task<F extends Function, N extends string>(name: N, run: TaskFunction<F, false>): TaskOf<F, false, N>;
  task(...parts: readonly unknown[]): unknown {
    const declaredAt = callSite(new Error('call site').stack, 1);
    const { name, options: given, run } = taskParts(parts);
    checkHooks(name, given);
    const resolved = resolveTaskOptions(name, withoutHooks(given), this.settings);
    return this.#register({
      name,
      options: resolved,
      hooks: hooksOf(given),
      arity: Math.max(0, run.length - (resolved.bind ? 1 : 0)),
      declaredAt,
      run: (context, args) => (resolved.bind ? run(context, ...args) : run(...args)),
    });
  }

  /**
   * Base for class-based tasks of this app.
   *
   * @example
   * ```ts
   * class Greet extends app.Task<[name: string], string> {
   *   override run(name: string): string {
   *     return `Hello, ${name}`;
   *   }
   * }
   * const greet = app.register(Greet);
   * ```
   */
  get Task(): typeof TaskBase {
    return TaskBase;
  }

  /**
   * Declares a class-based task and gives its callable form.
   *
   * @throws ImproperlyConfigured for an abstract class and one without run(), InvalidOption, AlreadyRegistered
   */
  register<A extends readonly unknown[], R, N extends string = string>(
    taskClass: TaskClass<A, R, N> & CheckedTypes<A, R>,
  ): Task<A, R, N> {
    const declaredAt = callSite(new Error('call site').stack, 1);
    const facts = factsOfClass(taskClass);
    const name = checkedTaskName(facts.name);
    const instance = instanceOf(taskClass);
    const task = this.#register({
      name,
      options: resolveTaskOptions(name, facts.options, this.settings),
      hooks: hooksOf(instance),
      arity: instance.run.length,
      declaredAt,
      run: (context, args) => {
        const run = (): R => instance.run(...(args as unknown as A));
        // A plain call has no worker that set the context which `this.request` reads.
        return context.request.calledDirectly ? runWithContext(context, run) : run();
      },
    });
    return task as unknown as Task<A, R, N>;
  }

  /**
   * A task that runs elsewhere, in Python's Celery say, under the type of its function.
   *
   * @example
   * const add = app.remote<(x: number, y: number) => number>('proj.tasks.add', { queue: 'celery' });
   * await (await add.delay(2, 2)).get();
   * @throws InvalidOption, AlreadyRegistered
   */
  remote<F extends (...args: never[]) => unknown = (...args: unknown[]) => unknown, N extends string = string>(
    name: N,
    options: RemoteTaskOptions = {},
  ): RemoteTask<Parameters<F>, ReturnType<F>, N> {
    const declaredAt = callSite(new Error('call site').stack, 1);
    return remoteTask(this, name, options, declaredAt, this.#methods) as unknown as RemoteTask<
      Parameters<F>,
      ReturnType<F>,
      N
    >;
  }

  /**
   * A task whose run is a request by HTTP: its argument is the body, Celery's `{"status": "success", "retval": ...}` the answer. It
   * is sent again after 429 and 5xx.
   *
   * @example
   * ```ts
   * const resize = app.http<(image: { url: string; width: number }) => string>('images.resize', {
   *   url: 'https://images.example.org/resize',
   *   secret: () => process.env['IMAGES_SECRET'] ?? '',
   * });
   * const result = await resize.delay({ url: 'https://example.org/cat.png', width: 200 });
   * ```
   * @throws InvalidOption, AlreadyRegistered
   */
  http<F extends (payload: never) => unknown = (payload?: unknown) => unknown, N extends string = string>(
    name: N,
    options: HttpTaskOptions<Parameters<F>[0]>,
  ): Task<Parameters<F>, Promise<Awaited<ReturnType<F>>>, N> {
    const declaredAt = callSite(new Error('call site').stack, 1);
    return this.#register(httpTask(this, name, options, declaredAt)) as unknown as Task<
      Parameters<F>,
      Promise<Awaited<ReturnType<F>>>,
      N
    >;
  }

  /**
   * Declares schedule entries by name (Celery's `beat_schedule`). They become EventBridge rules where those mean the
   * same, all others are swept.
   *
   * @example
   * ```ts
   * app.beat({
   *   'add every minute': { task: add.s(1, 2), schedule: '1m' },
   *   'report on Mondays': { task: 'shop.report', schedule: crontab('30 7 * * 1', { timezone: 'America/New_York' }) },
   * });
   * ```
   * @throws InvalidSchedule, InvalidOption, InvalidArguments, QueueNotFound: each names the entry, the field, the value
   * and the fix.
   */
  beat(entries: Readonly<Record<string, BeatEntry>>): this {
    this.#beat.declare(entries);
    return this;
  }

  /**
   * Schedule entries while the app runs: list, enable, disable, run now; and stored ones, to be edited. On AWS a caller
   * needs `service.grantSchedules(fn)`.
   */
  get schedules(): ScheduleBook {
    return this.#beat.book;
  }

  /**
   * Locks for code of your own: who has one is alone, over all functions of the service. On AWS a caller needs
   * `service.grantLocks(fn)`, a worker too.
   *
   * @example
   * ```ts
   * await app.locks.with('import', { wait: '5s' }, (lock) => fetch('https://example.org', { signal: lock.signal }));
   * ```
   */
  get locks(): LockBook {
    return (this.#locks ??= locksOf(this));
  }
  #locks: LockBook | undefined;

  /**
   * What ended in the last seven days: listed, and one task's story. On AWS a caller needs `service.grantHistory(fn)`.
   *
   * @example
   * ```ts
   * const { entries } = await app.history.list({ state: 'FAILURE', from: '1h' });
   * ```
   */
  get history(): HistoryBook {
    return historyOf(this);
  }

  /**
   * Counts of what ended by minute, hour or day: by state, and how long tasks waited and ran. On AWS a caller needs
   * `service.grantHistory(fn)`.
   *
   * @example
   * ```ts
   * const { total } = await app.stats({ task: 'mail.send', from: '1d', every: 'hour' });
   * ```
   * @throws InvalidOption; OperationalError where the store cannot be asked.
   */
  async stats(query: StatsQuery = {}): Promise<Stats> {
    return historyOf(this).stats(query);
  }

  /**
   * Commands to the workers: revoke tasks by id, end running ones, change a rate limit. On AWS a caller needs
   * `service.grantManage(fn)`.
   *
   * @example
   * ```ts
   * await app.control.rateLimit('mail.send', '10/m');
   * await app.control.revoke([id], { terminate: true });
   * ```
   */
  get control(): Control {
    return controlOf(this);
  }

  /**
   * Why a task does not run: waiting in which queue, delayed until, behind whom in a line, paused, running where, to be
   * retried when, put aside because, ended how. Reads what is stored, within bounds. On AWS a caller needs
   * `service.grantExplain(fn)`.
   *
   * @example
   * ```ts
   * const { state, reasons } = await app.explain(id);
   * ```
   * @throws InvalidOption; OperationalError where a store cannot be asked.
   */
  async explain(id: string, options: ExplainOptions = {}): Promise<Explanation> {
    return controlOf(this).explain(id, options);
  }

  /**
   * What was put aside: list it, have it run once more, throw it away. On AWS a caller needs
   * `service.grantDeadLetters(fn)`.
   *
   * @example
   * ```ts
   * const { groups } = await app.deadLetters.list();
   * await app.deadLetters.redrive({ task: 'orders.charge', rate: '5/s' });
   * ```
   */
  get deadLetters(): DeadLetterBook {
    return deadLettersOf(this);
  }

  /**
   * Calls `handler` when something happens to a task, in this process: Celery's signals. Handlers are called one after
   * another, each awaited; what one throws is logged and changes nothing. Once for each outcome, behind the write that makes
   * it stand: a worker that dies in between tells nobody.
   *
   * @example
   * ```ts
   * const off = app.on('taskFailure', ({ task, id, error }) => console.error(task, id, error));
   * off();
   * ```
   * @returns what takes the handler away
   * @throws InvalidOption for a name that is none
   */
  on<N extends SignalName>(name: N, handler: SignalHandler<N>): () => void {
    return addHandler((this.#signals ??= new Map()), name, handler);
  }
  #signals: SignalHandlers | undefined;

  /** Handlers of signals. The library's own use: add one with `on()`. */
  get signals(): SignalHandlers | undefined {
    return this.#signals;
  }

  #register(definition: TaskDefinition): Task {
    this.registry.add(definition);
    return createTask(definition, this, this.#methods);
  }

  get #methods(): TaskMethods {
    return {
      applyAsync: (name, args, options) => sendCall(this, name, args, options),
      apply: (name, args, options) => applyCall(this, name, args, options),
    };
  }

  // --------------------------------------------------------------- sending

  /**
   * Sends by name, for tasks that run elsewhere (Python's too): Celery's `send_task`. Types are not checked.
   *
   * @throws NotRegistered for a name that no worker of this service knows, where the names are known here
   */
  async send<R = unknown>(
    name: string,
    args: readonly unknown[] = [],
    options: ApplyOptions = {},
  ): Promise<AsyncResult<R>> {
    return sendNamed(this, name, args, options) as Promise<AsyncResult<R>>;
  }

  /**
   * Sends many signatures of single tasks, ten in a request; partial failures are retried. `enqueueMany()` is the same
   * on the current app.
   *
   * @throws EnqueueFailed whose `outcomes` tell of each item, in order, when some could not be sent; bad input throws
   * before anything is sent.
   */
  sendMany(signatures: readonly Signature[]): Promise<AsyncResult[]> {
    return sendMany(this, signatures);
  }

  /** The result of a task id, to be asked; nothing is read yet. @throws InvalidOption for an empty id */
  result<R = unknown>(id: string): AsyncResult<R> {
    return new AsyncResult<R>(idIn(id, 'result()'), this);
  }

  /** What `AsyncResult.statusUrl()` gives, of a task's id. @throws InvalidOption, MissingEnvironment, OperationalError */
  statusUrl(id: string, options: StatusUrlExpiry = {}): Promise<string> {
    return statusUrl(this, id, options);
  }

  /**
   * A group that was stored with `save()`, here or in Python. undefined where it is unknown or expired.
   *
   * @throws InvalidOption for an empty id
   */
  groupResult<R extends readonly unknown[] = readonly unknown[]>(id: string): Promise<GroupResult<R> | undefined> {
    return savedGroup(id, this) as Promise<GroupResult<R> | undefined>;
  }

  /** The running task's context, of whatever app; undefined outside of a task. */
  get currentTask(): TaskContext | undefined {
    return maybeCurrentTask();
  }

  // --------------------------------------------------------------- working

  /** Runs the tasks of a batch of deliveries, and tells which are to come again. What Lambda's worker handler calls. */
  async consume(deliveries: readonly Delivery[], invocation: Invocation): Promise<BatchResponse> {
    return consume(deliveries, invocation, this, await this.#workerPorts());
  }

  /** Handles a batch of the service's lost queue. */
  async consumeLost(deliveries: readonly Delivery[], invocation: Invocation): Promise<BatchResponse> {
    return consumeLost(deliveries, invocation, this, await this.#workerPorts());
  }

  /** Handles a batch of the service's wake-up queue: sends timers of FIFO queues that are due. */
  async consumeWakeUps(deliveries: readonly Delivery[], ports?: Ports): Promise<BatchResponse> {
    return consumeWakeUps(deliveries, this.settings, ports ?? (await this.ports()));
  }

  /**
   * Sends the ticks and timers that come due within `horizonSeconds`, 120 by default. What the sweeper does each
   * minute.
   */
  async sweep(options: SweepOptions = {}, ports?: Ports): Promise<FullSweepReport> {
    const all = ports ?? (await this.#workerPorts());
    const report = await this.#beat.sweep(all, options);
    if (all.history !== undefined && this.settings.history !== 'off')
      await rollUp({ ...all, history: all.history }, options.version);
    return report;
  }

  // ---------------------------------------------------------------- wiring

  /** Sets the ports: the embedded cloud, virtual time, or clients of your own. undefined goes back to the environment's. */
  use(wiring: Wiring | undefined): this {
    this.#wiring = wiring;
    this.#connecting = undefined;
    return this;
  }

  /** The clock of the ports that `use()` was given, else the system's. */
  get clock(): Clock {
    return this.#wiring?.clock ?? systemClock;
  }

  /** Makes task ids: UUIDs, unless `use()` was given another source. */
  get ids(): Ids {
    return this.#wiring?.ids ?? systemIds;
  }

  /** Random numbers for jitter: the system's, unless `use()` was given another source. */
  get random(): Random {
    return this.#wiring?.random ?? systemRandom;
  }

  /** Where log lines go: what `use()` was given, else the option `logger`, else `consoleLogger()`. */
  get logger(): Logger {
    return this.#wiring?.logger ?? this.settings.logger ?? (this.#consoleLogger ??= consoleLogger());
  }
  #consoleLogger: Logger | undefined;

  /**
   * Ports for one call: without a success for `callTimeout` it gives up.
   *
   * @throws MissingEnvironment where neither `use` nor the environment tells of queues and tables.
   */
  async ports(): Promise<Ports> {
    const ports = await this.#callPorts();
    return this.settings.largePayloads ? packingResults(ports, this.settings) : ports;
  }

  async #callPorts(): Promise<Ports> {
    const { ports, forCall, encryption } = await this.#connected();
    // A task has its own limit of time, and what it sends is better late than not.
    const inTask = maybeCurrentTask()?.request.calledDirectly === false;
    const seen = forCall && (await forCall(ports, inTask ? undefined : this.settings.callTimeoutSeconds));
    const all = seen === undefined ? ports : { ...ports, ...seen };
    return encryption === undefined ? all : encryption.ports(all, inTask ? 'worker' : 'call');
  }

  /** Patient, and with the services' own errors: a delivery that fails for a passing reason comes again. */
  async #workerPorts(): Promise<Ports> {
    const { ports, encryption } = await this.#connected();
    return encryption === undefined ? ports : encryption.ports(ports, 'worker');
  }

  #connected(): Promise<ConnectedPorts> {
    // Once per process; a failed attempt is not kept, so that a repaired environment is found.
    this.#connecting ??= this.#connect().catch((error: unknown) => {
      this.#connecting = undefined;
      throw error;
    });
    return this.#connecting;
  }

  async #connect(): Promise<ConnectedPorts> {
    const { clock, ids, random, logger } = this;
    const common = { clock, ids, random, logger };
    const { codec } = this.settings;
    // Not where it is falsy: that is no codec either, and refused.
    const encryption = codec === undefined ? undefined : await encryptionBy(codec);
    if (this.#wiring) {
      const { forCall, ...ports } = this.#wiring;
      return { ports: { ...ports, ...common }, forCall, encryption };
    }
    const environment: Environment = readEnvironment(this.name);
    const { forCall, ...ports } = await awsPorts(environment, common);
    return { ports: { ...common, ...ports }, forCall, encryption };
  }

  /** What `send` sends runs in the caller, and all that follows from it, before this is done. */
  async runEager<R>(send: (eager: App) => Promise<R>): Promise<R> {
    return runEager(this, send);
  }

  taskNames(): ReadonlySet<string> | undefined {
    const own = this.registry.names();
    // A deployed function may load a part of the tasks only; on ports of its own a process is the service.
    const told = this.#wiring === undefined ? (this.#toldNames ??= readTaskNames(this.name)) : undefined;
    if (told === 'unknown' || (told === undefined && own.length === 0)) return undefined;
    return new Set([...own, ...(told ?? [])]);
  }
  #toldNames: ReturnType<typeof readTaskNames>;

  // -------------------------------------------------------------- manifest

  /**
   * The app as plain data, for `TaskService`: queues, tasks, schedule entries, limits; no code and no secrets.
   *
   * @throws InvalidOption, QueueNotFound for a task whose first `delay()` would find no queue, naming both and the fix
   */
  manifest(): AppManifest {
    return manifestOf(this, () => this.#beat.plans());
  }
}

let current: Celeriac | undefined;

/** Celery's current app: the newest one of this process, or one made of the environment. */
export function currentApp(): Celeriac {
  return (current ??= Celeriac.fromEnvironment());
}

/** For tests that must not see each other's app. */
export function setCurrentApp(app: Celeriac | undefined): void {
  current = app;
}

type Run = (...args: readonly unknown[]) => unknown;

function taskParts(parts: readonly unknown[]): { name: string; options: TaskOptions & TaskHooks; run: Run } {
  const run = parts.at(-1);
  const rest = parts.slice(0, -1);
  const given = typeof rest[0] === 'string' ? rest.shift() : undefined;
  const options = rest[0] ?? {};
  if (typeof run !== 'function' || rest.length > 1 || typeof options !== 'object' || options === null) {
    throw new InvalidOption(
      "task(): give a name, options if any, and a function, as in app.task('math.add', (x, y) => x + y).",
    );
  }
  if (isTaskClass(run))
    throw new ImproperlyConfigured(`task(): ${run.name} is a class. Register it with app.register(${run.name}).`);
  if (given === undefined && run.name === '') {
    throw new InvalidOption('task(): the function has no name, so the task has none. Name one of them.');
  }
  return { name: checkedTaskName(given ?? run.name), options: options as TaskOptions, run: run as Run };
}

function isTaskClass(value: Function): boolean {
  return value.prototype instanceof TaskBase;
}
