/**
 * Every error class, each with a stable `code` (documented in docs/errors.md). Compare codes or use
 * `CeleriacError.is`: two copies of the library in one bundle have two classes of each name.
 */

import { CeleriacError } from './celeriac-error.ts';
import { cut, describe, errorLine, isError } from './error-text.ts';
import { HttpRequestFailed, HttpTargetRefused } from './http-errors.ts';
import { MAX_ERROR_LINE_CHARACTERS } from './limits.ts';
import { DecryptionFailed, InvalidMessage } from './message-errors.ts';
import type { RetryOverrides } from './retry-overrides.ts';

export { CeleriacError, DecryptionFailed, HttpRequestFailed, HttpTargetRefused, InvalidMessage, type RetryOverrides };

// ------------------------------------------------- bad input, thrown before anything is sent

/** An option has a wrong name or value. */
export class InvalidOption extends CeleriacError {
  static readonly errorName: string = 'InvalidOption';
  static override readonly code: string = 'INVALID_OPTION';
}
/** An argument or a result is not JSON. `path` names the place, as in `args[0].user.id`. */
export class NotSerializable extends CeleriacError {
  static readonly errorName: string = 'NotSerializable';
  static override readonly code: string = 'NOT_SERIALIZABLE';
  /** The place, as in `args[0].user.id`. */
  readonly path: string;
  /** Made by the check of arguments and results. */
  constructor(path: string, message: string) {
    super(message);
    this.path = path;
  }
}
/** Arguments do not fit the task's `schema`. */
export class InvalidArguments extends CeleriacError {
  static readonly errorName: string = 'InvalidArguments';
  static override readonly code: string = 'INVALID_ARGUMENTS';
}
/** A function that makes a key of a task's arguments (`rateLimit.key`) threw, or gave no text. */
export class InvalidKey extends CeleriacError {
  static readonly errorName: string = 'InvalidKey';
  static override readonly code: string = 'INVALID_KEY';
}
/** The slot that a rate limit gave to a task is later than its message lives in its queue. */
export class RateLimitTooLong extends CeleriacError {
  static readonly errorName: string = 'RateLimitTooLong';
  static override readonly code: string = 'RATE_LIMIT_TOO_LONG';
}
/** The message is larger than SQS takes, or than `largePayloads` stores. */
export class MessageTooLarge extends CeleriacError {
  static readonly errorName: string = 'MessageTooLarge';
  static override readonly code: string = 'MESSAGE_TOO_LARGE';
}
/** A queue that the app does not declare. */
export class QueueNotFound extends CeleriacError {
  static readonly errorName: string = 'QueueNotFound';
  static override readonly code: string = 'QUEUE_NOT_FOUND';
}
/** No task of this name is registered. */
export class NotRegistered extends CeleriacError {
  static readonly errorName: string = 'NotRegistered';
  static override readonly code: string = 'NOT_REGISTERED';
}
/** Two tasks of one name. */
export class AlreadyRegistered extends CeleriacError {
  static readonly errorName: string = 'AlreadyRegistered';
  static override readonly code: string = 'ALREADY_REGISTERED';
}
/** A signature that cannot be applied: a chain of nothing, a chord without a body. */
export class InvalidSignature extends CeleriacError {
  static readonly errorName: string = 'InvalidSignature';
  static override readonly code: string = 'INVALID_SIGNATURE';
}
/** A member of a chord's header failed, so its body is not run. */
export class ChordError extends CeleriacError {
  static readonly errorName: string = 'ChordError';
  static override readonly code: string = 'CHORD_ERROR';
}
/** A schedule that cannot be read, is ambiguous, or never comes due. */
export class InvalidSchedule extends CeleriacError {
  static readonly errorName: string = 'InvalidSchedule';
  static override readonly code: string = 'INVALID_SCHEDULE';
}
/** A schedule entry of this name is not there. */
export class ScheduleNotFound extends CeleriacError {
  static readonly errorName: string = 'ScheduleNotFound';
  static override readonly code: string = 'SCHEDULE_NOT_FOUND';
}
/** Somebody else changed the schedule entry meanwhile: read it again. */
export class ScheduleConflict extends CeleriacError {
  static readonly errorName: string = 'ScheduleConflict';
  static override readonly code: string = 'SCHEDULE_CONFLICT';
}
/** The process has no configuration of queues and tables (an API handler without `grantEnqueue`, say). */
export class MissingEnvironment extends CeleriacError {
  static readonly errorName: string = 'MissingEnvironment';
  static override readonly code: string = 'MISSING_ENVIRONMENT';
}
/** The configuration contradicts itself. */
export class ImproperlyConfigured extends CeleriacError {
  static readonly errorName: string = 'ImproperlyConfigured';
  static override readonly code: string = 'IMPROPERLY_CONFIGURED';
}
/** What became of one item of `enqueueMany`. */
export type EnqueueOutcome =
  | { readonly ok: true; readonly id: string }
  | {
      readonly ok: false;
      readonly id: string;
      readonly code: string;
      readonly message: string;
      /** Whether sending the same again can succeed: the service refused this one for a reason that passes. */
      readonly retryable?: boolean;
    };

