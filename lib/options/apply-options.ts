/** Options of one call, checked before anything is sent (Celery's apply_async). */
import { dueMs, type Duration, durationSeconds, instantMs } from '../base/duration.ts';
import { booleanOption, integerIn, refuseUnknownKeys, shown } from '../base/checks.ts';
import { InvalidOption } from '../base/errors.ts';
import { MAX_TASK_ID_CHARACTERS } from '../base/limits.ts';
import type { Signature } from '../wire/signature.ts';
import type { DebounceOptions } from './debounce.ts';
import { groupIdOption } from './group-id.ts';
import type { ThrottleOptions, UniqueOptions } from './unique.ts';
import { resolvePolicy, type RetryPolicy } from './settings.ts';
import { checkLimits } from './task-options.ts';

/** Options of one call (Celery's `apply_async`); they come before those of the task and the app. */
export interface ApplyOptions {
  /** Run this long from now, not earlier. 0 is at once. Not together with `eta`. */
  readonly countdown?: Duration;
  /** Run at an instant, not earlier: Date, ISO 8601 text (no offset: UTC), or epoch seconds. */
  readonly eta?: Date | string | number;
  /** Revoke instead of run after a duration (`60`, `'2h'`) or an instant (Date, ISO 8601 text). */
  readonly expires?: Duration | Date | string;
  /** Name of a declared queue. Default: the task's `queue`, else what `routes` say, else the app's `defaultQueue`. */
  readonly queue?: string;
  /** 0, the most urgent, to 9: which lane of a queue with `priorities` it takes. Default: the task's, else the route's, else the queue's. */
  readonly priority?: number;
  /** Custom headers; the task sees them in `request.headers`. Default: none. */
  readonly headers?: Readonly<Record<string, unknown>>;
  /** Shown in logs and monitors instead of the arguments. */
  readonly argsrepr?: string;
  /** Shown in logs and monitors instead of the keyword arguments. */
  readonly kwargsrepr?: string;
  /** Keyword arguments, for tasks in Python and tasks with `params`. */
  readonly kwargs?: Readonly<Record<string, unknown>>;
  /** Sending one id twice runs one task. Default: a UUID. */
  readonly taskId?: string;
  /**
   * Keep its result from readers, as `TaskOptions.ignoreResult` does. Default: the task's. A member of a chord's header
   * is never ignored.
   */
  readonly ignoreResult?: boolean;
  /** Whether publishing is retried. Default: the app's. */
  readonly retry?: boolean;
  /** How publishing is retried. Default: the app's. */
  readonly retryPolicy?: RetryPolicy;
  /** The attempt fails with `TimeLimitExceeded` after this long, 1 ms at least. Default: the task's. */
  readonly timeLimit?: Duration;
  /** `signal` aborts after this long; not longer than `timeLimit`. Default: the task's. */
  readonly softTimeLimit?: Duration;
  /** Name shown in logs and monitors instead of the task's. */
  readonly shadow?: string;
  /** Sent with the result when it succeeds: Celery's callbacks. Default: none. */
  readonly link?: Signature | readonly Signature[];
  /**
   * Called when it fails: Celery's errbacks. One whose task is of this app and takes several arguments is called in the
   * failing worker with `(request, error, traceback)`; every other one is sent, with the failed task's id. Default:
   * none.
   */
  readonly linkError?: Signature | readonly Signature[];
  /**
   * Instead of what the task says; its `key` is text. `false` where the task's own shall not count.
   */
  readonly unique?: UniqueOptions | false;
  /** The same of `throttle`. */
  readonly throttle?: ThrottleOptions | false;
  /** The same of `debounce`. */
  readonly debounce?: DebounceOptions | false;
  /**
   * The message group: in FIFO queues what runs one after another, in standard ones the tenant of SQS's fair queues. Default:
   * what the task says, else in FIFO queues the task's name.
   */
  readonly groupKey?: string;
}

export interface ResolvedApplyOptions {
  readonly etaMs: number | null;
  readonly expiresMs: number | null;
  readonly queue: string | undefined;
  readonly priority: number | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly argsrepr: string | undefined;
  readonly kwargsrepr: string | undefined;
  readonly kwargs: Readonly<Record<string, unknown>>;
  readonly taskId: string | undefined;
  readonly ignoreResult: boolean | null;
  readonly retry: boolean | undefined;
  readonly retryPolicy: Required<RetryPolicy> | undefined;
  readonly timeLimit: readonly [number | null, number | null];
  readonly shadow: string | null;
  readonly link: readonly Signature[] | null;
  readonly linkError: readonly Signature[] | null;
  readonly groupKey: string | undefined;
  /** As it was given: who sends checks it. */
  readonly marks: CallMarks;
}

