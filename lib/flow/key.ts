/** Keys of limits: text that users' functions make of the arguments. */
import { createHash } from 'node:crypto';

import { shown } from '../base/checks.ts';
import { InvalidKey } from '../base/errors.ts';
import { errorLine } from '../base/error-text.ts';
import { MAX_FLOW_KEY_CHARACTERS, MAX_PLAIN_FLOW_KEY_CHARACTERS } from '../base/limits.ts';

const HASHED = '~';

/** @throws InvalidKey for a function that throws, or gives what is no key. */
export function keyFor(
  key: ((...args: never[]) => string) | undefined,
  args: readonly unknown[],
  option: string,
): string {
  if (key === undefined) return '';
  let text: unknown;
  try {
    text = (key as (...args: readonly unknown[]) => unknown)(...args);
  } catch (error) {
    throw new InvalidKey(`key of ${option} threw ${errorLine(error)}`, { cause: error });
  }
  if (typeof text === 'string' && text !== '' && text.length <= MAX_FLOW_KEY_CHARACTERS && text.isWellFormed())
    return text;
  throw new InvalidKey(
    `key of ${option} gave ${shown(text)}; text of 1 to ${MAX_FLOW_KEY_CHARACTERS} characters is allowed, without waiting for anything.`,
  );
}

/** The item of one task's limit and key. A task's name has no `#`. */
export function itemKey(task: string, key: string): string {
  const plain = key.length <= MAX_PLAIN_FLOW_KEY_CHARACTERS && !key.startsWith(HASHED);
  return `${task}#${plain ? key : `${HASHED}${createHash('sha256').update(key).digest('hex')}`}`;
}
