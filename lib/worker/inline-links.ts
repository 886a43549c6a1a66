/**
 * Celery's rule for error links (celery/backends/base.py, `_call_task_errbacks`): one whose task is known here and
 * takes more than one argument is called in the failing worker, with the request, the error and its stack; it is
 * no task of its own, and has no result. Every other one is sent, with the failed task's id.
 */
import type { App } from '../producer/app.ts';
import type { TaskDefinition } from '../task/registry.ts';
import type { Message } from '../wire/message.ts';
import type { Signature } from '../wire/signature.ts';

/** What an inline error link is told of the task that failed. */
export type FailedRequest = Pick<
  Message,
  'id' | 'task' | 'args' | 'kwargs' | 'retries' | 'rootId' | 'parentId' | 'groupId'
>;

/** What an inline error link is called with. */
export interface Failed {
  readonly request: FailedRequest;
  readonly error: unknown;
  readonly traceback: string | null;
}

/** The tasks that are known here, and in eager mode what they threw. */
export type Tasks = Pick<App, 'registry' | 'eager'>;

/** The definition of an error link that is called inline; undefined for one that is sent. */
export function inlineErrback(sig: Signature, { registry }: Tasks): TaskDefinition | undefined {
  const definition = sig.subtask_type === null ? registry.find(sig.task) : undefined;
  return definition !== undefined && definition.arity > 1 ? definition : undefined;
}

export function failedRequest({ id, task, args, kwargs, retries, rootId, parentId, groupId }: Message): FailedRequest {
  return { id, task, args, kwargs, retries, rootId, parentId, groupId };
}

/** An error link that is called here. */
export interface InlineErrback {
  readonly definition: TaskDefinition;
  readonly signature: Signature;
  readonly failed: Failed;
}
