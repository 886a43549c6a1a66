/** What a worker's log says of an attempt: Celery's lines with names, ids and errors; never arguments or results. */
import { errorLine, errorStack, shownText } from '../base/error-text.ts';
import type { Attempt } from './attempt.ts';
import type { EndDecision } from './decide.ts';

export function fieldsOf(attempt: Attempt): Record<string, unknown> {
  const { message } = attempt;
  return { task: message.task, taskId: message.id, queue: message.queue, attempt: message.retries };
}

/** @param metrics fields by which the line is a metric too */
export function logEnd(
  attempt: Attempt,
  decision: EndDecision,
  startMs: number,
  metrics: Readonly<Record<string, unknown>> = {},
): void {
  const { message, worker } = attempt;
  const { logger, clock } = worker.ports;
  const subject = `Task ${message.task}[${message.id}]`;
  const fields = { ...fieldsOf(attempt), state: decision.kind, ...metrics };
  const runtime = `${((clock.nowMs() - startMs) / 1000).toFixed(3)}s`;
  for (const error of ('broken' in decision ? decision.broken : undefined) ?? [])
    logger.log('error', `${subject}: a predicate of its options threw ${errorLine(error)}`, fieldsOf(attempt));
  switch (decision.kind) {
    case 'success':
      return logger.log('info', `${subject} succeeded in ${runtime}`, fields);
    case 'retry':
      return logger.log(
        'info',
        `${subject} retry: Retry in ${Math.max(0, Math.round((decision.dueMs - clock.nowMs()) / 1000))}s: ${errorLine(decision.error)}`,
        fields,
      );
    case 'reject':
      return logger.log('warn', `${subject} reject requeue=False: ${shownText(decision.reason)}`, fields);
    case 'ignore':
      return logger.log('info', `${subject} ignored`, fields);
    case 'revoke':
      return logger.log('info', `${subject} terminated after ${runtime}`, fields);
    case 'fail':
      if (decision.expected)
        return logger.log('info', `${subject} raised expected: ${errorLine(decision.error)}`, fields);
      return logger.log('error', `${subject} raised unexpected: ${errorLine(decision.error)}`, {
        ...fields,
        stack: errorStack(decision.error),
      });
    case 'requeue':
      return;
    default:
      return decision satisfies never;
  }
}
