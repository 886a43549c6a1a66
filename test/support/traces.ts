/** For files that share a process: whoever leaves a variable or a changed global fails, and not whoever comes next. */
import { afterAll, expect } from 'vitest';

const WATCHED: readonly (readonly [name: string, of: object, keys: readonly string[]])[] = [
  [
    'globalThis',
    globalThis,
    ['Date', 'setTimeout', 'setInterval', 'queueMicrotask', 'fetch', 'console', 'performance'],
  ],
  ['Date', Date, ['now']],
  ['Math', Math, ['random']],
  ['process', process, ['exit', 'emitWarning']],
];

const before = { environment: { ...process.env }, globals: globals() };

function globals(): Map<string, unknown> {
  const folder: [string, unknown] = ['the folder', process.cwd()];
  const values = WATCHED.flatMap(([name, of, keys]) =>
    keys.map((key): [string, unknown] => [`${name}.${key}`, Reflect.get(of, key)]),
  );
  return new Map([folder, ...values]);
}

afterAll(() => {
  expect({ ...process.env }, 'this file leaves other variables').toEqual(before.environment);
  const now = globals();
  const changed = [...before.globals].filter(([name, value]) => now.get(name) !== value).map(([name]) => name);
  expect(changed, 'this file leaves them changed').toEqual([]);
});
