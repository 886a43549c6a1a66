/** What README tells a newcomer, done: a project of `cdk init`, one line in its tsconfig, README's tasks, and a stack with them; `celeriac synth`. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const STACK = `import * as cdk from 'aws-cdk-lib/core';
import { Construct } from 'constructs';
import { TaskService } from 'celeriac/infra';
import { app } from '../src/tasks.ts';

export class ShopStack extends cdk.Stack {
  constructor(scope: Construct, id: string, props?: cdk.StackProps) {
    super(scope, id, props);
    new TaskService(this, 'Tasks', { app, entry: 'src/tasks.ts' });
  }
}
`;

/**
 * @param modules a folder `node_modules` in which the packed library lies among its peers; it is moved into the project.
 * @returns what was made, in a line.
 */
export function checkCdkInit(parent: string, modules: string): string {
  const folder = join(parent, 'shop');
  mkdirSync(folder);
  const bin = (name: string): string => resolve('node_modules/.bin', name);
  const run = (file: string, args: readonly string[]): string =>
    execFileSync(file, args, {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, CDK_DISABLE_CLI_TELEMETRY: '1', CDK_OUTDIR: join(folder, 'cdk.out') },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  run(bin('cdk'), ['init', 'app', '--language', 'typescript', '--generate-only']);
  // As npm would install it: CDK bundles what lies in the project.
  renameSync(modules, join(folder, 'node_modules'));
  writeFileSync(join(folder, 'package-lock.json'), '{}');
  const [, tasks = ''] =
    [...readFileSync('README.md', 'utf8').matchAll(/```ts\n([\s\S]*?)```/g)].find(([, code = '']) =>
      code.startsWith('// tasks.ts'),
    ) ?? [];
  mkdirSync(join(folder, 'src'));
  writeFileSync(join(folder, 'src/tasks.ts'), tasks);
  writeFileSync(join(folder, 'lib/shop-stack.ts'), STACK);
  const config = readFileSync(join(folder, 'tsconfig.json'), 'utf8');
  // The line of README. Its test runner is not installed here.
  writeFileSync(
    join(folder, 'tsconfig.json'),
    config
      .replace('"noEmit": true,', '"noEmit": true,\n    "allowImportingTsExtensions": true,')
      .replace('"jest",', '')
      .replace('"cdk.out"', '"cdk.out",\n    "test"'),
  );
  run(bin('tsc'), ['-p', '.']);
  run(bin('tsx'), ['bin/shop.ts']);
  const template = JSON.parse(readFileSync(join(folder, 'cdk.out/ShopStack.template.json'), 'utf8')) as {
    readonly Resources: Readonly<Record<string, { readonly Type: string }>>;
  };
  const functions = Object.values(template.Resources).filter(({ Type }) => Type === 'AWS::Lambda::Function');
  // Two queues and the sweeper.
  if (functions.length !== 3) throw new Error(`The stack has ${functions.length} functions; 3 are expected.`);
  const synthesized = run(process.execPath, [programOf(folder), 'synth', '--app', 'src/tasks.ts', '--out', 'build']);
  if (!synthesized.includes('build/template.json: ')) throw new Error(`celeriac synth has said: ${synthesized}`);
  return `a project of cdk init compiles and synthesizes: ${functions.length} functions; so does celeriac synth`;
}

/** The program that npm would link. */
function programOf(folder: string): string {
  const celeriac = join(folder, 'node_modules/celeriac');
  const { bin } = JSON.parse(readFileSync(join(celeriac, 'package.json'), 'utf8')) as {
    readonly bin: { readonly celeriac: string };
  };
  return join(celeriac, bin.celeriac);
}
