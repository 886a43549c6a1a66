/** Calls error links in the failing worker: by those that settle, which few invocations are. */
import { errorLine, isOf } from '../base/error-text.ts';
import { TimeLimitExceeded } from '../base/errors.ts';
import { decodeTyped } from '../wire/json-typed.ts';
import type { Message } from '../wire/message.ts';
import type { App } from '../producer/app.ts';
import { applyPartial, type Signature, withParts } from '../wire/signature.ts';
import { directContext } from '../task/task-context.ts';
import type { Ports } from '../ports/ports.ts';
import { limitsOf, OutOfTime, timeLeftMs } from './deadline.ts';
import type { InlineErrback } from './inline-links.ts';
import { runTask } from './run-task.ts';

/** What a settling lends to the error links that are called in it. */
interface ErrbackCaller {
  readonly parent: Message;
  readonly app: App;
  readonly ports: Ports;
  /** When the invocation ends, milliseconds since the epoch. */
  readonly deadlineMs: number;
  /** A later delivery settles it. */
  readonly again: boolean;
}

/**
 * Called after the commit, and again if the worker dies before its message is acknowledged. Its own error is logged, as
 * is that its time is over: the link's own limit, and never longer than the invocation has. Where that is what cuts it
 * short, another invocation calls it once more.
 *
 * @throws OutOfTime
 */
export async function callErrback(
  { definition, signature: sig, failed }: InlineErrback,
  settling: ErrbackCaller,
): Promise<void> {
  const { parent: message, app, ports, deadlineMs, again } = settling;
  const { clock, logger } = ports;
  const limits = limitsOf({ timeLimit: limitsIn(sig) }, definition.options, clock.nowMs(), deadlineMs);
  // It would be cut short at once.
  if (limits.hardMs === 0 && !again) throw new OutOfTime();
  try {
    const own = withParts(sig, { args: decodeTyped(sig.args) as readonly unknown[] });
    const args = applyPartial(own, [failed.request, failed.error, failed.traceback]);
    const abort = new AbortController();
    const context = directContext({
      definition,
      message: { ...message, task: sig.task, args, kwargs: sig.kwargs },
      clock,
      logger,
      settings: app.settings,
      signal: abort.signal,
      stopMs: limits.hardMs === null ? null : clock.nowMs() + limits.hardMs,
    });
    const ending = await runTask({ ...definition, hooks: {} }, context, args, { abort, limits }, clock);
    if (ending.ok) return;
    const cutShort = limits.byDeadline && TimeLimitExceeded.is(ending.error) && timeLeftMs(clock, deadlineMs) === 0;
    if (cutShort && !again) throw new OutOfTime();
    throw ending.error;
  } catch (error) {
    if (isOf(error, OutOfTime)) throw error;
    logger.log('error', `Error link ${sig.task} of ${message.task}[${message.id}] failed: ${errorLine(error)}`, {
      task: sig.task,
      taskId: message.id,
    });
  }
}

/** Limits that its signature was given, in seconds: hard, soft. What is no number is none. */
function limitsIn({ options }: Signature): Message['timeLimit'] {
  const seconds = (value: unknown): number | null => (typeof value === 'number' && value > 0 ? value : null);
  return [seconds(options['time_limit']), seconds(options['soft_time_limit'])];
}
