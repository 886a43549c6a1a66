/** Calls the handlers of a signal. */
import { errorLine } from '../base/error-text.ts';
import type { SignalName, TaskSignals } from '../task/signals.ts';
import type { App } from './app.ts';

/**
 * One after another, in the order in which they came, each awaited. What one throws is logged and changes nothing.
 *
 * @param run calls one of them: within its time, with the run's context
 */
export async function emitSignal<N extends SignalName>(
  { signals, logger }: Pick<App, 'signals' | 'logger'>,
  name: N,
  signal: TaskSignals[N],
  run: (call: () => unknown) => unknown = (call) => call(),
): Promise<void> {
  for (const handler of signals?.get(name) ?? []) {
    try {
      await run(() => (handler as (signal: TaskSignals[N]) => unknown)(signal));
    } catch (error) {
      const { task, id } = signal;
      logger.log('error', `A handler of ${name} failed for ${task}[${id}]: ${errorLine(error)}`, { task, taskId: id });
    }
  }
}
