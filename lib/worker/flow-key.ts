/** The key of a limit: what the task's function makes of the arguments that its run will have. */
import { isPassing } from '../base/passing.ts';
import { keyFor } from '../flow/key.ts';
import { callArguments } from '../producer/arguments.ts';
import type { TaskDefinition } from '../task/registry.ts';
import type { Message } from '../wire/message.ts';
import { gatherResults } from './gather.ts';
import type { Worker } from './worker.ts';

/**
 * Undefined where the task has no arguments that it could run with: its run tells why.
 *
 * @param option what has the key, for errors
 * @throws InvalidKey
 */
export async function flowKey(
  message: Message,
  definition: TaskDefinition,
  key: ((...args: never[]) => string) | undefined,
  option: string,
  { ports }: Pick<Worker, 'ports'>,
): Promise<string | undefined> {
  if (key === undefined) return '';
  const { gather } = message.celeriac;
  let args: readonly unknown[];
  try {
    args = callArguments(message, definition);
    if (gather !== undefined) args = [await gatherResults(gather, ports), ...args];
  } catch (error) {
    if (isPassing(error)) throw error;
    return undefined;
  }
  return keyFor(key, args, `${option} of task '${message.task}'`);
}
