/** Random bytes that lie in front of what is stored and secret. */
import { createHmac, randomBytes } from 'node:crypto';

import { once } from '../base/lazy.ts';

export const SALT_BYTES = 32;

// Never leaves the process: whoever has what is derived of it has read the stored bytes themselves.
const processKey = once(() => randomBytes(SALT_BYTES));

/** The same for the same task in one process, where the same bytes may be written several times: they are one object. */
export function newSalt(task: string): Uint8Array {
  return createHmac('sha256', processKey()).update(task).digest();
}
