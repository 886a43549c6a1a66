/** Packs the library and looks at the tarball as its users would: publint, are-the-types-wrong, an import of each entry, and what docs tell to do with it. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

import { checkCdkInit } from './cdk-init-check.ts';
import { checkDockerfile } from './dockerfile-check.ts';

const folder = mkdtempSync(join(tmpdir(), 'celeriac-pack-'));
const bin = (name: string): string => resolve('node_modules/.bin', name);
const run = (file: string, args: readonly string[], cwd = '.'): string =>
  execFileSync(file, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });

try {
  const [packed] = JSON.parse(run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder])) as {
    filename: string;
    entryCount: number;
    size: number;
  }[];
  if (packed === undefined) throw new Error('npm pack made no tarball');
  const tarball = join(folder, packed.filename);
  console.log(`packed ${packed.filename}: ${packed.entryCount} files, ${Math.round(packed.size / 1024)} KB`);
  console.log(run(bin('publint'), ['run', '--strict', '--pack', 'false', tarball]));
  const attw = (...args: string[]): void => console.log(run(bin('attw'), [tarball, '--profile', 'esm-only', ...args]));
  attw('--exclude-entrypoints', './handlers');
  // TypeScript's oldest resolution takes the folder of sources for this entry, and knows no `#` imports; nobody is to use it.
  attw('--entrypoints', './handlers', '--ignore-rules', 'internal-resolution-error');

  const modules = join(folder, 'node_modules');
  mkdirSync(modules);
  run('tar', ['xzf', tarball, '-C', folder]);
  // A real folder among its dependencies and peers, as npm installs it; these are links, which Node follows.
  renameSync(join(folder, 'package'), join(modules, 'celeriac'));
  const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as {
    dependencies: Record<string, string>;
    peerDependencies: Record<string, string>;
  };
  for (const peer of Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies })) {
    mkdirSync(join(modules, peer, '..'), { recursive: true });
    symlinkSync(resolve('node_modules', peer), join(modules, peer));
  }
  for (const entry of [
    'celeriac',
    'celeriac/aws',
    'celeriac/codec',
    'celeriac/infra',
    'celeriac/local',
    'celeriac/opentelemetry',
    'celeriac/testing',
  ]) {
    const code = `const m = await import('${entry}'); console.log('${entry}', Object.keys(m).length, 'exports');`;
    process.stdout.write(run(process.execPath, ['--input-type=module', '-e', code], folder));
  }
  // Its own import is the user's entry, which only the bundler knows.
  run(process.execPath, ['--input-type=module', '-e', "import.meta.resolve('celeriac/handlers')"], folder);
  // What a project installs besides.
  mkdirSync(join(modules, '.bin'));
  for (const name of ['@types/node', 'undici-types'])
    if (existsSync(resolve('node_modules', name))) {
      mkdirSync(join(modules, name, '..'), { recursive: true });
      symlinkSync(resolve('node_modules', name), join(modules, name));
    }
  symlinkSync(bin('esbuild'), join(modules, '.bin/esbuild'));
  console.log(await checkDockerfile(folder, tarball));
  console.log(checkCdkInit(folder, modules));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
