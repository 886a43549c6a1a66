import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Architecture } from 'aws-cdk-lib/aws-lambda';
import { afterAll, describe, expect, it } from 'vitest';

import { installModules } from '../../infra/node-modules.ts';
import { projectOf } from '../../infra/project.ts';

const folder = mkdtempSync(join(tmpdir(), 'celeriac-project-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(path: string, text = ''): string {
  const file = join(folder, path);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, text);
  return file;
}

describe('a project', () => {
  it('is where the lock file is, in the folder of the entry or above it', () => {
    const entry = write('locked/packages/jobs/src/tasks.ts');
    write('locked/packages/jobs/package.json', '{}');
    write('locked/pnpm-lock.yaml');
    expect(projectOf(entry)).toEqual({ folder: join(folder, 'locked'), lockFile: 'pnpm-lock.yaml' });
  });

  it('is that of the working folder for an entry in none', () => {
    expect(projectOf(write('loose/tasks.ts'))).toEqual({ folder: process.cwd(), lockFile: 'package-lock.json' });
  });
});

describe('packages beside the bundle', () => {
  const install = (entry: string, names: readonly string[]): void => {
    const output = join(entry, '../../output');
    mkdirSync(output, { recursive: true });
    installModules({
      names,
      entry,
      project: projectOf(entry),
      folder: output,
      architecture: Architecture.ARM_64,
      environment: {},
    });
  };

  it('are refused where the entry would not find them', () => {
    const entry = write('absent/src/tasks.ts');
    write('absent/package-lock.json', '{}');
    expect(() => install(entry, ['sharp'])).toThrow(/nodeModules: sharp is not installed where .*npm i sharp/);
  });

  it.each(['yarn.lock', 'bun.lock'])('are refused with what to do, in a project with %s', (lockFile) => {
    const entry = write(`${lockFile}-project/src/tasks.ts`);
    write(`${lockFile}-project/${lockFile}`);
    write(`${lockFile}-project/node_modules/sharp/package.json`, '{"version":"1.2.3"}');
    expect(() => install(entry, ['sharp'])).toThrow(
      new RegExp(`locked by ${lockFile}.*npm or pnpm only.*externalModules.*afterBundling`),
    );
  });
});
