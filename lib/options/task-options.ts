/** What a task may say of itself, checked when it is declared. Names and meaning are Celery's, in camelCase. */
import { checkedGroupKey, checkedWebhook, declareFlow } from '#deployed/options/declare-flow';
import { checkTaskKeys } from '#deployed/options/known-keys';
import type { StandardSchemaV1 } from '../base/standard-schema.ts';
import { type Duration, durationSeconds } from '../base/duration.ts';
import { booleanOption, integerIn, shown } from '../base/checks.ts';
import { InvalidOption } from '../base/errors.ts';
import {
  DEFAULT_MAX_RETRIES,
  DEFAULT_RETRY_BACKOFF_MAX_SECONDS,
  DEFAULT_RETRY_DELAY_SECONDS,
  MAX_TASK_NAME_CHARACTERS,
} from '../base/limits.ts';
import { declaredQueue } from './declared-queue.ts';
import type { DeclaredFlow, FlowOptions } from './flow-options.ts';
import type { GroupKey } from './group-id.ts';
import type { Settings } from './settings.ts';
import type { WebhookOptions } from './webhook-options.ts';

/** Matches errors: a class, or a function that answers whether an error is meant. */
export type ErrorMatcher = (abstract new (...args: never[]) => Error) | ((error: unknown) => boolean);

/** Options of a task. What is left out comes from the app's options where those have it. */
export interface TaskOptions extends FlowOptions {
  /** Pass the task's context as first argument. Default false. */
  readonly bind?: boolean;
  /** Retries after the first run; null for ever. Default 3 (four runs). */
  readonly maxRetries?: number | null;
  /** Wait before a retry that names none. Default 180 s. */
  readonly defaultRetryDelay?: Duration;
  /** Errors that are retried by themselves, as if the task had called `retry()`. Default: none. */
  readonly autoretryFor?: readonly ErrorMatcher[];
  /** Exceptions to `autoretryFor`. Default: none. */
  readonly dontAutoretryFor?: readonly ErrorMatcher[];
  /** Exponential backoff of automatic retries: true for 1, 2, 4... s; a number multiplies. Default false. */
  readonly retryBackoff?: boolean | number;
  /** Longest backoff. Default 600 s. */
  readonly retryBackoffMax?: Duration;
  /** Full jitter: any whole second from 0 to the backoff. Default true. */
  readonly retryJitter?: boolean;
  /** Run a lost attempt again. Default true; false ends it as FAILURE `WorkerLostError`. */
  readonly acksLate?: boolean;
  /** Store no result. Errors are kept unless `storeErrorsEvenIfIgnored` is false. Default false. */
  readonly ignoreResult?: boolean;
  /** With `ignoreResult`, keep errors. Default true (Celery: false): an ignored failure would be a silent one. */
  readonly storeErrorsEvenIfIgnored?: boolean;
  /** Show STARTED to readers. Default false. */
  readonly trackStarted?: boolean;
  /** Whether somebody is told of its failures, where the service tells of them: `service.notify()`. Default true. */
  readonly errorEmails?: boolean;
  /** Running twice does no harm, and you vouch for it: no claim is written. Default false. */
  readonly idempotent?: boolean;
  /** Expected errors: logged as info without a stack. Still FAILURE. Default: none. */
  readonly throws?: readonly ErrorMatcher[];
  /** `signal` aborts after this long; not longer than `timeLimit`. Default: none. */
  readonly softTimeLimit?: Duration;
  /** The attempt fails with `TimeLimitExceeded` after this long. Default: none but the worker function's timeout. */
  readonly timeLimit?: Duration;
  /** Its messages are revoked instead of run when they are older than this. Default: never. */
  readonly expires?: Duration;
  /** Name of a declared queue; it comes before routes. Default: what `routes` say, else the app's `defaultQueue`. */
  readonly queue?: string;
  /**
   * The message group of its calls, where a call names none: text, or a function of the task's arguments that gives text of 1
   * to 256 characters. In a FIFO queue the tasks of a group run one after another; in a standard one a group is a tenant of
   * SQS's fair queues. It must be known where the task is sent. Default: in FIFO queues the task's name.
   */
  readonly groupKey?: GroupKey;
  /** 0, the most urgent, to 9: which lane of a queue with `priorities` it takes. Default: the queue's `defaultPriority`. */
  readonly priority?: number;
  /** Deliveries of one attempt that may end without a word. Default: the app's. */
  readonly maxDeliveries?: number;
  /** Parameter names: keyword arguments of Python callers are put in their place. */
  readonly params?: readonly string[];
  /** Validates the arguments (as an array) at enqueue and before the run. Any Standard Schema. */
  readonly schema?: StandardSchemaV1<unknown, readonly unknown[]>;
  /** Posts how the task ended, signed, until it is taken. Default: nothing is posted. */
  readonly webhook?: WebhookOptions;
}

