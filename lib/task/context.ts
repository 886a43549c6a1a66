/** What a running task can see and say: `currentTask()`, or the first argument with `bind: true`. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { ApplyOptions } from '../options/apply-options.ts';
import type { Duration } from '../base/duration.ts';
import { ImproperlyConfigured, type Retry, type RetryOverrides } from '../base/errors.ts';
import type { LogLevel } from '../ports/log.ts';

/** Celery's `self.request`. */
export interface TaskRequest {
  /** Task id; the same for every attempt. */
  readonly id: string;
  /** Name of the task. */
  readonly task: string;
  /** Arguments of this run, checked by the task's `schema` where it has one. */
  readonly args: readonly unknown[];
  /** Keyword arguments as the message has them. */
  readonly kwargs: Readonly<Record<string, unknown>>;
  /** 0 on the first run. */
  readonly retries: number;
  /** When it was to run at the earliest; null: at once. */
  readonly eta: Date | null;
  /** From when on it would have been revoked instead of run; null: never. */
  readonly expires: Date | null;
  /** Whether it runs in the caller, by `apply()` or `alwaysEager`. */
  readonly isEager: boolean;
  /** Called as a plain function: there is no message. */
  readonly calledDirectly: boolean;
  /** How this attempt's message came here. */
  readonly deliveryInfo: {
    /** Celery's name of the queue it came from. */
    readonly queue: string;
    /** Whether an earlier delivery of this attempt did not finish. */
    readonly redelivered: boolean;
    /** Claims won for this attempt, this one included; of an idempotent task, receives of its messages. */
    readonly deliveries: number;
  };
  /** Id of the first task that this one followed from; its own where it is the first. */
  readonly rootId: string;
  /** Id of the task that sent it or came before it; null where there is none. */
  readonly parentId: string | null;
  /** Id of the group or the chord's header that it is a member of; null outside of one. */
  readonly groupId: string | null;
  /** Its index in that group, from 0; null outside of one. */
  readonly groupIndex: number | null;
  /** Custom headers of the message. */
  readonly headers: Readonly<Record<string, unknown>>;
  /** AMQP's name of the task id: the same as `id`. */
  readonly correlationId: string;
  /** The reply queue that a Python sender wrote; null from senders here. Nothing is sent to it. */
  readonly replyTo: string | null;
  /**
   * Who sent it: `celeriac@` and the app's name from here, `gen` with process and host from Python; null where it is
   * not told.
   */
  readonly origin: string | null;
  /** The name that logs and monitors show instead of the task's; null where the sender gave none. */
  readonly shadow: string | null;
  /** What logs and monitors show of its arguments. */
  readonly argsrepr: string;
  /** What logs and monitors show of its keyword arguments. */
  readonly kwargsrepr: string;
  /** 0 to 9, as the sender wrote it; SQS knows none. */
  readonly priority: number;
  /** [hard, soft] in seconds. */
  readonly timeLimit: readonly [number | null, number | null];
  /** Whether its result is kept from readers; true for a plain call. */
  readonly ignoreResult: boolean;
  /** The values that `stamp()` gave it, by name. */
  readonly stamps: Readonly<Record<string, unknown>>;
  /** Messages sent since the root. */
  readonly hops: number;
  /** Ids of the tasks that this run has sent so far. */
  readonly children: readonly string[];
  /** The schedule entry's tick that this run is for. */
  readonly schedule?: { readonly entry: string; readonly scheduledTime: Date };
}

/** What the next attempt does otherwise; what is left out stays as it was sent, hidden arguments stay hidden. */
export interface RetryOptions extends Pick<
  ApplyOptions,
  | 'kwargs'
  | 'queue'
  | 'priority'
  | 'headers'
  | 'expires'
  | 'timeLimit'
  | 'softTimeLimit'
  | 'shadow'
  | 'ignoreResult'
  | 'link'
  | 'linkError'
  | 'argsrepr'
  | 'kwargsrepr'
> {
  /** Wait before the next attempt. Default: the task's `defaultRetryDelay`. */
  readonly countdown?: Duration;
  /** When the next attempt is due: Date, ISO text, or epoch seconds. */
  readonly eta?: Date | string | number;
  /** Why; kept with state RETRY, and thrown when no retry is left. */
  readonly exc?: unknown;
  /** Instead of the task's own, for this call. null for ever. */
  readonly maxRetries?: number | null;
  /** Arguments of the next attempt. Default: those of this one. */
  readonly args?: readonly unknown[];
  /** false returns the Retry, for you to throw. Default true. */
  readonly throw?: boolean;
}

