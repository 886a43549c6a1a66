/** Runs one task function under its limits and gives its ending. */
import { runWithContext, type TaskContext } from '../task/context.ts';
import { SoftTimeLimitExceeded, TimeLimitExceeded } from '../base/errors.ts';
import type { Clock } from '../base/time.ts';
import type { TaskDefinition } from '../task/registry.ts';
import type { Ending } from './decide.ts';

export interface Limits {
  /** Milliseconds from the start; null for none. */
  readonly softMs: number | null;
  readonly hardMs: number | null;
  /** Whether `hardMs` is what Lambda leaves, not the task's own limit. */
  readonly byDeadline: boolean;
}

export interface RunControl {
  /** What `TaskContext.signal` shows. */
  readonly abort: AbortController;
  readonly limits: Limits;
  /** Begins to look whether the task is revoked: it may stop the run. Gives what ends that. */
  readonly watch?: (stop: (ending: Ending) => void) => () => void;
}

export async function runTask(
  definition: TaskDefinition,
  context: TaskContext,
  args: readonly unknown[],
  control: RunControl,
  clock: Clock,
): Promise<Ending> {
  const { softMs, hardMs } = control.limits;
  const cancels: (() => void)[] = [];
  if (softMs !== null) {
    cancels.push(
      clock.schedule(softMs, () =>
        control.abort.abort(new SoftTimeLimitExceeded(`The soft time limit of ${softMs / 1000} s is over.`)),
      ),
    );
  }
  const stopped = new Promise<Ending>((resolve) => {
    if (hardMs !== null)
      cancels.push(
        clock.schedule(hardMs, () => {
          const error = new TimeLimitExceeded(hardLimitMessage(control.limits));
          // The function cannot be stopped from outside; a task that watches `signal` stops itself.
          control.abort.abort(error);
          resolve({ ok: false, error });
        }),
      );
    if (control.watch) cancels.push(control.watch(resolve));
  });
  const running = runWithContext(context, () => invoke(definition, context, args));
  try {
    return await Promise.race([running, stopped]);
  } finally {
    for (const cancel of cancels) cancel();
  }
}

function hardLimitMessage(limits: Limits): string {
  const seconds = (limits.hardMs ?? 0) / 1000;
  return limits.byDeadline
    ? `The task was still running after ${seconds} s, when the worker had to answer before Lambda's timeout. Raise the time limit of the task or split its work.`
    : `The time limit of ${seconds} s is over.`;
}

async function invoke(definition: TaskDefinition, context: TaskContext, args: readonly unknown[]): Promise<Ending> {
  try {
    await definition.hooks.beforeStart?.(context.request.id, args);
    return { ok: true, value: await definition.run(context, args) };
  } catch (error) {
    return { ok: false, error };
  }
}
