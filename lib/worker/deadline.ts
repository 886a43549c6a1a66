/** How long a run may take: the message's limits before the task's, and never beyond the invocation. */
import { DEADLINE_MARGIN_SECONDS } from '../limits.ts';
import type { Message } from '../message.ts';
import { limitsInForce, type ResolvedTaskOptions } from '../task-options.ts';
import type { Limits } from './run-task.ts';

export function limitsOf(
  message: Pick<Message, 'timeLimit'>,
  options: Pick<ResolvedTaskOptions, 'softTimeLimitSeconds' | 'timeLimitSeconds'>,
  startMs: number,
  deadlineMs: number,
): Limits {
  const [hardSeconds, softSeconds] = limitsInForce(message.timeLimit, options);
  // Before Lambda's own timeout, which would take the whole batch and its answer along.
  const usableMs = Math.max(0, deadlineMs - startMs - DEADLINE_MARGIN_SECONDS * 1000);
  const byDeadline = hardSeconds === null || hardSeconds * 1000 > usableMs;
  const hardMs = byDeadline ? usableMs : hardSeconds * 1000;
  const finite = Number.isFinite(hardMs) ? hardMs : null;
  return {
    softMs: softSeconds === null ? null : Math.min(softSeconds * 1000, hardMs),
    hardMs: finite,
    byDeadline,
  };
}
