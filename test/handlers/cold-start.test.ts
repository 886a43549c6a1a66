/** What a worker's bundle does before its first message: counted, since a time says nothing on a shared machine. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, expect, it } from 'vitest';

import { bundleWorker } from '../support/lambda.ts';

const folder = mkdtempSync(join(tmpdir(), 'celeriac-cold-'));
const bundle = join(folder, 'worker.mjs');

// The example has entries with and without time zones, and all kinds of options.
beforeAll(() => bundleWorker('examples/blog/tasks.ts', bundle, 'worker', 'lean'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const LOAD = `
const made = [];
const { DateTimeFormat } = Intl;
Intl.DateTimeFormat = function (...args) { made.push(args); return new DateTimeFormat(...args); };
const before = new Set(process.moduleLoadList);
await import(process.argv[1]);
const loaded = process.moduleLoadList.filter((name) => !before.has(name));
console.log(JSON.stringify({ formats: made.length, loaded }));
process.exit(0);`;

it('makes no date format, and leaves out the modules of Node that few invocations need', () => {
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', LOAD, bundle], { encoding: 'utf8' });
  const { formats, loaded } = JSON.parse(output) as { readonly formats: number; readonly loaded: readonly string[] };
  expect(formats).toBe(0);
  expect(loaded.length).toBeGreaterThan(0);
  expect(loaded.filter((name) => /^NativeModule (?:zlib|util|fs\/promises)$/.test(name))).toEqual([]);
});
