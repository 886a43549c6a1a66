/** The bundles in bytes, part by part, and how long they take to start, beside a handler that only has the SDK's two clients. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';

import { build, type BuildOptions } from 'esbuild';

import { handlerOptions, LAMBDA_BUNDLE } from '../support/lambda.ts';

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

interface Bundle {
  readonly bytes: number;
  readonly gzip: number;
  /** Bytes by the file that they come from. */
  readonly inputs: readonly (readonly [string, number])[];
}

async function bundleOf(entry: string, outfile: string, change: BuildOptions): Promise<Bundle> {
  const { metafile } = await build({
    ...LAMBDA_BUNDLE,
    entryPoints: [entry],
    outfile,
    metafile: true,
    legalComments: 'none',
    ...change,
  });
  const file = readFileSync(outfile);
  const inputs = Object.values(metafile?.outputs ?? {}).flatMap((output) => Object.entries(output.inputs));
  return {
    bytes: file.length,
    gzip: gzipSync(file).length,
    inputs: inputs.map(([path, { bytesInOutput }]) => [path, bytesInOutput]),
  };
}

/** As infra does. */
function handler(name: 'worker' | 'sweeper', sdk: Sdk, outfile: string): Promise<Bundle> {
  return bundleOf(`handlers/${name}.ts`, outfile, {
    ...handlerOptions('examples/blog/tasks.ts', sdk),
    external: sdk === 'full' && name === 'worker' ? ['@aws-sdk/client-eventbridge'] : [],
  });
}

export async function bundle(rounds: number): Promise<Row[]> {
  const folder = mkdtempSync(join(tmpdir(), 'celeriac-bench-'));
  try {
    const file = (name: string): string => join(folder, `${name}.mjs`);
    writeFileSync(join(folder, 'bare.ts'), BARE);
    // What CDK's NodejsFunction makes of a handler by default.
    const bare = await bundleOf(join(folder, 'bare.ts'), file('bare'), { nodePaths: [resolve('node_modules')] });
    const lean = await handler('worker', 'lean', file('lean'));
    const full = await handler('worker', 'full', file('full'));
    const sweeper = await handler('sweeper', 'lean', file('sweeper'));
    const fullSweeper = await handler('sweeper', 'full', file('full-sweeper'));
    return [
      ['worker', sizes(lean)],
      ...partsOf(lean),
      ['sweeper', sizes(sweeper)],
      ["worker, bundling: { sdk: 'full' }", sizes(full)],
      ["sweeper, bundling: { sdk: 'full' }", sizes(fullSweeper)],
      ["a handler with the SDK's two clients, bundled by default", sizes(bare)],
      ...(await startsOf([file('bare'), file('lean'), file('full')], rounds)),
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function kilobytes(bytes: number): string {
  return `${(bytes / 1024).toFixed(1)} KB`;
}

function sizes({ bytes, gzip }: Bundle): string {
  return `${kilobytes(bytes)}, ${kilobytes(gzip)} gzip`;
}

function partOf(path: string): string {
  if (path.startsWith('lib/aws/lean/') || /node_modules\/@smithy\//.test(path))
    return 'the lean client, its signer included';
  const [, name] = /node_modules\/([^/]+)/.exec(path) ?? [];
  if (name !== undefined) return name;
  const [, room] = /^(lib\/[^/]+)\//.exec(path) ?? [];
  return room ?? (path.startsWith('handlers/') ? 'handlers' : 'the tasks');
}

function partsOf({ inputs }: Bundle): Row[] {
  const parts = new Map<string, number>();
  for (const [path, bytes] of inputs) parts.set(partOf(path), (parts.get(partOf(path)) ?? 0) + bytes);
  const sorted = [...parts].toSorted(([, left], [, right]) => right - left);
  return sorted.map(([name, bytes]) => [`  of that ${name}`, kilobytes(bytes)]);
}

const STAGES = ['module load', 'load and connect', 'load and first task (claim and commit, loopback)'] as const;

/** Fresh processes, the files in turn, so that a busy machine slows all. */
async function startsOf(files: readonly string[], rounds: number): Promise<Row[]> {
  const server = createServer((request, response) => {
    request.resume().on('end', () => response.end('{}'));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  try {
    const times = STAGES.map(() => files.map((): number[] => []));
    for (let round = 0; round < rounds; round += 1)
      for (const [stage, ofStage] of times.entries())
        for (const [index, file] of files.entries()) ofStage[index]?.push(await startMs(file, stage, endpoint));
    return STAGES.flatMap((name, stage) => {
      const [bare = Number.NaN, lean = Number.NaN, full = Number.NaN] = (times[stage] ?? []).map(median);
      const ratio = (ms: number): string =>
        `${(ms / bare).toFixed(2)} (${ms.toFixed(0)} ms / ${bare.toFixed(0)} ms, median of ${rounds})`;
      return [
        [`${name}, worker / bare handler`, ratio(lean)],
        [`${name}, worker with the SDK / bare handler`, ratio(full)],
      ] satisfies Row[];
    });
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const EVENTS = [undefined, { Records: [] }, { Records: [record()] }] as const;

function record(): object {
  const headers = {
    lang: 'js',
    task: 'comments.check',
    id: 'a',
    root_id: 'a',
    parent_id: null,
    group: null,
    retries: 0,
  };
  const comment = { id: 'c', author: 'ada', text: 'hello' };
  return {
    messageId: 'm',
    receiptHandle: 'r',
    body: JSON.stringify({
      body: Buffer.from(JSON.stringify([[comment], {}, {}])).toString('base64'),
      'content-encoding': 'utf-8',
      'content-type': 'application/json',
      headers,
      properties: {
        correlation_id: 'a',
        body_encoding: 'base64',
        delivery_info: { exchange: '', routing_key: 'default' },
      },
    }),
    attributes: { ApproximateReceiveCount: '1' },
    messageAttributes: {},
    eventSource: 'aws:sqs',
    eventSourceARN: 'arn:aws:sqs:us-east-1:1:blog-default',
    awsRegion: 'us-east-1',
  };
}

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
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: 'x',
      AWS_SECRET_ACCESS_KEY: 'x',
      AWS_ENDPOINT_URL: endpoint,
      CELERIAC_APP: 'blog',
      CELERIAC_QUEUES: '{"default":"https://sqs.us-east-1.amazonaws.com/1/blog-default"}',
      CELERIAC_RESULTS_TABLE: 'results',
      CELERIAC_STATE_TABLE: 'state',
    },
  });
  // Log lines of the worker come before.
  return Number(stdout.trim().split('\n').at(-1));
}

function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)] ?? Number.NaN;
}
