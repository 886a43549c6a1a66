/** Celery's task states (celery/states.py), with REJECTED made a stored state of its own. */

/** Nothing is known of it: not started, expired, an unknown id, or an outcome that readers may not see. */
export const PENDING = 'PENDING';
/** Celery's state of a message that a worker has received. Never stored from here. */
export const RECEIVED = 'RECEIVED';
/** It runs. Shown only with `trackStarted`; without it readers see PENDING meanwhile, or RETRY from before. */
export const STARTED = 'STARTED';
/** An attempt failed, and another one follows. The error can be read by `info()`. */
export const RETRY = 'RETRY';
/** It has ended with a result. */
export const SUCCESS = 'SUCCESS';
/** It has ended with an exception. */
export const FAILURE = 'FAILURE';
/** It was revoked before it started, or its `expires` passed. */
export const REVOKED = 'REVOKED';
/** It threw `Reject`, and its message lies in the dead-letter queue. Celery stores no such state. */
export const REJECTED = 'REJECTED';
/** It threw `Ignore`. The record holds it; readers see the state before, unless it ran in the caller. */
export const IGNORED = 'IGNORED';

export type BuiltinState =
  | typeof PENDING
  | typeof RECEIVED
  | typeof STARTED
  | typeof RETRY
  | typeof SUCCESS
  | typeof FAILURE
  | typeof REVOKED
  | typeof REJECTED
  | typeof IGNORED;

/** A built-in state or a custom one such as `'PROGRESS'`. */
export type TaskState = BuiltinState | (string & {});

/** States nothing follows. A task ends in exactly one of them. */
export type FinalState = typeof SUCCESS | typeof FAILURE | typeof REVOKED | typeof REJECTED | typeof IGNORED;

const FINAL: ReadonlySet<string> = new Set<FinalState>([SUCCESS, FAILURE, REVOKED, REJECTED, IGNORED]);
const BUILTIN: ReadonlySet<string> = new Set<BuiltinState>([
  PENDING,
  RECEIVED,
  STARTED,
  RETRY,
  SUCCESS,
  FAILURE,
  REVOKED,
  REJECTED,
  IGNORED,
]);
const EXCEPTION: ReadonlySet<string> = new Set([RETRY, FAILURE, REVOKED, REJECTED]);
const PROPAGATE: ReadonlySet<string> = new Set([FAILURE, REVOKED, REJECTED]);

/** Whether a task in this state has ended, so that its state changes no more. */
export function isFinal(state: string): state is FinalState {
  return FINAL.has(state);
}

export function isBuiltin(state: string): state is BuiltinState {
  return BUILTIN.has(state);
}

/** States whose stored result is an exception. */
export function isException(state: string): boolean {
  return EXCEPTION.has(state);
}

/** States whose exception `get()` throws. */
export function isPropagated(state: string): boolean {
  return PROPAGATE.has(state);
}
