/** For processes that begin from these sources: what Node has compiled of them is half of what they take to begin. */
import { resolve } from 'node:path';

export const COMPILE_CACHE: Readonly<Record<string, string>> = {
  NODE_COMPILE_CACHE: resolve('node_modules/.cache/compile'),
};
