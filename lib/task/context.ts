/** What a running task can see and say: `currentTask()`, or the first argument with `bind: true`. */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { ApplyOptions } from '../options/apply-options.ts';
import type { Duration } from '../base/duration.ts';
import { ImproperlyConfigured, type Retry, type RetryOverrides } from '../base/errors.ts';
import type { LogLevel } from '../ports/log.ts';

/** Celery's `self.request`. */
export interface TaskRequest {
  readonly id: string;
  readonly task: string;
  readonly args: readonly unknown[];
  readonly kwargs: Readonly<Record<string, unknown>>;
  /** 0 on the first run. */
  readonly retries: number;
  readonly eta: Date | null;
  readonly expires: Date | null;
  readonly isEager: boolean;
  /** Called as a plain function: there is no message. */
  readonly calledDirectly: boolean;
  readonly deliveryInfo: {
    readonly queue: string;
    /** Whether an earlier delivery of this attempt did not finish. */
    readonly redelivered: boolean;
    /** Claims won for this attempt, this one included. */
    readonly deliveries: number;
  };
  readonly rootId: string;
  readonly parentId: string | null;
  readonly groupId: string | null;
  readonly groupIndex: number | null;
  /** Custom headers of the message. */
  readonly headers: Readonly<Record<string, unknown>>;
  readonly correlationId: string;
  readonly replyTo: string | null;
  readonly origin: string | null;
  readonly shadow: string | null;
  /** What logs and monitors show of its arguments. */
  readonly argsrepr: string;
  readonly kwargsrepr: string;
  /** 0 to 9, as the sender wrote it; SQS knows none. */
  readonly priority: number;
  /** [hard, soft] in seconds. */
  readonly timeLimit: readonly [number | null, number | null];
  readonly ignoreResult: boolean;
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
  readonly args?: readonly unknown[];
  /** false returns the Retry, for you to throw. Default true. */
  readonly throw?: boolean;
}

export interface TaskLogger {
  log(level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>): void;
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

export interface TaskContext {
  readonly request: TaskRequest;
  /** Adds task name, id and attempt to every line. */
  readonly logger: TaskLogger;
  /** Aborts at the soft time limit, at the hard one, and when the worker is about to be stopped. */
  readonly signal: AbortSignal;
  /** Seconds until the hard limit. */
  remainingTime(): number;
  /**
   * Ends this attempt; another one follows. Throws, so nothing after it runs; written as
   * `throw self.retry(...)` the compiler knows that too.
   *
   * @throws Retry, or when no retry is left `exc`, or MaxRetriesExceededError without one.
   */
  retry(options: RetryOptions & { readonly throw: false }): Retry;
  retry(options?: RetryOptions): never;
  /** Stores a custom state that readers see until the outcome. */
  updateState(state: string, meta?: unknown): Promise<void>;
  /** Stores state PROGRESS with `{ current, total }`. */
  progress(done: number, total: number): Promise<void>;
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

/** @throws ImproperlyConfigured outside of a task. */
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
