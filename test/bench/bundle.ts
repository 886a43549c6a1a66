/** The bundles in bytes, part by part, and how long they take to start, beside a handler that only has the SDK's two clients. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';

import { build, type Metafile } from 'esbuild';

import { commentEvent, WORKER_ENVIRONMENT } from '../support/comment-event.ts';
import { bundleWorker } from '../support/lambda.ts';

type Row = [string, string];
type Sdk = 'lean' | 'full';

// What a worker's first task does: a claim and a commit.
const BARE = `import { SQSClient } from '@aws-sdk/client-sqs';
import { DynamoDBClient, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
export const handler = async ({ Records }) => {
  const [, dynamodb] = [new SQSClient({}), new DynamoDBClient({})];
  for (const _ of Records.flatMap(() => ['claim', 'commit']))
    await dynamodb.send(new UpdateItemCommand({ TableName: 'results', Key: { id: { S: 'a' } } }));
};
`;

export interface Bundle {
  /** What a start reads. */
  readonly start: Size;
  /** All files. */
  readonly all: Size;
}

export interface Size {
  readonly files: number;
  readonly bytes: number;
  readonly gzip: number;
  /** Bytes by the source that they come from. */
  readonly inputs: ReadonlyMap<string, number>;
}

type Outputs = Metafile['outputs'];

function bundleIn({ outputs }: Metafile, entry: string): Bundle {
  const atStart = new Set<string>();
  const visit = (path: string): void => {
    if (atStart.has(path)) return;
    atStart.add(path);
    for (const next of outputs[path]?.imports ?? [])
      if (next.kind === 'import-statement' && next.external !== true) visit(next.path);
  };
  visit(Object.keys(outputs).find((path) => basename(path) === entry) ?? '');
  return { start: sizeOf(outputs, [...atStart]), all: sizeOf(outputs, Object.keys(outputs)) };
}

function sizeOf(outputs: Outputs, paths: readonly string[]): Size {
  const inputs = new Map<string, number>();
  const add = (path: string, bytes: number): void => void inputs.set(path, (inputs.get(path) ?? 0) + bytes);
  for (const path of paths) {
    const { bytes = 0, inputs: sources = {} } = outputs[path] ?? {};
    for (const [source, { bytesInOutput }] of Object.entries(sources)) add(source, bytesInOutput);
    add('(between)', bytes - Object.values(sources).reduce((sum, { bytesInOutput }) => sum + bytesInOutput, 0));
  }
  const texts = paths.map((path) => readFileSync(path));
  return {
    files: paths.length,
    bytes: texts.reduce((sum, text) => sum + text.length, 0),
    gzip: texts.reduce((sum, text) => sum + gzipSync(text).length, 0),
    inputs,
  };
}

/** As infra does. */
export function handler(
  name: 'worker' | 'sweeper',
  sdk: Sdk,
  folder: string,
  entry = 'examples/blog/tasks.ts',
): Bundle {
  const metafile = join(folder, 'metafile.json');
  bundleWorker(entry, join(folder, 'index.mjs'), name, sdk, [`--metafile=${metafile}`]);
  return bundleIn(JSON.parse(readFileSync(metafile, 'utf8')) as Metafile, 'index.mjs');
}

/** As CDK's NodejsFunction does by default. */
async function bareHandler(folder: string): Promise<Bundle> {
  mkdirSync(folder);
  writeFileSync(join(folder, 'bare.ts'), BARE);
  const { metafile } = await build({
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    logLevel: 'error',
    banner: { js: "import{createRequire}from'node:module';const require=createRequire(import.meta.url);" },
    entryPoints: [join(folder, 'bare.ts')],
    outfile: join(folder, 'index.mjs'),
    legalComments: 'none',
    metafile: true,
    nodePaths: [resolve('node_modules')],
  });
  return bundleIn(metafile, 'index.mjs');
}

