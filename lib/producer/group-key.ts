/** The message group of a call that names none: what its task says. */
import { errorMessage } from '../base/error-text.ts';
import { InvalidOption } from '../base/errors.ts';
import { keyFor } from '../flow/key.ts';
import type { TaskDefinition } from '../task/registry.ts';
import type { CeleriacHeader, Message } from '../wire/message.ts';
import { callArguments } from './arguments.ts';

/** @throws InvalidKey for a function that throws or gives no text, InvalidOption for keyword arguments that do not fit. */
export function groupOf(
  message: Pick<Message, 'task' | 'args' | 'kwargs'> & { readonly celeriac?: CeleriacHeader },
  definition: TaskDefinition | undefined,
): string | undefined {
  const groupKey = definition?.options.groupKey;
  if (definition === undefined || typeof groupKey !== 'function') return groupKey as string | undefined;
  // Of many calls in one message none is the call.
  if (definition.name !== message.task) return undefined;
  // What a header came to is read where its body runs.
  const results = message.celeriac?.gather === undefined ? [] : [undefined];
  return keyFor(groupKey, [...results, ...argumentsOf(message, definition)], `groupKey of task '${definition.name}'`);
}

function argumentsOf(
  message: Pick<Message, 'task' | 'args' | 'kwargs'>,
  definition: TaskDefinition,
): readonly unknown[] {
  try {
    return callArguments(message, definition);
  } catch (error) {
    throw new InvalidOption(`groupKey of task '${definition.name}': ${errorMessage(error)}`, { cause: error });
  }
}