/** The broker did not take every message (after retries). `outcomes` tells of each, in order; what is `ok` was sent. */
export class EnqueueFailed extends CeleriacError {
  static readonly errorName: string = 'EnqueueFailed';
  static override readonly code: string = 'ENQUEUE_FAILED';
  /** What became of each item, in the order given. */
  readonly outcomes: readonly EnqueueOutcome[];
  /** Whether any of those that were not sent can be sent later. */
  readonly retryable: boolean;
  /** Made by whatever sends messages. */
  constructor(message: string, outcomes: readonly EnqueueOutcome[], options?: ErrorOptions) {
    super(message, options);
    this.outcomes = outcomes;
    this.retryable = outcomes.some((outcome) => !outcome.ok && outcome.retryable === true);
  }
}
/** Somebody else has the lock. */
export class LockNotAcquired extends CeleriacError {
  static readonly errorName: string = 'LockNotAcquired';
  static override readonly code: string = 'LOCK_NOT_ACQUIRED';
  /** Of the lock; undefined where the error was read from a result. */
  readonly key?: string;
  /** Of who has it: the same as in `list()`. */
  readonly owner?: string;
  /** When it lapses unless its owner renews it. */
  readonly until?: Date;
  /** Made where a lock is asked for. */
  constructor(message: string, held: { readonly key?: string; readonly owner?: string; readonly until?: Date } = {}) {
    super(message);
    Object.assign(this, held);
  }
}
/** A lock lapsed or was freed while its owner still counted on it. */
export class LockLost extends CeleriacError {
  static readonly errorName: string = 'LockLost';
  static override readonly code: string = 'LOCK_LOST';
}
/** A service could not be asked, or refused (Celery's OperationalError). `cause` is the SDK's error. */
export class OperationalError extends CeleriacError {
  static readonly errorName: string = 'OperationalError';
  static override readonly code: string = 'OPERATIONAL_ERROR';
  /** Whether the same call may succeed later with nothing changed: not without credentials, say. */
  readonly retryable: boolean;
  /** No request succeeded for as long as `callTimeout` allows. */
  readonly timedOut: boolean;
  /** `retryable` is true and `timedOut` false where they are left out. */
  constructor(
    message: string,
    options: ErrorOptions & { readonly retryable?: boolean; readonly timedOut?: boolean } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.retryable = options.retryable ?? true;
    this.timedOut = options.timedOut ?? false;
  }
}
/** A result that DynamoDB cannot hold. */
export class ResultTooLarge extends CeleriacError {
  static readonly errorName: string = 'ResultTooLarge';
  static override readonly code: string = 'RESULT_TOO_LARGE';
}
/** A key or an item that DynamoDB does not take, however often it is sent. */
export class StoreRefused extends CeleriacError {
  static readonly errorName: string = 'StoreRefused';
  static override readonly code: string = 'STORE_REFUSED';
}
/** What `largePayloads` stored of a message or a result is not there any more. */
export class PayloadNotFound extends CeleriacError {
  static readonly errorName: string = 'PayloadNotFound';
  static override readonly code: string = 'PAYLOAD_NOT_FOUND';
}
// ----------------------------------------------------------------- results

/** `get()` waited longer than its timeout. */
export class TimeoutError extends CeleriacError {
  static readonly errorName: string = 'TimeoutError';
  static override readonly code: string = 'TIMEOUT';
}
/** `iterdeps()` came to a task that is not finished. */
export class IncompleteStream extends CeleriacError {
  static readonly errorName: string = 'IncompleteStream';
  static override readonly code: string = 'INCOMPLETE_STREAM';
}
/** `get()` inside a task: workers that wait for workers starve each other. */
export class WaitInsideTask extends CeleriacError {
  static readonly errorName: string = 'WaitInsideTask';
  static override readonly code: string = 'WAIT_INSIDE_TASK';
}
/** A result document that cannot be read. */
export class InvalidResult extends CeleriacError {
  static readonly errorName: string = 'InvalidResult';
  static override readonly code: string = 'INVALID_RESULT';
}

/** The exception of a task that failed elsewhere: `name`, `message` and `stack` are the remote ones. */
export class TaskError extends CeleriacError {
  static readonly errorName: string = 'TaskError';
  static override readonly code: string = 'TASK_ERROR';
  /** Celery's `exc_module`, when the task ran in Python. */
  readonly module: string | null;
  /** All remote exception arguments; `message` shows the first. */
  readonly args: readonly unknown[];
  /** Made where a result is read. `name` and `args` are the remote ones. */
  constructor(name: string, args: readonly unknown[], module: string | null) {
    super(args.map(describe).join(', '));
    this.name = name;
    this.args = args;
    this.module = module;
  }
}

// ------------------------------------------ outcomes stored as a task's exception (Celery's names)

