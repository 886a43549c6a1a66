/** The worker's bundle in bytes, and how long it takes to load beside a handler that only imports the two SDK clients. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { build, type BuildOptions } from 'esbuild';

const BANNER = "import{createRequire}from'node:module';const require=createRequire(import.meta.url);";

function options(entry: string, outfile: string, change: BuildOptions): BuildOptions {
  return {
    entryPoints: [entry],
    outfile,
    bundle: true,
    minify: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    metafile: true,
    legalComments: 'none',
    logLevel: 'error',
    banner: { js: BANNER },
    ...change,
  };
}

export async function bundle(rounds: number): Promise<[string, string][]> {
  const folder = mkdtempSync(join(tmpdir(), 'celeriac-bench-'));
  try {
    const bare = join(folder, 'bare.ts');
    writeFileSync(
      bare,
      "import { SQSClient } from '@aws-sdk/client-sqs';\nimport { DynamoDBClient } from '@aws-sdk/client-dynamodb';\nexport const handler = async () => [new SQSClient({}), new DynamoDBClient({})].length;\n",
    );
    const files = { bare: join(folder, 'bare.mjs'), worker: join(folder, 'worker.mjs') };
    // What CDK's NodejsFunction makes of a handler by default.
    const nodePaths = [resolve('node_modules')];
    const bareSize = await sizeOf(options(bare, files.bare, { nodePaths }));
    const worker: BuildOptions = {
      // As infra does: only the sweeper has the client that switches rules.
      external: ['@aws-sdk/client-eventbridge'],
      mainFields: ['module', 'main'],
      conditions: ['@celeriac/deployed', '@celeriac/source', 'module'],
      alias: {
        '@aws-sdk/credential-provider-node': resolve('handlers/environment-credentials.ts'),
        '@celeriac/entry': resolve('examples/blog/tasks.ts'),
      },
    };
    const whole = await sizeOf(options('handlers/worker.ts', files.worker, worker));
    const sweeper = await sizeOf(
      options('handlers/sweeper.ts', join(folder, 'sweeper.mjs'), { ...worker, external: [] }),
    );
    const parts = await partsOf(options('handlers/worker.ts', join(folder, 'parts.mjs'), worker));
    const own = await sizeOf(
      options('handlers/worker.ts', join(folder, 'own.mjs'), {
        ...worker,
        alias: { '@celeriac/entry': resolve('examples/blog/tasks.ts') },
        external: ['@aws-sdk/*'],
      }),
    );
    const [bareMs, workerMs] = loadTimes([files.bare, files.worker], rounds);
    const kilobytes = (bytes: number): string => `${(bytes / 1024).toFixed(0)} KB`;
    return [
      ['worker with SDK', kilobytes(whole)],
      ['worker without SDK', kilobytes(own)],
      ['of that schedules and beat', kilobytes(parts.schedules)],
      ['of that suncalc', kilobytes(parts.suncalc)],
      ['sweeper with SDK, EventBridge client included', kilobytes(sweeper)],
      ['a handler with two bare SDK clients, bundled by default', kilobytes(bareSize)],
      [
        'module load, worker / bare handler',
        `${((workerMs ?? 0) / (bareMs ?? 1)).toFixed(2)} (${(workerMs ?? 0).toFixed(0)} ms / ${(bareMs ?? 0).toFixed(0)} ms, median of ${rounds})`,
      ],
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function sizeOf(build_: BuildOptions): Promise<number> {
  const { metafile } = await build(build_);
  return Object.values(metafile?.outputs ?? {}).reduce((sum, output) => sum + output.bytes, 0);
}

async function partsOf(build_: BuildOptions): Promise<{ readonly schedules: number; readonly suncalc: number }> {
  const { metafile } = await build(build_);
  const inputs = Object.values(metafile?.outputs ?? {}).flatMap((output) => Object.entries(output.inputs));
  const sum = (pattern: RegExp): number =>
    inputs.filter(([path]) => pattern.test(path)).reduce((bytes, [, input]) => bytes + input.bytesInOutput, 0);
  return { schedules: sum(/lib\/(?:beat|schedules)\//), suncalc: sum(/node_modules\/suncalc\//) };
}

/** Fresh processes, the files in turn, so that a busy machine slows both. */
function loadTimes(files: readonly string[], rounds: number): number[] {
  const times = files.map((): number[] => []);
  const code =
    'const t=process.hrtime.bigint();await import(process.argv[1]);console.log(Number(process.hrtime.bigint()-t)/1e6);process.exit(0)';
  const env = { ...process.env, AWS_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'x', AWS_SECRET_ACCESS_KEY: 'x' };
  for (let round = 0; round < rounds; round += 1) {
    for (const [index, file] of files.entries()) {
      times[index]?.push(
        Number(execFileSync(process.execPath, ['--input-type=module', '-e', code, file], { encoding: 'utf8', env })),
      );
    }
  }
  return times.map((list) => list.toSorted((left, right) => left - right)[Math.floor(list.length / 2)] ?? Number.NaN);
}
