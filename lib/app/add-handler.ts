/** Handlers of signals and of tasks, checked. In deployed functions its twin takes them as they are: the same was checked at synth. */
import { shown } from '../base/checks.ts';
import { InvalidOption } from '../base/errors.ts';
import { didYouMean } from '../base/nearest.ts';
import type { TaskHooks } from '../task/registry.ts';
import { HOOKS } from '../task/task-hooks.ts';
import {
  keepHandler,
  SIGNAL_NAMES,
  type SignalHandler,
  type SignalHandlers,
  type SignalName,
} from '../task/signals.ts';

/** Gives what takes it away again. @throws InvalidOption */
export function addHandler<N extends SignalName>(
  handlers: SignalHandlers,
  name: N,
  handler: SignalHandler<N>,
): () => void {
  if (!SIGNAL_NAMES.includes(name))
    throw new InvalidOption(
      `on(): there is no signal ${shown(name)}.${didYouMean(name, SIGNAL_NAMES)} There are ${SIGNAL_NAMES.join(', ')}.`,
    );
  if (typeof handler !== 'function')
    throw new InvalidOption(
      `on('${name}'): the handler is ${shown(handler)}. Give a function, as in app.on('${name}', (signal) => { ... }).`,
    );
  return keepHandler(handlers, name, handler);
}

/** @throws InvalidOption for a handler of a task that is no function */
export function checkHooks(task: string, given: TaskHooks): void {
  for (const name of HOOKS) {
    const hook: unknown = given[name];
    if (hook !== undefined && typeof hook !== 'function')
      throw new InvalidOption(`${name} of task '${task}' is ${shown(hook)}. Give a function, or leave it out.`);
  }
}
