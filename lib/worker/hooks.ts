/**
 * Celery's task handlers and signals of a run. Their errors are logged; they never change the outcome. In deployed functions
 * it is loaded where a task or the app has any.
 */
import { errorLine, errorMessage } from '../base/error-text.ts';
import { FAILURE, RETRY, REVOKED, STARTED, SUCCESS } from '../base/states.ts';
import { STATE_OF_END } from '../ports/run-ends.ts';
import { emitSignal } from '../producer/emit-signal.ts';
import { runWithContext, type TaskContext } from '../task/context.ts';
import type { TaskHooks } from '../task/registry.ts';
import type { EndSignal, SignalName, TaskSignals } from '../task/signals.ts';
import type { Message } from '../wire/message.ts';
import type { Announced } from './announced.ts';
import type { Attempt } from './attempt.ts';
import { timeLeftMs, within } from './deadline.ts';
import type { EndDecision } from './decide.ts';
import type { Worker } from './worker.ts';

type Teller = {
  readonly app: Pick<Worker['app'], 'signals' | 'logger'>;
  readonly ports: Pick<Worker['ports'], 'logger' | 'clock'>;
  readonly invocation: Pick<Worker['invocation'], 'deadlineMs'>;
};
type Told = Pick<Attempt, 'message' | 'definition' | 'context'> & { readonly worker: Teller };

/** Tells `taskPrerun`, in front of `beforeStart`. */
export async function announceRun(attempt: Told, args: readonly unknown[]): Promise<Announced | undefined> {
  const { message, context } = attempt;
  if (context === undefined) return undefined;
  const { request } = context;
  const run = { task: message.task, id: message.id, args, kwargs: message.kwargs, request };
  await emit(attempt, 'taskPrerun', run);
  // What is stopped by an error of ours has not ended: it comes again.
  let ended: Pick<TaskSignals['taskPostrun'], 'state' | 'result' | 'error'> = { state: RETRY };
  return {
    decided: (decision) => (ended = endedAs(decision)),
    end: () => emit(attempt, 'taskPostrun', { ...run, ...ended }),
  };
}

function endedAs(decision: EndDecision): Pick<TaskSignals['taskPostrun'], 'state' | 'result' | 'error'> {
  const goesOn = decision.kind === 'retry' && decision.overrides.part !== undefined;
  if (goesOn) return { state: STARTED };
  const state = STATE_OF_END[decision.kind];
  if (decision.kind === 'success') return { state, result: decision.value };
  return 'error' in decision ? { state, error: decision.error } : { state };
}

/** The outcome stands: the task's own handlers and the app's, in Celery's order. */
export async function runHooks(attempt: Told, decision: EndDecision, args: readonly unknown[]): Promise<void> {
  const { hooks } = attempt.definition;
  const { id } = attempt.message;
  const call = (name: keyof TaskHooks, run: () => unknown): Promise<void> => callHook(attempt, name, run);
  const end = { ...endSignal(attempt.message), args, request: attempt.context?.request };
  switch (decision.kind) {
    case 'success': {
      await call('onSuccess', () => hooks.onSuccess?.(decision.value, id, args));
      await emit(attempt, 'taskSuccess', { ...end, result: decision.value });
      return call('afterReturn', () => hooks.afterReturn?.(SUCCESS, decision.value, id, args));
    }
    case 'fail': {
      await call('onFailure', () => hooks.onFailure?.(decision.error, id, args));
      await emit(attempt, 'taskFailure', { ...end, error: decision.error });
      return call('afterReturn', () => hooks.afterReturn?.(FAILURE, decision.error, id, args));
    }
    case 'retry': {
      // Nothing has ended.
      if (decision.overrides.part !== undefined) return;
      await call('onRetry', () => hooks.onRetry?.(decision.error, id, args));
      return emit(attempt, 'taskRetry', { ...end, error: decision.error, eta: new Date(decision.dueMs) });
    }
    case 'revoke':
      return emit(attempt, 'taskRevoked', { ...end, error: decision.error, terminated: true, expired: false });
    case 'reject': {
      const { task, queue } = attempt.message;
      return emit(attempt, 'taskRejected', { task, id, queue, reason: decision.reason, error: decision.error });
    }
    case 'ignore':
    case 'requeue':
      return;
    default:
      return decision satisfies never;
  }
}

/** The end of a task that was not run stands. @param status FAILURE or REVOKED; others are told to nobody */
export async function announceEnd(message: Message, status: string, error: unknown, worker: Teller): Promise<void> {
  const told = { message, worker };
  if (status === FAILURE) await emit(told, 'taskFailure', { ...endSignal(message), error });
  if (status !== REVOKED) return;
  // Celery's word in its TaskRevokedError.
  const expired = errorMessage(error) === 'expired';
  await emit(told, 'taskRevoked', { ...endSignal(message), error, terminated: false, expired });
}

/** A message was put aside that no task was asked about. */
export function announceRejected(signal: TaskSignals['taskRejected'], worker: Teller): Promise<void> {
  return emit({ worker }, 'taskRejected', signal);
}

function endSignal({ task, id, queue, retries, args, kwargs }: Message): EndSignal {
  return { task, id, queue, retries, args, kwargs };
}

async function callHook(attempt: Told, name: keyof TaskHooks, run: () => unknown): Promise<void> {
  if (attempt.definition.hooks[name] === undefined) return;
  const { task, id } = attempt.message;
  try {
    await inTime(attempt, run);
  } catch (error) {
    attempt.worker.ports.logger.log('error', `${name} of ${task}[${id}] failed: ${errorLine(error)}`, {
      task,
      taskId: id,
    });
  }
}

function emit<N extends SignalName>(
  told: { readonly worker: Teller; readonly context?: TaskContext | undefined },
  name: N,
  signal: TaskSignals[N],
): Promise<void> {
  const { app, ports } = told.worker;
  return emitSignal({ signals: app.signals, logger: ports.logger }, name, signal, (call) => inTime(told, call));
}

/** What comes after them must not wait for ever. */
function inTime(
  { worker: { ports, invocation }, context }: { readonly worker: Teller; readonly context?: TaskContext | undefined },
  run: () => unknown,
): Promise<unknown> {
  return within(ports.clock, timeLeftMs(ports.clock, invocation.deadlineMs), 'for it', () =>
    // `this.request` and `currentTask()` are those of the run, as in Celery.
    context === undefined ? run() : runWithContext(context, run),
  );
}
