/**
 * Celery's rule for error links (celery/backends/base.py, `_call_task_errbacks`): one whose task is known here and
 * takes more than one argument is called in the failing worker, with the request, the error and its stack; it is
 * no task of its own, and has no result. Every other one is sent, with the failed task's id.
 */
import { runWithContext } from '../context.ts';
import { errorLine } from '../error-text.ts';
import { decodeTyped } from '../json-typed.ts';
import type { Message } from '../message.ts';
import type { Ports } from '../ports.ts';
import type { Producer } from '../producer.ts';
import type { TaskDefinition } from '../registry.ts';
import { applyPartial, type Signature, withParts } from '../signature.ts';
import { directContext } from '../task-context.ts';

/** What an inline error link is told of the task that failed. */
export interface FailedRequest {
  readonly id: string;
  readonly task: string;
  readonly args: readonly unknown[];
  readonly kwargs: Readonly<Record<string, unknown>>;
  readonly retries: number;
  readonly rootId: string;
  readonly parentId: string | null;
  readonly groupId: string | null;
}

/** What an inline error link is called with. */
export interface Failed {
  readonly request: FailedRequest;
  readonly error: unknown;
  readonly traceback: string | null;
}

/** The definition of an error link that is called inline; undefined for one that is sent. */
export function inlineErrback(sig: Signature, producer: Producer): TaskDefinition | undefined {
  const definition = sig.subtask_type === null ? producer.registry.find(sig.task) : undefined;
  return definition !== undefined && definition.arity > 1 ? definition : undefined;
}

export function failedRequest({ id, task, args, kwargs, retries, rootId, parentId, groupId }: Message): FailedRequest {
  return { id, task, args, kwargs, retries, rootId, parentId, groupId };
}

/** Called after the commit, and again if the worker dies before its message is acknowledged. Its own error is logged. */
export async function callErrback(
  definition: TaskDefinition,
  sig: Signature,
  failed: Failed,
  message: Message,
  producer: Producer,
  ports: Ports,
): Promise<void> {
  const own = withParts(sig, { args: decodeTyped(sig.args) as readonly unknown[] });
  const args = applyPartial(own, [failed.request, failed.error, failed.traceback]);
  const context = directContext({
    definition,
    message: { ...message, task: sig.task, args, kwargs: sig.kwargs },
    clock: ports.clock,
    logger: ports.logger,
    settings: producer.settings,
  });
  try {
    await runWithContext(context, () => definition.run(context, args));
  } catch (error) {
    ports.logger.log('error', `Error link ${sig.task} of ${message.task}[${message.id}] failed: ${errorLine(error)}`, {
      task: sig.task,
      taskId: message.id,
    });
  }
}
