/** Celery's task states (celery/states.py), with REJECTED made a stored state of its own. */
export const PENDING = 'PENDING';
export const RECEIVED = 'RECEIVED';
export const STARTED = 'STARTED';
export const RETRY = 'RETRY';
export const SUCCESS = 'SUCCESS';
export const FAILURE = 'FAILURE';
export const REVOKED = 'REVOKED';
export const REJECTED = 'REJECTED';
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
