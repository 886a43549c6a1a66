/** Celery's task handlers. Their errors are logged; they never change the outcome. */
import { runWithContext } from '../task/context.ts';
import { errorLine } from '../base/error-text.ts';
import type { TaskHooks } from '../task/registry.ts';
import { FAILURE, SUCCESS } from '../base/states.ts';
import type { Attempt } from './attempt.ts';
import { timeLeftMs, within } from './deadline.ts';
import type { EndDecision } from './decide.ts';

export async function runHooks(
  attempt: Pick<Attempt, 'message' | 'definition' | 'context'> & {
    readonly worker: {
      readonly ports: Pick<Attempt['worker']['ports'], 'logger' | 'clock'>;
      readonly invocation: Pick<Attempt['worker']['invocation'], 'deadlineMs'>;
    };
  },
  decision: EndDecision,
  args: readonly unknown[],
): Promise<void> {
  const { hooks } = attempt.definition;
  const { context } = attempt;
  const { id } = attempt.message;
  const call = async (name: keyof TaskHooks, run: () => unknown): Promise<void> => {
    if (hooks[name] === undefined) return;
    try {
      const { ports, invocation } = attempt.worker;
      // What comes after them must not wait for ever.
      await within(ports.clock, timeLeftMs(ports.clock, invocation.deadlineMs), 'for it', () =>
        // `this.request` and `currentTask()` are those of the run, as in Celery.
        context === undefined ? run() : runWithContext(context, run),
      );
    } catch (error) {
      attempt.worker.ports.logger.log(
        'error',
        `${name} of ${attempt.message.task}[${id}] failed: ${errorLine(error)}`,
        {
          task: attempt.message.task,
          taskId: id,
        },
      );
    }
  };
  if (decision.kind === 'success') {
    await call('onSuccess', () => hooks.onSuccess?.(decision.value, id, args));
    await call('afterReturn', () => hooks.afterReturn?.(SUCCESS, decision.value, id, args));
  } else if (decision.kind === 'fail') {
    await call('onFailure', () => hooks.onFailure?.(decision.error, id, args));
    await call('afterReturn', () => hooks.afterReturn?.(FAILURE, decision.error, id, args));
  } else if (decision.kind === 'retry') {
    await call('onRetry', () => hooks.onRetry?.(decision.error, id, args));
  }
}
