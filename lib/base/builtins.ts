/**
 * Modules of Node that few invocations need, loaded by the first that does. An `import` would load them on every cold start,
 * from a bundle's own lazy parts too: together they take a fifth of a worker's (`npm run bench`).
 */
import type * as Util from 'node:util';
import type * as Zlib from 'node:zlib';

export function zlib(): typeof Zlib {
  return process.getBuiltinModule('node:zlib');
}

export function util(): typeof Util {
  return process.getBuiltinModule('node:util');
}