/** Options of a call that say which task stands for its key. */
export const MARKS: readonly ['unique', 'throttle', 'debounce'] = ['unique', 'throttle', 'debounce'];
/** What a call says of them. */
export type CallMarks = Pick<ApplyOptions, (typeof MARKS)[number]>;

/** All of them. */
export const APPLY_KEYS: ReadonlySet<keyof ApplyOptions> = new Set<keyof ApplyOptions>([
  'countdown',
  'eta',
  'expires',
  'queue',
  'priority',
  'headers',
  'argsrepr',
  'kwargsrepr',
  'kwargs',
  'taskId',
  'ignoreResult',
  'retry',
  'retryPolicy',
  'timeLimit',
  'softTimeLimit',
  'shadow',
  'link',
  'linkError',
  'groupKey',
  ...MARKS,
]);

/** @throws InvalidOption */
export function resolveApplyOptions(options: ApplyOptions, nowMs: number): ResolvedApplyOptions {
  refuseUnknownKeys(options, APPLY_KEYS, 'options of the call');
  const hard = options.timeLimit === undefined ? null : durationSeconds(options.timeLimit, 'timeLimit', 0.001);
  const soft =
    options.softTimeLimit === undefined ? null : durationSeconds(options.softTimeLimit, 'softTimeLimit', 0.001);
  checkLimits(soft, hard, 'softTimeLimit');
  return {
    etaMs: resolveEta(options, nowMs),
    expiresMs: resolveExpires(options.expires, nowMs),
    queue: text(options.queue, 'queue'),
    priority: options.priority === undefined ? undefined : integerIn(options.priority, 0, 9, 'priority'),
    headers: record(options.headers, 'headers'),
    argsrepr: text(options.argsrepr, 'argsrepr', true),
    kwargsrepr: text(options.kwargsrepr, 'kwargsrepr', true),
    kwargs: record(options.kwargs, 'kwargs'),
    taskId: taskIdOption(options.taskId),
    ignoreResult: options.ignoreResult === undefined ? null : booleanOption(options.ignoreResult, 'ignoreResult'),
    retry: options.retry === undefined ? undefined : booleanOption(options.retry, 'retry'),
    retryPolicy: options.retryPolicy === undefined ? undefined : resolvePolicy(options.retryPolicy),
    timeLimit: [hard, soft],
    shadow: text(options.shadow, 'shadow') ?? null,
    link: signatures(options.link, 'link'),
    linkError: signatures(options.linkError, 'linkError'),
    groupKey: groupIdOption(options.groupKey, 'groupKey'),
    marks: options,
  };
}

function resolveEta(options: ApplyOptions, nowMs: number): number | null {
  if (options.countdown !== undefined && options.eta !== undefined) {
    throw new InvalidOption('countdown and eta: both are given; one of them is allowed.');
  }
  if (options.eta !== undefined) return dueMs(options.eta, 'eta');
  if (options.countdown === undefined) return null;
  const seconds = durationSeconds(options.countdown, 'countdown');
  // Celery: countdown 0 is no eta.
  return seconds === 0 ? null : nowMs + Math.round(seconds * 1000);
}

export function resolveExpires(expires: ApplyOptions['expires'], nowMs: number): number | null {
  if (expires === undefined) return null;
  if (expires instanceof Date || (typeof expires === 'string' && /^\d{4}-/.test(expires)))
    return instantMs(expires, 'expires');
  return nowMs + Math.round(durationSeconds(expires, 'expires') * 1000);
}

function text(value: unknown, field: string, emptyAllowed = false, longest = 2048): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'string' && (emptyAllowed || value !== '') && value.length <= longest) return value;
  throw new InvalidOption(
    `${field}: ${shown(value)} given; text of ${emptyAllowed ? 0 : 1} to ${longest} characters is allowed.`,
  );
}

function taskIdOption(value: unknown): string | undefined {
  const id = text(value, 'taskId', false, MAX_TASK_ID_CHARACTERS);
  if (id === undefined || id.isWellFormed()) return id;
  throw new InvalidOption(
    `taskId: ${shown(value)} has half of a surrogate pair, which no key can hold; give whole text.`,
  );
}

function record(value: unknown, field: string): Readonly<Record<string, unknown>> {
  if (value === undefined) return {};
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new InvalidOption(`${field}: ${shown(value)} given; an object is allowed.`);
}

function signatures(value: Signature | readonly Signature[] | undefined, field: string): readonly Signature[] | null {
  if (value === undefined) return null;
  const list = Array.isArray(value) ? (value as readonly Signature[]) : [value as Signature];
  if (
    list.every(
      (sig) => typeof sig === 'object' && sig !== null && typeof sig.task === 'string' && Array.isArray(sig.args),
    )
  )
    return list;
  throw new InvalidOption(`${field}: give signatures, such as task.s(...).`);
}
