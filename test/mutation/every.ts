/**
 * `npm run mutate:every -- lib/worker/slot-desk --tests test/worker/slot-desk.test.ts,test/flow`: all mutants of the files that begin
 * so, against these tests. Many at once: each test is repeated with one mutant after another in the same process (every-runner.ts),
 * which takes milliseconds where `npm run mutate` takes seconds. Good for finding what a file's tests lack; what counts is `npm run
 * mutate`, since here a test of which the module's own constants are changed sees nothing, and neither does another process.
 *
 * `--longest` and `--most` bound a test and all tests of one file for one mutant, in milliseconds. What was found is kept in
 * .mutation/every.json, and killed mutants are not tried again.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

import type { EveryState } from './every-state.ts';
import { describeMutant, instrument } from './mutants.ts';
import { readReviewed } from './reviewed.ts';
import { Sandbox } from './sandbox.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    tests: { type: 'string', default: 'test/worker' },
    longest: { type: 'string', default: '150' },
    most: { type: 'string', default: '1000' },
    minutes: { type: 'string', default: '4' },
  },
});

interface Found {
  /** By the mutant's key: the test. */
  readonly killed: Record<string, string>;
  /** Keys of those that a test came to. */
  readonly reached: Record<string, true>;
}

const folder = '.mutation/every';
const kept = '.mutation/every.json';
mkdirSync(folder, { recursive: true });
const { mutants, texts } = await instrument();
new Sandbox(folder, texts).stop();
const reviewed = readReviewed(readFileSync('test/mutation/survivors.md', 'utf8'));
const equivalent = new Set(reviewed.filter((each) => each.equivalent).map(({ key }) => key));
const these = mutants.filter(
  ({ file, key }) => positionals.some((start) => file.startsWith(start)) && !equivalent.has(key),
);
const keys = new Map(these.map(({ id, key }) => [id, key]));
const found: Found = existsSync(kept) ? (JSON.parse(readFileSync(kept, 'utf8')) as Found) : { killed: {}, reached: {} };
const statePath = resolve(folder, 'state.json');

for (const test of testFiles()) runTests(test);
for (const mutant of these.filter(({ key }) => found.killed[key] === undefined))
  console.log(
    `${found.reached[mutant.key] === true ? 'lives' : 'not reached'}: ${mutant.key} ${describeMutant(mutant)}`,
  );

function testFiles(): string[] {
  return values.tests
    .split(',')
    .flatMap((each) => (each.endsWith('.ts') ? [each] : globSync(`${each}/**/*.test.ts`).toSorted()))
    .filter((each) => !each.endsWith('.long.test.ts'));
}

/** Again where a mutant has ended the process: it is killed, and the others are still to come. */
function runTests(test: string): void {
  for (let left: string | undefined = 'one more'; left !== undefined;) {
    const begunMs = performance.now();
    const before = count();
    const { stdout, stderr, status } = runOnce(test);
    const died = status !== 0 && /Worker exited unexpectedly/.test(stdout + stderr);
    left = died && existsSync(`${statePath}.current`) ? readFileSync(`${statePath}.current`, 'utf8') : undefined;
    if (left !== undefined) found.killed[keys.get(left) as string] = `${test}: the process ended`;
    writeFileSync(kept, JSON.stringify(found));
    const seconds = ((performance.now() - begunMs) / 1000).toFixed(0);
    console.log(`${test}: ${count() - before} killed in ${seconds} s, ${count()} of ${these.length} in all`);
    if (status !== 0 && !died) console.log(stdout.slice(-1000), stderr.slice(-1000));
  }
}

function count(): number {
  return these.filter(({ key }) => found.killed[key] !== undefined).length;
}

function runOnce(test: string): { readonly stdout: string; readonly stderr: string; readonly status: number | null } {
  const asked: EveryState = {
    longestMs: Number(values.longest),
    mostMs: Number(values.most),
    wanted: these.filter(({ key }) => found.killed[key] === undefined).map(({ id }) => id),
    killed: {},
    reached: [],
    failing: [],
  };
  writeFileSync(statePath, JSON.stringify(asked));
  rmSync(`${statePath}.current`, { force: true });
  const result = spawnSync(
    process.execPath,
    [join('node_modules', 'vitest', 'vitest.mjs'), 'run', '--config', 'test/mutation/every.config.ts', test],
    {
      cwd: resolve(folder, 'sandbox'),
      env: { ...process.env, MUTATION_EVERY: statePath },
      encoding: 'utf8',
      maxBuffer: 1e9,
      timeout: Number(values.minutes) * 60_000,
    },
  );
  const answer = JSON.parse(readFileSync(statePath, 'utf8')) as EveryState;
  for (const [id, by] of Object.entries(answer.killed)) found.killed[keys.get(id) as string] = by;
  for (const id of answer.reached) found.reached[keys.get(id) as string] = true;
  for (const name of answer.failing) console.log(`Left out, it fails when it is repeated without any mutant: ${name}`);
  return result;
}
