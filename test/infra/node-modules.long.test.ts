/** `bundling.nodeModules` with a package of the registry that has a file for each kind of machine. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { App, Stack } from 'aws-cdk-lib';
import { Architecture, Function as LambdaFn, Runtime } from 'aws-cdk-lib/aws-lambda';
import { Template } from 'aws-cdk-lib/assertions';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { codeOf } from '../../infra/bundling.ts';

const folder = mkdtempSync(join(tmpdir(), 'celeriac-native-'));
const entry = join(folder, 'src/tasks.ts');
// Not the newest: the version is the project's.
const VERSION = '2.0.2';

beforeAll(() => {
  mkdirSync(join(folder, 'src'));
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module' }));
  writeFileSync(
    entry,
    `import { Celeriac } from '${join(process.cwd(), 'lib/index.ts')}';
import { hash } from '@node-rs/argon2';
export const app = new Celeriac('blog');
app.task('users.hash', (password: string) => hash(password));`,
  );
  execFileSync('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', `@node-rs/argon2@${VERSION}`], {
    cwd: folder,
    stdio: 'ignore',
  });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function assetFor(architecture?: Architecture): string {
  const outdir = mkdtempSync(join(folder, 'out-'));
  const app = new App({ outdir, builtinCloudFormationValidation: false });
  const stack = new Stack(app, 'Native');
  new LambdaFn(stack, 'Worker', {
    runtime: Runtime.NODEJS_24_X,
    handler: 'index.handler',
    code: codeOf({
      handler: 'worker',
      entry,
      appName: 'blog',
      bundling: { nodeModules: ['@node-rs/argon2'] },
      ...(architecture === undefined ? {} : { architecture }),
    }),
  });
  app.synth();
  const [resource] = Object.values(Template.fromStack(stack).findResources('AWS::Lambda::Function')) as [
    { Properties: { Code: { S3Key: string } } },
  ];
  return join(outdir, `asset.${resource.Properties.Code.S3Key.replace('.zip', '')}`);
}

describe('nodeModules', () => {
  it.each([
    [undefined, 'argon2-linux-arm64-gnu'],
    [Architecture.X86_64, 'argon2-linux-x64-gnu'],
  ])("are the project's versions for the function's machine: %s", (architecture, built) => {
    const asset = assetFor(architecture);
    const packages = join(asset, 'node_modules/@node-rs');
    expect(readdirSync(packages).toSorted()).toEqual(['argon2', built]);
    for (const name of readdirSync(packages))
      expect(JSON.parse(readFileSync(join(packages, name, 'package.json'), 'utf8'))).toMatchObject({
        version: VERSION,
      });
    expect(readdirSync(join(packages, built)).some((name) => name.endsWith('.node'))).toBe(true);
    expect(readFileSync(join(asset, 'index.mjs'), 'utf8')).toContain('@node-rs/argon2');
    for (const left of ['package-lock.json', '.npmrc', 'node_modules/.package-lock.json'])
      expect(existsSync(join(asset, left))).toBe(false);
  });
});
