/** Which code runs: a deployment of other code has another version, whoever made it and however. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { MAX_VERSION_CHARACTERS } from '../lib/base/limits.ts';

/** @param url of the function's own bundle: other chunks have names by their content, so that it changes with them */
export function codeVersion(url: string): string {
  const hash = createHash('sha256')
    .update(readFileSync(fileURLToPath(url)))
    .digest('hex');
  return hash.slice(0, MAX_VERSION_CHARACTERS);
}