export interface ResolvedTaskOptions {
  readonly bind: boolean;
  readonly maxRetries: number | null;
  readonly defaultRetryDelaySeconds: number;
  readonly autoretryFor: readonly ErrorMatcher[];
  readonly dontAutoretryFor: readonly ErrorMatcher[];
  readonly retryBackoff: boolean | number;
  readonly retryBackoffMaxSeconds: number;
  readonly retryJitter: boolean;
  readonly acksLate: boolean;
  readonly ignoreResult: boolean;
  readonly storeErrorsEvenIfIgnored: boolean;
  readonly trackStarted: boolean;
  readonly errorEmails: boolean;
  readonly idempotent: boolean;
  readonly throws: readonly ErrorMatcher[];
  readonly softTimeLimitSeconds: number | null;
  readonly timeLimitSeconds: number | null;
  readonly expiresSeconds: number | null;
  readonly queue: string | undefined;
  readonly priority: number | undefined;
  readonly groupKey: GroupKey | undefined;
  /** Undefined for a task that starts whenever its message comes. */
  readonly flow: DeclaredFlow | undefined;
  readonly maxDeliveries: number;
  readonly params: readonly string[] | undefined;
  readonly schema: StandardSchemaV1<unknown, readonly unknown[]> | undefined;
  readonly webhook: WebhookOptions | undefined;
}

const TASK_NAME = /^[\w$.:/-]+$/;

export function checkedTaskName(name: unknown): string {
  if (typeof name === 'string' && name.length <= MAX_TASK_NAME_CHARACTERS && TASK_NAME.test(name)) return name;
  throw new InvalidOption(
    `task name: ${shown(name)} given; 1 to ${MAX_TASK_NAME_CHARACTERS} letters, digits and any of . _ - : / $ are allowed.`,
  );
}

