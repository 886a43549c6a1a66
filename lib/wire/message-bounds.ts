/**
 * Bounds of what a message names. Each of these becomes a part of a key, a document, a log line or an error text, and is
 * checked on the way in and on the way out alike: nothing is sent that its receiver would refuse.
 */
import { InvalidOption } from '../base/errors.ts';
import {
  LATEST_DUE_MS,
  MAX_QUEUE_NAME_CHARACTERS,
  MAX_RETRIES,
  MAX_TASK_ID_CHARACTERS,
  MAX_TASK_NAME_CHARACTERS,
} from '../base/limits.ts';
import type { Message } from './message.ts';
import { quoted } from '../base/quote.ts';
import { shapeOf } from '../base/shape.ts';
import { type Signature, signaturesIn } from './signature.ts';

/** What may be a part of a key. Halves of surrogate pairs all become the same character there: two names would be one. */
export function isName(value: unknown, longest: number): value is string {
  return typeof value === 'string' && value !== '' && value.length <= longest && value.isWellFormed();
}

const ID_OPTIONS = ['task_id', 'root_id', 'parent_id', 'group_id'] as const;
/** What is out of bounds in a signature's tree, its links included; undefined where nothing is. */
export function wrongInSignature(sig: Signature, field: string): string | undefined {
  for (const part of signaturesIn(sig)) {
    const wrong = wrongInPart(part, field);
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

export function wrongInPart({ task, options }: Signature, field: string): string | undefined {
  // A name that no task has fails when it is the step's turn.
  if (task !== '' && !isName(task, MAX_TASK_NAME_CHARACTERS))
    return `${field}.task is ${shapeOf(task)}; text of up to ${MAX_TASK_NAME_CHARACTERS} characters is allowed.`;
  for (const name of ID_OPTIONS) {
    const id = options[name];
    if (typeof id === 'string' && !isName(id, MAX_TASK_ID_CHARACTERS))
      return `${field}.options.${name} is ${shapeOf(id)}; text of 1 to ${MAX_TASK_ID_CHARACTERS} characters is allowed.`;
  }
  const { queue } = options;
  if (typeof queue === 'string' && !isName(queue, MAX_QUEUE_NAME_CHARACTERS))
    return `${field}.options.queue is ${shapeOf(queue)}; text of 1 to ${MAX_QUEUE_NAME_CHARACTERS} characters is allowed.`;
  return undefined;
}

/** @throws InvalidOption for a message that its receiver would refuse. */
export function checkBounds(message: Message): void {
  const { id, rootId, parentId, groupId, task, retries, etaMs } = message;
  for (const [field, value] of Object.entries({ id, rootId, parentId, groupId }))
    if (value !== null && !isName(value, MAX_TASK_ID_CHARACTERS))
      throw refused(field, quoted(value), `text of 1 to ${MAX_TASK_ID_CHARACTERS} characters`);
  if (!isName(task, MAX_TASK_NAME_CHARACTERS))
    throw refused('task', quoted(task), `text of 1 to ${MAX_TASK_NAME_CHARACTERS} characters`);
  if (retries > MAX_RETRIES) throw refused('retries', String(retries), `up to ${MAX_RETRIES}`);
  if (etaMs !== null && !(etaMs <= LATEST_DUE_MS))
    throw refused('eta', `${etaMs} ms since the epoch`, `up to ${new Date(LATEST_DUE_MS).toISOString()}`);
}

function refused(field: string, given: string, allowed: string): InvalidOption {
  return new InvalidOption(`${field}: ${given} given; ${allowed} is allowed.`);
}
