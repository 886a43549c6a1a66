/** What the compiler says of a step that does not fit: where, what is given, what is wanted. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';

import { describe, expect, it } from 'vitest';

const SNIPPET = `
import { Celeriac, chain, chord, group } from 'celeriac';
const app = new Celeriac('messages');
const add = app.task('add', (x: number, y: number) => x + y);
const greet = app.task('greet', (name: string) => name);
const sum = app.task('sum', (values: number[]) => values.length);
app.task('map',
  (value: Map<string, number>) => value.size); // arguments
app.task('set', { maxRetries: 1 },
  async () => new Set([1])); // a result
export const wrong = [
  chain(add.s(1, 2),
    greet.s()), // another type
  chain(add.s(1, 2), add.s(3),
    add.s(4, 5)), // complete
  chain(add.s(1, 2),
    add.s()), // two are open
  chain(add.s(1, 2),
    group(add.s(1), greet.s())), // a member
  chord([greet.s('x')],
    sum.s()), // a body
  add.s(1, 2).pipe(
    greet.s()), // a pipe
];
`;

/** The first line of each complaint, by the comment of the line where it stands. */
function complaints(): Map<string, string> {
  mkdirSync('.vitest', { recursive: true });
  // Within the package, since the snippet imports it by its name.
  const folder = mkdtempSync(resolve('.vitest/messages-'));
  try {
    writeFileSync(join(folder, 'snippet.ts'), SNIPPET);
    writeFileSync(
      join(folder, 'tsconfig.json'),
      JSON.stringify({ extends: relative(folder, resolve('tsconfig.base.json')), include: ['snippet.ts'] }),
    );
    const { stdout } = spawnSync(
      process.execPath,
      [resolve('node_modules/typescript/bin/tsc'), '--noEmit', '--pretty', 'false', '-p', folder],
      { encoding: 'utf8' },
    );
    const lines = SNIPPET.split('\n');
    return new Map(
      [...stdout.matchAll(/snippet\.ts\((\d+),(\d+)\): (.*)/g)].map(([, line, , message]) => [
        /\/\/ (.*)/.exec(lines[Number(line) - 1] ?? '')?.[1] ?? `line ${line}`,
        message ?? '',
      ]),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe('a step that does not fit', () => {
  it('is told at the step, with what it is given and what it wants', () => {
    const found = complaints();
    expect(found.get('arguments')).toBeDefined();
    expect(found.get('a result')).toContain("'the result is not plain data': Set<number>");
    for (const ofTasks of ['arguments', 'a result']) found.delete(ofTasks);
    expect([...found.keys()]).toEqual(['another type', 'complete', 'two are open', 'a member', 'a body', 'a pipe']);
    const says = (given: string, wanted: string): unknown =>
      expect.stringContaining(`'the step before gives': ${given}; readonly 'this step takes': ${wanted}; }`);
    expect(Object.fromEntries(found)).toEqual({
      'another type': says('number', 'string'),
      complete: says('number', '"nothing: all its arguments are given (use si() to leave the result out)"'),
      'two are open': says('number', "{ readonly 'more than one argument': [number, number]; }"),
      // The compiler's own order.
      'a member': expect.stringMatching(
        /gives': number; .*takes': (?:\[number\] & \[string\]|\[string\] & \[number\]); /,
      ),
      'a body': says('[string]', 'number[]'),
      'a pipe': says('number', 'string'),
    });
  });
});
