/**
 * What spans are called and say: OpenTelemetry's conventions for messaging, which are not stable yet, so that their names stand
 * here and come from no package; and beside them what Celery's own instrumentation writes, under its names.
 */
import type { Attributes } from '@opentelemetry/api';
import type { TracedMessage } from '../ports/telemetry.ts';

/** `messaging`: `send mail`. `celery`: `apply_async/mail.send`, as `opentelemetry-instrumentation-celery` has it. */
export type SpanNames = 'messaging' | 'celery';

export type Operation = 'create' | 'send' | 'receive' | 'process';

// Names of Celery's instrumentation: what makes a message, and what runs it.
const CELERY_NAMES: Readonly<Record<Operation, string>> = {
  create: 'apply_async',
  send: 'apply_async',
  receive: 'receive',
  process: 'run',
};

export function spanName(operation: Operation, queue: string | undefined, task: string, names: SpanNames): string {
  if (names === 'celery') return `${CELERY_NAMES[operation]}/${task}`;
  return batchName(operation, queue);
}

/** Of a span that stands for several messages: no task's name fits it. */
export function batchName(operation: Operation, queue: string | undefined): string {
  return queue === undefined ? operation : `${operation} ${queue}`;
}

/** @param queue undefined for several */
export function operationOf(operation: Operation, queue: string | undefined): Attributes {
  return {
    'messaging.system': 'aws_sqs',
    'messaging.operation.name': operation,
    'messaging.operation.type': operation,
    ...(queue === undefined ? {} : { 'messaging.destination.name': queue }),
  };
}

export function factsOf(operation: Operation, { id, task, queue, retries, rootId }: TracedMessage): Attributes {
  return {
    ...operationOf(operation, queue),
    // The task's, as Celery's instrumentation has it: SQS's own is known to its receiver alone, and is a new one for each retry.
    'messaging.message.id': id,
    'messaging.message.conversation_id': rootId,
    'celery.action': CELERY_NAMES[operation],
    'celery.task_name': task,
    'celery.retries': retries,
  };
}

/** The queue of all of them; undefined for several. */
export function onlyQueue(queues: readonly string[]): string | undefined {
  return new Set(queues).size === 1 ? queues[0] : undefined;
}