/** No retry is left, and `retry()` was given no `exc` to throw instead. */
export class MaxRetriesExceededError extends CeleriacError {
  static readonly errorName: string = 'MaxRetriesExceededError';
  static override readonly code: string = 'MAX_RETRIES_EXCEEDED';
}
/** The worker ended without a word: killed, out of memory, timed out, or its code does not load. */
export class WorkerLostError extends CeleriacError {
  static readonly errorName: string = 'WorkerLostError';
  static override readonly code: string = 'WORKER_LOST';
}
/** The task was revoked, or its `expires` passed. */
export class TaskRevokedError extends CeleriacError {
  static readonly errorName: string = 'TaskRevokedError';
  static override readonly code: string = 'TASK_REVOKED';
}
/** The task was rejected without requeue; its message lies in the dead-letter queue. */
export class TaskRejectedError extends CeleriacError {
  static readonly errorName: string = 'TaskRejectedError';
  static override readonly code: string = 'TASK_REJECTED';
}
/** The hard time limit, or what Lambda leaves of it, is over. */
export class TimeLimitExceeded extends CeleriacError {
  static readonly errorName: string = 'TimeLimitExceeded';
  static override readonly code: string = 'TIME_LIMIT_EXCEEDED';
}
/** The reason of `signal` once the soft time limit is over. */
export class SoftTimeLimitExceeded extends CeleriacError {
  static readonly errorName: string = 'SoftTimeLimitExceeded';
  static override readonly code: string = 'SOFT_TIME_LIMIT_EXCEEDED';
}
/** More messages were sent in reaction to one root than `MAX_HOPS`. */
export class HopLimitExceeded extends CeleriacError {
  static readonly errorName: string = 'HopLimitExceeded';
  static override readonly code: string = 'HOP_LIMIT_EXCEEDED';
}

/** The task has gone on in as many parts as `maxParts` lets it. */
export class TooManyParts extends CeleriacError {
  static readonly errorName: string = 'TooManyParts';
  static override readonly code: string = 'TOO_MANY_PARTS';
}

// ------------------------------------------------- control flow: thrown by tasks to say what to do

/** Thrown by `retry()`: this attempt ends, another follows. */
export class Retry extends CeleriacError {
  static readonly errorName: string = 'Retry';
  static override readonly code: string = 'RETRY';
  /** When the next attempt is due, milliseconds since the epoch. */
  readonly dueMs: number;
  /** Why: stored with state RETRY. */
  readonly exc: unknown;
  /** What the next attempt does otherwise than this one. */
  readonly overrides: RetryOverrides;
  /** Made by `TaskContext.retry`, which tasks call instead. */
  constructor(message: string, dueMs: number, exc: unknown, overrides: RetryOverrides) {
    super(message, { cause: exc });
    this.dueMs = dueMs;
    this.exc = exc;
    this.overrides = overrides;
  }
}

/**
 * Throw it to refuse a message. `requeue: false` (the default) puts it into the dead-letter queue with
 * the reason; `requeue: true` makes it visible again at once, at most `maxDeliveries` times.
 */
export class Reject extends CeleriacError {
  static readonly errorName: string = 'Reject';
  static override readonly code: string = 'REJECT';
  /** Goes to the dead-letter queue with the message. An error's own name and message, cut where they are long. */
  readonly reason: string;
  /** Whether the message becomes visible again instead. Default false. */
  readonly requeue: boolean;
  /** `reason` is text or an error. Default `'rejected'`. */
  constructor(reason: unknown = 'rejected', options: { readonly requeue?: boolean } = {}) {
    super(isError(reason) ? errorLine(reason) : cut(describe(reason), MAX_ERROR_LINE_CHARACTERS), { cause: reason });
    this.reason = this.message;
    this.requeue = options.requeue ?? false;
  }
}

/** Throw it to end a task without a result: nothing is stored for readers, no links run. */
export class Ignore extends CeleriacError {
  static readonly errorName: string = 'Ignore';
  static override readonly code: string = 'IGNORE';
  /** `reason` stands in the error's message. Default `'ignored'`. */
  constructor(reason = 'ignored') {
    super(reason);
  }
}

/** Every class above, for catalogues and for re-creating remote errors by name. */
export const ERROR_CLASSES: readonly (typeof CeleriacError & { readonly errorName?: string })[] = [
  InvalidOption,
  NotSerializable as never,
  InvalidArguments,
  MessageTooLarge,
  QueueNotFound,
  NotRegistered,
  AlreadyRegistered,
  InvalidSignature,
  ChordError,
  InvalidSchedule,
  ScheduleNotFound,
  ScheduleConflict,
  MissingEnvironment,
  ImproperlyConfigured,
  EnqueueFailed as never,
  LockNotAcquired as never,
  LockLost,
  OperationalError as never,
  ResultTooLarge,
  StoreRefused,
  PayloadNotFound,
  InvalidMessage,
  DecryptionFailed,
  TimeoutError,
  IncompleteStream,
  WaitInsideTask,
  InvalidResult,
  TaskError as never,
  HttpTargetRefused,
  HttpRequestFailed,
  MaxRetriesExceededError,
  WorkerLostError,
  TaskRevokedError,
  TaskRejectedError,
  TimeLimitExceeded,
  SoftTimeLimitExceeded,
  HopLimitExceeded,
  TooManyParts,
  InvalidKey,
  RateLimitTooLong,
  Retry as never,
  Reject as never,
  Ignore as never,
];
