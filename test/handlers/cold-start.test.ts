/** What a worker's bundle does before its first message, and for a plain task: counted, since a time says nothing on a shared machine. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { commentEvent, WORKER_ENVIRONMENT } from '../support/comment-event.ts';
import { bundleWorker } from '../support/lambda.ts';

const folder = mkdtempSync(join(tmpdir(), 'celeriac-cold-'));
const bundle = join(folder, 'index.mjs');

// The example has entries with and without time zones, and all kinds of options.
beforeAll(() => bundleWorker('examples/blog/tasks.ts', bundle, 'worker', 'lean'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Start {
  /** Date formats made. */
  readonly formats: number;
  /** Modules of Node. */
  readonly builtins: readonly string[];
  /** Files of the bundle, before the first message. */
  readonly start: readonly string[];
  /** Whether each message was done, and the files that it asked for. */
  readonly asked: readonly { readonly done: boolean; readonly files: readonly string[] }[];
}

const RUN = `
import { createServer } from 'node:http';
import { registerHooks } from 'node:module';
const [, bundle, events] = process.argv;
let files = [];
registerHooks({ load(url, context, next) { if (url.endsWith('.mjs')) files.push(url.slice(url.lastIndexOf('/') + 1)); return next(url, context); } });
const taken = () => { const now = files; files = []; return now; };
const formats = [];
const { DateTimeFormat } = Intl;
Intl.DateTimeFormat = function (...args) { formats.push(args); return new DateTimeFormat(...args); };
const server = createServer((request, response) => request.resume().on('end', () => response.end('{}')));
await new Promise((done) => server.listen(0, '127.0.0.1', done));
process.env.AWS_ENDPOINT_URL = 'http://127.0.0.1:' + server.address().port;
const before = new Set(process.moduleLoadList);
const { handler } = await import(bundle);
const builtins = process.moduleLoadList.filter((name) => !before.has(name));
const made = formats.length;
const start = taken();
const asked = [];
for (const event of JSON.parse(events)) {
  const { batchItemFailures } = await handler(event, { awsRequestId: 'r', getRemainingTimeInMillis: () => 60_000 });
  asked.push({ done: batchItemFailures.length === 0, files: taken() });
}
console.log(JSON.stringify({ formats: made, builtins, start, asked }));
process.exit(0);`;

function startWith(events: readonly object[], file = bundle): Start {
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', RUN, file, JSON.stringify(events)], {
    encoding: 'utf8',
    stdio: 'pipe',
    env: {
      ...process.env,
      ...WORKER_ENVIRONMENT,
    },
  });
  // Log lines of the worker come before.
  return JSON.parse(output.trim().split('\n').at(-1) ?? '') as Start;
}

// What npm run bench prints, and a little more: what lets it grow says why.
const MOST_START_BYTES = 190 * 1024;
const MOST_START_FILES = 8;
const MOST_HISTORY_BYTES = 8 * 1024;
const MOST_ADDRESS_BYTES = 16 * 1024;

describe('a worker', () => {
  it('makes no date format, and leaves out the modules of Node that few invocations need', () => {
    const { formats, builtins } = startWith([]);
    expect(formats).toBe(0);
    expect(builtins.length).toBeGreaterThan(0);
    expect(builtins.filter((name) => /^NativeModule (?:zlib|util|fs\/promises)$/.test(name))).toEqual([]);
  });

  it('reads at its start what a plain task needs, and no more until something follows', () => {
    const link = { task: 'comments.notify', args: [], kwargs: {}, options: {}, subtask_type: null, immutable: false };
    const { start, asked } = startWith([commentEvent(), commentEvent(), commentEvent({ callbacks: [link] })]);
    expect(start.length).toBeLessThanOrEqual(MOST_START_FILES);
    expect(start.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0)).toBeLessThan(MOST_START_BYTES);
    const [first, second, linked] = asked;
    // What writes the history, when the first task has ended.
    expect(first).toEqual({ done: true, files: [expect.stringMatching(/^history-/)] });
    expect(statSync(join(folder, first?.files[0] ?? '')).size).toBeLessThan(MOST_HISTORY_BYTES);
    expect(second).toEqual({ done: true, files: [] });
    const later = linked?.files.length ?? 0;
    expect(later).toBeGreaterThan(0);
    // Schedules are in none of these.
    expect(readdirSync(folder).length).toBeGreaterThan(start.length + later);
  });

  it('has in no file what puts schedules into words, unless a task asks for it', () => {
    // A word of the library's that no bundler shortens.
    const has = (name: string): boolean => readFileSync(join(folder, name), 'utf8').includes('logicalAndDayFields');
    expect(readdirSync(folder).filter((name) => name.endsWith('.mjs') && has(name))).toEqual([]);
  });

  it('calls handlers of signals, from its second chunk', () => {
    const own = join(folder, 'signals', 'index.mjs');
    bundleWorker('test/support/signal-tasks.ts', own, 'worker', 'lean');
    const { start, asked } = startWith([commentEvent(), commentEvent()], own);
    expect(start.length).toBeLessThanOrEqual(MOST_START_FILES);
    expect(asked.map(({ done }) => done)).toEqual([true, true]);
    expect(asked[0]?.files.length).toBeGreaterThan(1);
    expect(asked[1]?.files).toEqual([]);
  });

  it('reads what HTTP tasks need when the first of them runs', () => {
    const own = join(folder, 'http', 'index.mjs');
    bundleWorker('test/support/http-worker-tasks.ts', own, 'worker', 'lean');
    const { start, asked } = startWith([commentEvent(), commentEvent()], own);
    const bytes = start.reduce((sum, name) => sum + statSync(join(folder, 'http', name)).size, 0);
    expect(bytes).toBeLessThan(MOST_START_BYTES);
    expect(start.length).toBeLessThanOrEqual(MOST_START_FILES);
    expect(asked.map(({ done }) => done)).toEqual([true, true]);
    const libraries = asked.map(({ files }) => files.filter((name) => name.startsWith('ipaddr')));
    expect(libraries).toEqual([[expect.any(String)], []]);
    expect(statSync(join(folder, 'http', libraries[0]?.[0] ?? '')).size).toBeLessThan(MOST_ADDRESS_BYTES);
  });
});