/** A logger whose lines have the fields `task`, `taskId` and `attempt`. */
export interface TaskLogger {
  /** Writes one line at a level, with more fields beside the message. */
  log(level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>): void;
  /**
   * Writes a line at level debug: dropped by `consoleLogger()` unless its level, or Lambda's application log level, is
   * debug.
   */
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  /** Writes a line at level info. */
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  /** Writes a line at level warn. */
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  /** Writes a line at level error. The task does not fail by it. */
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/**
 * What a running task can see and say: Celery's `self`. `bind: true` passes it as the first argument, `currentTask()`
 * finds it anywhere below the task.
 */
export interface TaskContext {
  /** The message that this run is for: id, arguments, attempt, headers, index in a group. */
  readonly request: TaskRequest;
  /** Adds task name, id and attempt to every line. */
  readonly logger: TaskLogger;
  /** Aborts at the soft time limit, at the hard one, and when the worker is about to be stopped. */
  readonly signal: AbortSignal;
  /**
   * Seconds until the hard limit, or until the worker has to stop where that comes first. Infinity where neither is
   * known.
   */
  remainingTime(): number;
  /**
   * Plans another attempt and gives the Retry, for you to throw.
   *
   * @throws what the form without `throw: false` throws when no retry is left.
   */
  retry(options: RetryOptions & { readonly throw: false }): Retry;
  /**
   * Ends this attempt; another one follows after `countdown`, else the task's `defaultRetryDelay`. Throws, so nothing
   * after it runs; written as `throw self.retry(...)` the compiler knows that too.
   *
   * @example
   * ```ts
   * app.task('shop.fetch', { bind: true, maxRetries: 5 }, async (self, url: string) => {
   *   const response = await fetch(url);
   *   if (response.status === 429) throw self.retry({ countdown: '1m' });
   *   return response.text();
   * });
   * ```
   * @throws Retry, or when no retry is left `exc`, or MaxRetriesExceededError without one.
   */
  retry(options?: RetryOptions): never;
  /**
   * Stores a custom state that readers see until the outcome; `meta` is JSON and is what `info()` gives. A plain call
   * stores nothing.
   *
   * @throws InvalidOption for a built-in state other than STARTED.
   */
  updateState(state: string, meta?: unknown): Promise<void>;
  /**
   * Stores state PROGRESS with `{ current, total }`, which `info()` gives.
   *
   * @example
   * ```ts
   * app.task('shop.import', { bind: true }, async (self, rows: string[]) => {
   *   for (const [index] of rows.entries()) await self.progress(index + 1, rows.length);
   * });
   * ```
   */
  progress(done: number, total: number): Promise<void>;
  /** Which part of its task this run is, from 1: more than 1 only with `maxParts`. */
  readonly part: number;
  /** What the last `checkpoint()` or `goOn()` of the task stored, also of an attempt before; undefined where there was none. */
  readonly state?: unknown;
  /**
   * Stores how far the task has come, JSON of 32,768 bytes at most: whatever happens next, it goes on with that as `self.state`.
   * When little time is left it ends this part by throwing what `goOn()` gives; let that pass. It takes the option `maxParts`.
   * A plain call stores nothing.
   *
   * @example
   * ```ts
   * app.task('shop.reindex', { bind: true, maxParts: 100 }, async (self) => {
   *   let { page } = (self.state ?? { page: 0 }) as { page: number };
   *   for (; page < 10_000; page += 1) {
   *     await self.checkpoint({ page });
   *     await fetch(`https://example.com/pages/${page}`);
   *   }
   * });
   * ```
   * @throws NotSerializable, ResultTooLarge, TooManyParts; InvalidOption without `maxParts`; Retry where the task goes on.
   */
  checkpoint(state: unknown, options?: CheckpointOptions): Promise<void>;
  /**
   * What ends this part, for you to throw: the task goes on in another invocation, with `state` as its `self.state`. It is no retry.
   *
   * @throws NotSerializable, ResultTooLarge, TooManyParts; InvalidOption without `maxParts`, and in a plain call.
   */
  goOn(state: unknown): Retry;
}

/** How a checkpoint is stored. */
export interface CheckpointOptions {
  /** Not again within this time; near the end of a part all the same. Default: each time. */
  readonly every?: Duration;
}

export type { RetryOverrides };

// One store for the process, found again by other copies of the library in one bundle.
const STORE = Symbol.for('celeriac.context');
const holder = globalThis as unknown as Record<symbol, AsyncLocalStorage<TaskContext> | undefined>;
const storage: AsyncLocalStorage<TaskContext> = (holder[STORE] ??= new AsyncLocalStorage<TaskContext>());

export function runWithContext<R>(context: TaskContext, run: () => R): R {
  return storage.run(context, run);
}

/** The running task's context, or undefined outside of one. */
export function maybeCurrentTask(): TaskContext | undefined {
  return storage.getStore();
}

/**
 * The running task's context, wherever the task calls it: Celery's `current_task`.
 *
 * @throws ImproperlyConfigured outside of a task.
 */
export function currentTask(): TaskContext {
  const context = storage.getStore();
  if (context) return context;
  throw new ImproperlyConfigured(
    'currentTask() was called outside of a task. Call it in a task, or in what a task calls.',
  );
}

/** Notes what the running task sends, for its result's `children`. */
export function recordChildren(ids: readonly string[]): void {
  const children = storage.getStore()?.request.children as string[] | undefined;
  // Its own list, made for this; readers see it as readonly.
  children?.push(...ids);
}
