/** What CDK makes of the handlers and an app: files, with what the library asks AWS with. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { crontab, Celeriac } from 'celeriac';
import { afterAll, describe, expect, it } from 'vitest';

import { bundleArguments, type TaskBundling } from '../../infra/bundling.ts';
import { TaskService } from '../../infra/index.ts';
import { bundleWorker } from '../support/lambda.ts';
import { ENTRY, newApp } from './stacks.ts';

interface FunctionProperties {
  readonly Description?: string;
  readonly Code: { readonly S3Key: string };
}

interface Bundled {
  readonly outdir: string;
  readonly worker: Code;
  readonly sweeper: Code;
}

interface Code {
  readonly folder: string;
  /** What a start reads, in one text. */
  readonly atStart: string;
  /** All files, in one text. */
  readonly all: string;
}

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'celeriac-bundles-'));
  folders.push(folder);
  return folder;
}

function newTasks(name: string): Celeriac {
  const tasks = new Celeriac(name);
  tasks.task('report', () => 1);
  return tasks.beat({ daily: { task: 'report', schedule: crontab({ hour: 7, minute: 30 }) } });
}

function bundled(entry: string, bundling?: TaskBundling, name = 'blog'): Bundled {
  const outdir = newFolder();
  const app = new App({ outdir, builtinCloudFormationValidation: false });
  const stack = new Stack(app, 'Bundled');
  const service = new TaskService(stack, 'Tasks', {
    app: newTasks(name),
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
  const of = (what: RegExp): Code => {
    const found = functions.find(({ Properties }) => what.test(Properties.Description ?? ''));
    return codeIn(join(outdir, `asset.${found?.Properties.Code.S3Key.replace('.zip', '') ?? ''}`));
  };
  return { outdir, worker: of(/queue 'default'/), sweeper: of(/timers/) };
}

function codeIn(folder: string): Code {
  const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
  const names = readdirSync(folder).filter((name) => name.endsWith('.mjs'));
  const seen = new Set<string>();
  const visit = (name: string): void => {
    if (seen.has(name)) return;
    seen.add(name);
    for (const [, next] of read(name).matchAll(/(?:from|import)"\.\/([^"]+)"/g)) visit(next ?? '');
  };
  visit('index.mjs');
  return { folder, atStart: [...seen].map(read).join('\n'), all: names.map(read).join('\n') };
}

/** From a folder in which no packages are to be found. */
function loads({ outdir, worker, sweeper }: Bundled): string[] {
  const code = 'console.log(typeof (await import(process.argv[1])).handler)';
  return [worker, sweeper].map(({ folder }) =>
    execFileSync(process.execPath, ['--input-type=module', '-e', code, join(folder, 'index.mjs')], {
      encoding: 'utf8',
      cwd: outdir,
    }).trim(),
  );
}

// Its packages name themselves in warnings and errors, which no minifier touches.
const SDK = /@aws-sdk\//;

describe('bundles', () => {
  it('have the lean client and nothing of the SDK', () => {
    const made = bundled(ENTRY);
    for (const { all } of [made.worker, made.sweeper]) {
      expect(all).toContain('DynamoDB_20120810');
      expect(all).toContain('AWSEvents');
      expect(all).not.toMatch(SDK);
    }
    expect(loads(made)).toEqual(['function', 'function']);
  });

  it('have the SDK where that is wanted: the sweeper its EventBridge client too, which a worker loads without', () => {
    const made = bundled(ENTRY, { sdk: 'full' });
    // The service's name stands in the target header of each of the client's calls.
    expect(made.sweeper.all).toContain('AWSEvents');
    expect(made.sweeper.all).not.toContain('import("@aws-sdk/client-eventbridge")');
    expect(made.worker.all).not.toContain('AWSEvents');
    for (const { all } of [made.worker, made.sweeper]) expect(all).toMatch(SDK);
    expect(loads(made)).toEqual(['function', 'function']);
  });

  it('have of the SDK what task code imports, beside the lean client', () => {
    const folder = newFolder();
    bundleWorker('test/infra/asks-sqs.ts', join(folder, 'index.mjs'));
    const code = codeIn(folder);
    expect(code.all).toMatch(SDK);
    expect(code.all).toContain('ListQueues');
    // The SDK's DynamoDB client names it; the library's own has no need to.
    expect(code.all).toContain('DynamoDB_20120810');
    expect(code.all).not.toContain('com.amazonaws.dynamodb');
    expect(loads({ outdir: folder, worker: code, sweeper: code })).toEqual(['function', 'function']);
  });

  it('take what CDK takes: a define, a banner, a source map, packages of the runtime, commands', () => {
    const folder = newFolder();
    const entry = join(folder, 'tasks.ts');
    writeFileSync(
      entry,
      `import { Celeriac } from '${join(process.cwd(), 'lib/index.ts')}';
import { answer } from 'of-a-layer';
declare const STAGE: string;
export const app = new Celeriac('blog');
app.task('report', () => answer + STAGE);`,
    );
    const { worker, outdir } = bundled(entry, {
      define: { STAGE: '"production-stage"' },
      banner: '/*of-mine*/',
      sourceMap: true,
      externalModules: ['of-a-layer'],
      environment: { SAID: 'by-hook' },
      commandHooks: {
        beforeBundling: () => [],
        beforeInstall: () => [],
        afterBundling: (_input, output) => [`echo $SAID > ${output}/said.txt`],
      },
    });
    expect(worker.atStart).toContain('production-stage');
    expect(worker.atStart).toContain('/*of-mine*/');
    expect(worker.atStart).toMatch(/from"of-a-layer"/);
    expect(readdirSync(worker.folder)).toEqual(expect.arrayContaining(['index.mjs.map', 'said.txt']));
    expect(readFileSync(join(worker.folder, 'said.txt'), 'utf8')).toBe('by-hook\n');
    expect(outdir).not.toBe('');
  });

  it('take conditions and arguments beside their own', () => {
    const args = bundleArguments(ENTRY, 'worker', {
      esbuildArgs: { '--conditions': 'mine', '--log-level': 'error', '--drop': 'console', '--pure:call': true },
    });
    expect(args).toEqual(
      expect.arrayContaining([
        '--conditions=@celeriac/lean,@celeriac/deployed,@celeriac/source,mine',
        '--log-level=error',
        '--drop:console',
        '--pure:call',
      ]),
    );
    expect(bundleArguments(ENTRY, 'worker', { sdk: 'full' })).toEqual(
      expect.arrayContaining([
        '--conditions=@celeriac/deployed,@celeriac/source,module',
        '--external:@aws-sdk/client-eventbridge',
      ]),
    );
  });

  it('know two clients', () => {
    const stack = new Stack(newApp(), 'Wrong');
    const app = new Celeriac('shop');
    const bundling = { sdk: 'slim' } as unknown as TaskBundling;
    expect(() => new TaskService(stack, 'Tasks', { app, entry: ENTRY, bundling })).toThrow(
      "bundling.sdk is 'slim'; 'lean' and 'full' are allowed.",
    );
  });

  it('are refused with what the tool says, where it fails', () => {
    expect(() => bundled(ENTRY, { esbuildArgs: { '--no-such-flag': true } })).toThrow(/esbuild failed.*no-such-flag/s);
    const commandHooks = { beforeBundling: () => ['exit 3'], beforeInstall: () => [], afterBundling: () => [] };
    expect(() => bundled(ENTRY, { commandHooks })).toThrow("'exit 3' ended with code 3");
  });
});

describe('the entry', () => {
  const entryOf = (text: string): string => {
    const folder = newFolder();
    mkdirSync(join(folder, 'src'));
    const path = join(folder, 'src/tasks.ts');
    writeFileSync(path, `import { Celeriac } from '${join(process.cwd(), 'lib/index.ts')}';\n${text}`);
    return path;
  };

  it.each([
    ["export const app = new Celeriac('shop');", "exports app 'shop', and the service is made of app 'blog'"],
    ["export const add = (x: number) => x; new Celeriac('blog');", 'exports no app; export one'],
  ])('is looked at: %s', (text, told) => {
    expect(() => bundled(entryOf(text))).toThrow(told);
  });

  it('that needs what only Lambda has is bundled', () => {
    const entry = entryOf(
      "if (!process.env['AWS_LAMBDA_ONLY']) throw new Error('not here'); export const app = new Celeriac('blog');",
    );
    expect(bundled(entry).worker.atStart).toContain('not here');
  });
});
