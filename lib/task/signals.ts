/** Celery's signals: what handlers are told of, under which names. */
import type { TaskRequest } from './context.ts';

/** A message that is about to be sent, or was. */
export interface PublishSignal {
  /** Name of the task. */
  readonly task: string;
  /** Task id. */
  readonly id: string;
  /** Celery's name of the queue. */
  readonly queue: string;
  /** Arguments, as the message has them. */
  readonly args: readonly unknown[];
  /** Keyword arguments. */
  readonly kwargs: Readonly<Record<string, unknown>>;
  /** 0 for a call; a retry's number for the message of a retry. */
  readonly retries: number;
  /** When it may run; null: at once. */
  readonly eta: Date | null;
  /** Custom headers of the message. */
  readonly headers: Readonly<Record<string, unknown>>;
}

/** A task that runs, or ran. */
export interface RunSignal {
  /** Name of the task. */
  readonly task: string;
  /** Task id; the same for every attempt. */
  readonly id: string;
  /** Its arguments, checked by the task's `schema` where it has one. */
  readonly args: readonly unknown[];
  /** Keyword arguments, as the message has them. */
  readonly kwargs: Readonly<Record<string, unknown>>;
  /** Celery's `self.request` of the run. */
  readonly request: TaskRequest;
}

/** A task that has ended, or whose message has: where it ran, with its run. */
export interface EndSignal {
  /** Name of the task. */
  readonly task: string;
  /** Task id. */
  readonly id: string;
  /** Celery's name of the queue it came from. */
  readonly queue: string;
  /** 0 for the first attempt. */
  readonly retries: number;
  /** Its arguments, as far as they are known. */
  readonly args: readonly unknown[];
  /** Keyword arguments, as the message has them. */
  readonly kwargs: Readonly<Record<string, unknown>>;
  /** Celery's `self.request`; undefined where it did not run. */
  readonly request?: TaskRequest | undefined;
}

/** A message that was put aside. */
export interface RejectSignal {
  /** Name of the task, where it can be read. */
  readonly task?: string | undefined;
  /** Task id, where it can be read. */
  readonly id?: string | undefined;
  /** Celery's name of the queue it came from. */
  readonly queue: string;
  /** That of the dead letter: `invalid message`, or what `Reject` says. */
  readonly reason: string;
  /** What was wrong with it, or the `Reject`. */
  readonly error: unknown;
}

/** What each signal's handlers are given. */
export interface TaskSignals {
  /** Before a call, a canvas member, a follower or a retry is sent. Celery: `before_task_publish`. */
  readonly beforeTaskPublish: PublishSignal;
  /** After it was sent, or stored to be sent later. Not where sending failed. Celery: `after_task_publish`. */
  readonly afterTaskPublish: PublishSignal;
  /** Before each run, in front of `beforeStart`. Celery: `task_prerun`. */
  readonly taskPrerun: RunSignal;
  /**
   * After each run that had a `taskPrerun`, last of all. `state` is SUCCESS, FAILURE, RETRY, REVOKED, or Celery's internal
   * REJECTED and IGNORED. Celery: `task_postrun`.
   */
  readonly taskPostrun: RunSignal & { readonly state: string; readonly result?: unknown; readonly error?: unknown };
  /** After SUCCESS was stored. Celery: `task_success`. */
  readonly taskSuccess: EndSignal & { readonly result: unknown };
  /** After FAILURE was stored, also of tasks that were not run: lost ones, unknown ones. Celery: `task_failure`. */
  readonly taskFailure: EndSignal & { readonly error: unknown };
  /** After RETRY was stored; `eta` is when it runs next. Celery: `task_retry`. */
  readonly taskRetry: EndSignal & { readonly error: unknown; readonly eta: Date };
  /**
   * After REVOKED was stored: `terminated` while it ran, else `expired` or revoked before it ran. Celery: `task_revoked`.
   */
  readonly taskRevoked: EndSignal & {
    readonly terminated: boolean;
    readonly expired: boolean;
    readonly error: unknown;
  };
  /**
   * A message was put aside: it cannot be read (then it has no `task` where that cannot be read either), or its
   * task threw `Reject`. Celery: `task_rejected`, for the first.
   */
  readonly taskRejected: RejectSignal;
}

/** Names of the signals. */
export type SignalName = keyof TaskSignals;

/** What is called with a signal. It may be async; what it throws is logged, and changes nothing. */
export type SignalHandler<N extends SignalName> = (signal: TaskSignals[N]) => unknown;

/** Handlers by the name of their signal, in the order in which they came. */
export type SignalHandlers = Map<SignalName, Set<SignalHandler<never>>>;

/** Names of all signals. */
export const SIGNAL_NAMES: readonly SignalName[] = [
  'beforeTaskPublish',
  'afterTaskPublish',
  'taskPrerun',
  'taskPostrun',
  'taskSuccess',
  'taskFailure',
  'taskRetry',
  'taskRevoked',
  'taskRejected',
];

/** Takes a handler as it is, and gives what takes it away again. */
export function keepHandler<N extends SignalName>(
  handlers: SignalHandlers,
  name: N,
  handler: SignalHandler<N>,
): () => void {
  const set = handlers.get(name) ?? new Set();
  handlers.set(name, set.add(handler));
  return () => void set.delete(handler);
}
