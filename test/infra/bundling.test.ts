/** What CDK makes of the handlers and an app: one file, with what the library asks AWS with. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { crontab, Celeriac } from 'celeriac';
import { afterAll, describe, expect, it } from 'vitest';

import { bundlingOf, type TaskBundling } from '../../infra/bundling.ts';
import { TaskService } from '../../infra/index.ts';
import { bundleWorker } from '../support/lambda.ts';
import { ENTRY, newApp } from './stacks.ts';

interface FunctionProperties {
  readonly Description?: string;
  readonly Code: { readonly S3Key: string };
}

interface Bundled {
  readonly outdir: string;
  /** Files, with their text. */
  readonly worker: readonly [string, string];
  readonly sweeper: readonly [string, string];
}

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function bundled(entry: string, bundling?: TaskBundling): Bundled {
  const outdir = mkdtempSync(join(tmpdir(), 'celeriac-bundles-'));
  folders.push(outdir);
  const app = new App({ outdir });
  const stack = new Stack(app, 'Bundled');
  const tasks = new Celeriac('shop');
  tasks.task('report', () => 1);
  tasks.beat({ daily: { task: 'report', schedule: crontab({ hour: 7, minute: 30 }) } });
  const service = new TaskService(stack, 'Tasks', {
    app: tasks,
    entry,
    ...(bundling === undefined ? {} : { bundling }),
  });
  expect(service.rules.ruleArns).toHaveLength(1);
  app.synth();
  const functions = Object.values(
    Template.fromStack(stack).findResources('AWS::Lambda::Function') as Record<
      string,
      { Properties: FunctionProperties }
    >,
  );
  const of = (what: RegExp): readonly [string, string] => {
    const found = functions.find(({ Properties }) => what.test(Properties.Description ?? ''));
    const file = join(outdir, `asset.${found?.Properties.Code.S3Key.replace('.zip', '') ?? ''}`, 'index.mjs');
    return [file, readFileSync(file, 'utf8')];
  };
  return { outdir, worker: of(/queue 'default'/), sweeper: of(/timers/) };
}

/** From a folder in which no packages are to be found. */
function loads({ outdir, worker, sweeper }: Bundled): string[] {
  const code = 'console.log(typeof (await import(process.argv[1])).handler)';
  return [worker, sweeper].map(([file]) =>
    execFileSync(process.execPath, ['--input-type=module', '-e', code, file], { encoding: 'utf8', cwd: outdir }).trim(),
  );
}

// Its packages name themselves in warnings and errors, which no minifier touches.
const SDK = /@aws-sdk\//;

describe('bundles', () => {
  it('have the lean client and nothing of the SDK', () => {
    const made = bundled(ENTRY);
    for (const [, text] of [made.worker, made.sweeper]) {
      expect(text).toContain('DynamoDB_20120810');
      expect(text).toContain('AWSEvents');
      expect(text).not.toMatch(SDK);
    }
    expect(loads(made)).toEqual(['function', 'function']);
  });

  it('have the SDK where that is wanted: the sweeper its EventBridge client too, which a worker loads without', () => {
    const made = bundled(ENTRY, { sdk: 'full' });
    // The service's name stands in the target header of each of the client's calls.
    expect(made.sweeper[1]).toContain('AWSEvents');
    expect(made.sweeper[1]).not.toContain('import("@aws-sdk/client-eventbridge")');
    expect(made.worker[1]).not.toContain('AWSEvents');
    for (const [, text] of [made.worker, made.sweeper]) expect(text).toMatch(SDK);
    expect(loads(made)).toEqual(['function', 'function']);
  });

  it('have of the SDK what task code imports, beside the lean client', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'celeriac-bundles-'));
    folders.push(folder);
    const file = join(folder, 'worker.mjs');
    await bundleWorker('test/infra/asks-sqs.ts', file);
    const text = readFileSync(file, 'utf8');
    expect(text).toMatch(SDK);
    expect(text).toContain('ListQueues');
    // The SDK's DynamoDB client names it; the library's own has no need to.
    expect(text).toContain('DynamoDB_20120810');
    expect(text).not.toContain('com.amazonaws.dynamodb');
    expect(loads({ outdir: folder, worker: [file, text], sweeper: [file, text] })).toEqual(['function', 'function']);
  });

  it('take conditions and arguments beside their own', () => {
    const { esbuildArgs } = bundlingOf(ENTRY, 'worker', {
      esbuildArgs: { '--conditions': 'mine', '--log-level': 'error' },
    });
    expect(esbuildArgs).toMatchObject({
      '--conditions': '@celeriac/lean,@celeriac/deployed,@celeriac/source,mine',
      '--log-level': 'error',
    });
    expect(bundlingOf(ENTRY, 'worker', { sdk: 'full' }).esbuildArgs).toMatchObject({
      '--conditions': '@celeriac/deployed,@celeriac/source,module',
      '--external:@aws-sdk/client-eventbridge': true,
    });
  });

  it('know two clients', () => {
    const stack = new Stack(newApp(), 'Wrong');
    const app = new Celeriac('shop');
    const bundling = { sdk: 'slim' } as unknown as TaskBundling;
    expect(() => new TaskService(stack, 'Tasks', { app, entry: ENTRY, bundling })).toThrow(
      "bundling.sdk is 'slim'; 'lean' and 'full' are allowed.",
    );
  });
});
