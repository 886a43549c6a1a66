/**
 * Frees the key of a unique task: when its run begins, or when it has ended. Only its own: a mark says who stands, and a
 * worker refuses nobody because of one, since a redelivery could not tell whether another has come in its place.
 */
import { errorLine } from '../base/error-text.ts';
import { DYNAMODB_MAX_PARTITION_KEY_BYTES } from '../base/limits.ts';
import { isPassing } from '../base/passing.ts';
import type { OwnMark } from '../ports/marks.ts';
import type { Ports } from '../ports/ports.ts';
import type { Message } from '../wire/message.ts';
import { uniquePartition } from '../ports/marks.ts';

// Cleared by this delivery when its run began: its end need not do it again.
const CLEARED = new WeakSet<Message>();

/** Its claim is won. Never throws: the end of the task clears it too. */
export async function unmarkStarted(message: Message, ports: Ports): Promise<void> {
  const { unique } = message.celeriac;
  if (unique?.[1] !== 'started') return;
  try {
    await unmark(message, ports);
    CLEARED.add(message);
  } catch (error) {
    ports.logger.log('warn', `The key of task ${message.task}[${message.id}] is not free yet: ${errorLine(error)}`, {
      task: message.task,
      taskId: message.id,
    });
  }
}

/** It has ended. What is refused for good frees itself: whoever finds the mark sees that its task has ended. @throws what passes */
export async function unmarkEnded(message: Message, ports: Ports): Promise<void> {
  if (CLEARED.has(message)) return;
  try {
    await unmark(message, ports);
  } catch (error) {
    if (isPassing(error)) throw error;
  }
}

async function unmark(message: Message, ports: Ports): Promise<void> {
  const mark = markIn(message);
  if (mark !== undefined) await ports.marks?.clear([mark]);
}

/** Untrusted. */
function markIn({ id, celeriac: { unique } }: Message): OwnMark | undefined {
  const key: unknown = Array.isArray(unique) ? unique[0] : undefined;
  if (typeof key !== 'string' || !key.isWellFormed()) return undefined;
  return Buffer.byteLength(uniquePartition(key)) <= DYNAMODB_MAX_PARTITION_KEY_BYTES ? { key, id } : undefined;
}