export async function bundle(rounds: number): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'celeriac-bench-'));
  try {
    const [bareFolder, leanFolder, fullFolder] = ['bare', 'lean', 'full'].map((name) => join(folder, name)) as [
      string,
      string,
      string,
    ];
    const bare = await bareHandler(bareFolder);
    const lean = handler('worker', 'lean', leanFolder);
    const full = handler('worker', 'full', fullFolder);
    const sweeper = handler('sweeper', 'lean', join(folder, 'sweeper'));
    const fullSweeper = handler('sweeper', 'full', join(folder, 'full-sweeper'));
    const files = [bareFolder, leanFolder, fullFolder].map((each) => join(each, 'index.mjs'));
    return [
      ['worker, at its start', sizes(lean.start)],
      ['  own code, without the client', kilobytes(ownBytes(lean.start))],
      ...partsOf(lean.start),
      ['worker, all files', sizes(lean.all)],
      ['  own code, without the client', kilobytes(ownBytes(lean.all))],
      ['sweeper, at its start', sizes(sweeper.start)],
      ["worker, bundling: { sdk: 'full' }, at its start", sizes(full.start)],
      ["sweeper, bundling: { sdk: 'full' }, at its start", sizes(fullSweeper.start)],
      ["a handler with the SDK's two clients, bundled by default", sizes(bare.start)],
      ...(await startsOf(files, rounds)),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export function kilobytes(bytes: number): string {
  return `${(bytes / 1024).toFixed(1)} KB`;
}

function sizes({ files, bytes, gzip }: Size): string {
  return `${kilobytes(bytes)}, ${kilobytes(gzip)} gzip${files === 1 ? '' : `, ${files} files`}`;
}

const CLIENT = 'the lean client, its signer included';

function partOf(path: string): string {
  if (path.startsWith('lib/aws/lean/') || /node_modules\/@smithy\//.test(path)) return CLIENT;
  const [, name] = /node_modules\/([^/]+)/.exec(path) ?? [];
  if (name !== undefined) return name;
  if (path === '(between)') return 'what esbuild adds';
  const [, room] = /^(lib\/[^/]+)\//.exec(path) ?? [];
  return room ?? (path.startsWith('handlers/') ? 'handlers' : 'the tasks');
}

function partsIn({ inputs }: Size): Map<string, number> {
  const parts = new Map<string, number>();
  for (const [path, bytes] of inputs) parts.set(partOf(path), (parts.get(partOf(path)) ?? 0) + bytes);
  return parts;
}

function ownBytes(size: Size): number {
  return [...partsIn(size)].reduce((sum, [name, bytes]) => sum + (name === CLIENT ? 0 : bytes), 0);
}

function partsOf(size: Size): Row[] {
  const sorted = [...partsIn(size)].filter(([, bytes]) => bytes > 0).toSorted(([, left], [, right]) => right - left);
  return sorted.map(([name, bytes]) => [`  of that ${name}`, kilobytes(bytes)]);
}

// A first task is claimed and committed, over loopback.
const STAGES = ['module load', 'load and connect', 'load and first task'] as const;

/** Fresh processes, the files in turn, so that a busy machine slows all. Milliseconds, in the order of the files. */
export async function medianStarts(
  files: readonly string[],
  stage: (typeof STAGES)[number],
  rounds: number,
): Promise<number[]> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.end('{}'));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    const times = files.map((): number[] => []);
    for (let round = 0; round < rounds; round += 1)
      for (const [index, file] of files.entries())
        times[index]?.push(await startMs(file, STAGES.indexOf(stage), endpoint));
    return times.map(median);
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

async function startsOf(files: readonly string[], rounds: number): Promise<Row[]> {
  const rows: Row[] = [];
  for (const stage of STAGES) {
    const [bare = Number.NaN, lean = Number.NaN, full = Number.NaN] = await medianStarts(files, stage, rounds);
    const ratio = (ms: number): string =>
      `${(ms / bare).toFixed(2)} (${ms.toFixed(0)} ms / ${bare.toFixed(0)} ms, median of ${rounds})`;
    rows.push([`${stage}, worker / bare handler`, ratio(lean)]);
    rows.push([`${stage}, worker with the SDK / bare handler`, ratio(full)]);
  }
  return rows;
}

const EVENTS = [undefined, { Records: [] }, commentEvent()] as const;

const CODE = `const [, file, event] = process.argv;
const startNs = process.hrtime.bigint();
const { handler } = await import(file);
const answer = event && (await handler(JSON.parse(event), { awsRequestId: 'r', getRemainingTimeInMillis: () => 60_000 }));
const ms = Number(process.hrtime.bigint() - startNs) / 1e6;
if (answer?.batchItemFailures?.length > 0) throw new Error('the task was not done');
console.log(ms);
process.exit(0);`;

async function startMs(file: string, stage: number, endpoint: string): Promise<number> {
  const event = EVENTS[stage];
  const args = ['--input-type=module', '-e', CODE, file, ...(event === undefined ? [] : [JSON.stringify(event)])];
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    env: {
      ...process.env,
      ...WORKER_ENVIRONMENT,
      AWS_ENDPOINT_URL: endpoint,
    },
  });
  // Log lines of the worker come before.
  return Number(stdout.trim().split('\n').at(-1));
}

function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? Number.NaN;
}