export function resolveTaskOptions(name: string, options: TaskOptions, settings: Settings): ResolvedTaskOptions {
  checkTaskKeys(name, options);
  const at = (field: string): string => `${field} of task '${name}'`;
  const flag = (key: keyof TaskOptions, fallback: boolean): boolean =>
    options[key] === undefined ? fallback : booleanOption(options[key], at(key));
  const seconds = (key: 'softTimeLimit' | 'timeLimit' | 'expires'): number | null =>
    options[key] === undefined ? null : durationSeconds(options[key], at(key), 0.001);
  const softTimeLimitSeconds = seconds('softTimeLimit');
  const timeLimitSeconds = seconds('timeLimit');
  checkLimits(softTimeLimitSeconds, timeLimitSeconds, at('softTimeLimit'));
  return {
    bind: flag('bind', false),
    maxRetries:
      options.maxRetries === null
        ? null
        : integerIn(options.maxRetries ?? DEFAULT_MAX_RETRIES, 0, 1_000_000, at('maxRetries')),
    defaultRetryDelaySeconds: durationSeconds(
      options.defaultRetryDelay ?? DEFAULT_RETRY_DELAY_SECONDS,
      at('defaultRetryDelay'),
    ),
    autoretryFor: matchers(options.autoretryFor, at('autoretryFor')),
    dontAutoretryFor: matchers(options.dontAutoretryFor, at('dontAutoretryFor')),
    retryBackoff: checkedBackoff(options.retryBackoff ?? false, at('retryBackoff')),
    retryBackoffMaxSeconds: durationSeconds(
      options.retryBackoffMax ?? DEFAULT_RETRY_BACKOFF_MAX_SECONDS,
      at('retryBackoffMax'),
    ),
    retryJitter: flag('retryJitter', true),
    acksLate: flag('acksLate', settings.acksLate),
    ignoreResult: flag('ignoreResult', settings.ignoreResult),
    storeErrorsEvenIfIgnored: flag('storeErrorsEvenIfIgnored', settings.storeErrorsEvenIfIgnored),
    trackStarted: flag('trackStarted', settings.trackStarted),
    errorEmails: flag('errorEmails', true),
    idempotent: flag('idempotent', false),
    throws: matchers(options.throws, at('throws')),
    softTimeLimitSeconds,
    timeLimitSeconds,
    expiresSeconds: seconds('expires'),
    queue: options.queue === undefined ? undefined : checkedQueue(options.queue, settings, at('queue')),
    priority: options.priority === undefined ? undefined : integerIn(options.priority, 0, 9, at('priority')),
    groupKey: checkedGroupKey(options.groupKey, at('groupKey')),
    flow: declareFlow(name, options, settings),
    maxDeliveries: integerIn(options.maxDeliveries ?? settings.maxDeliveries, 1, 1000, at('maxDeliveries')),
    params: options.params === undefined ? undefined : [...options.params],
    schema: options.schema,
    webhook: checkedWebhook(name, options.webhook),
  };
}

export function checkLimits(soft: number | null, hard: number | null, field: string): void {
  if (soft === null || hard === null || soft <= hard) return;
  throw new InvalidOption(
    `${field}: ${soft} s is longer than the time limit of ${hard} s. The soft limit comes first.`,
  );
}

/** @throws QueueNotFound, InvalidOption: at the declaration, where the first call in production would else. */
function checkedQueue(queue: unknown, settings: Settings, field: string): string {
  if (typeof queue === 'string' && queue !== '') return declaredQueue(queue, settings.queues, field);
  throw new InvalidOption(
    `${field}: ${shown(queue)} given; the name of a declared queue is allowed: ${Object.keys(settings.queues).join(', ')}.`,
  );
}

export function matchesError(error: unknown, list: readonly ErrorMatcher[]): boolean {
  return list.some((matcher) => {
    if (isErrorClass(matcher)) return error instanceof matcher;
    return (matcher as (error: unknown) => boolean)(error);
  });
}

function isErrorClass(matcher: ErrorMatcher): matcher is abstract new (...args: never[]) => Error {
  return (matcher as unknown) === Error || (matcher as { prototype?: unknown }).prototype instanceof Error;
}

function matchers(list: readonly ErrorMatcher[] | undefined, field: string): readonly ErrorMatcher[] {
  if (list === undefined) return [];
  if (Array.isArray(list) && list.every((matcher) => typeof matcher === 'function'))
    return [...(list as readonly ErrorMatcher[])];
  throw new InvalidOption(`${field}: ${shown(list)} given; a list of error classes or predicates is allowed.`);
}

function checkedBackoff(value: unknown, field: string): boolean | number {
  if (typeof value === 'boolean') return value;
  if (typeof value === 'number' && Number.isFinite(value) && value >= 0) return value;
  throw new InvalidOption(`${field}: ${shown(value)} given; true, false or a factor of seconds is allowed.`);
}

/**
 * The limits of one run, hard then soft, in seconds: the message's own, else the task's. Celery takes a message's 0
 * for none given (celery/worker/request.py, `execute_using_pool`).
 */
export function limitsInForce(
  [hard, soft]: readonly [number | null, number | null],
  options: Pick<ResolvedTaskOptions, 'softTimeLimitSeconds' | 'timeLimitSeconds'>,
): readonly [hardSeconds: number | null, softSeconds: number | null] {
  return [hard || options.timeLimitSeconds, soft || options.softTimeLimitSeconds];
}
