/** A project of `celeriac init` as its owner uses it: its demo runs, its types hold, its stack is synthesized. */
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, expect, it } from 'vitest';

import { celeriacProcess } from '../support/celeriac.ts';

mkdirSync('.vitest', { recursive: true });
const parent = mkdtempSync('.vitest/project-');
afterAll(() => rmSync(parent, { recursive: true, force: true }));

it('runs at once', { timeout: 240_000 }, async () => {
  const folder = resolve(parent, 'shop');
  expect(await celeriacProcess({ folder: parent }, 'init', 'shop')).toMatchObject({ code: 0 });
  // Installed: the package among what it needs.
  mkdirSync(join(folder, 'node_modules'));
  for (const name of ['aws-cdk-lib', 'constructs', 'typescript'])
    symlinkSync(resolve('node_modules', name), join(folder, 'node_modules', name));
  symlinkSync(resolve('.'), join(folder, 'node_modules/celeriac'));
  const run = promisify(execFile);
  const environment = { cwd: folder, env: { ...process.env, NODE_OPTIONS: '--conditions=@celeriac/source' } };
  const demo = await run(process.execPath, ['src/demo.ts'], environment);
  expect(demo.stdout).toContain('math.add(2, 3) = 5');
  const check = [resolve('node_modules/typescript/bin/tsc'), '-p', '.', '--customConditions', '@celeriac/source'];
  // Of the library's sources, which a project does not see, another configuration is asked.
  const checked = await run(process.execPath, check, environment).catch((error: unknown) => error as typeof demo);
  expect(checked.stdout.match(/^(?:src|infra)\/.*$/gm)).toBeNull();
  await run(process.execPath, ['infra/stack.ts'], {
    ...environment,
    env: { ...environment.env, CDK_OUTDIR: join(folder, 'cdk.out') },
  });
  expect(existsSync(join(folder, 'cdk.out/Shop.template.json'))).toBe(true);
  expect(readFileSync(join(folder, 'cdk.out/Shop.template.json'), 'utf8')).toContain('AWS::SQS::Queue');
});
