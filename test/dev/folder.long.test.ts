/** `celeriac dev` of a folder or a pattern: a file that is new is seen, and what is loaded is what a TaskService bundles. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { afterAll, expect, it } from 'vitest';

import { isFree, nextFree } from '../../lib/dev/free-ports.ts';
import { entryFiles, shownPath } from '../../lib/options/entry-files.ts';
import { celeriacAt, PROCESS_VARIABLES } from '../support/celeriac.ts';
import { PATIENCE_MS } from '../support/patience.ts';

mkdirSync('.vitest', { recursive: true });
const children: ChildProcess[] = [];
const folders: string[] = [];
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

const PATIENCE = { timeout: PATIENCE_MS };

it.each(['src', 'src/**/*.tasks.ts'])('entry %s', async (entry) => {
  const folder = resolve(mkdtempSync('.vitest/dev-folder-'));
  folders.push(folder);
  const effects = join(folder, 'effects.txt');
  mkdirSync(join(folder, 'src/deep'), { recursive: true });
  // No module of either entry: a name that begins with a dot is left out of both.
  mkdirSync(join(folder, 'src/.app'));
  writeFileSync(
    join(folder, 'src/.app/app.ts'),
    `import { appendFileSync } from 'node:fs';
import { Celeriac } from 'celeriac';
export const app = new Celeriac('folder');
export const note = (text: string): void => appendFileSync(${JSON.stringify(effects)}, text + '\\n');
`,
  );
  const write = (path: string, name: string): void =>
    writeFileSync(
      join(folder, 'src', path),
      `import { app, note } from '${path.includes('/') ? '..' : '.'}/.app/app.ts';
note(process.pid + ' loads src/${path}');
export { app };
export const ${name} = app.task('${name}', (text: string) => note('${name} ' + text));
`,
    );
  write('first.tasks.ts', 'first');
  write('first.test.ts', 'tested');
  const port = await nextFree(20_000 + (process.pid % 20_000), isFree);
  const child = spawn(
    process.execPath,
    ['--conditions=@celeriac/source', resolve('lib/cli/main.ts'), 'dev', '--app', entry, '--port', String(port)],
    { cwd: folder, env: PROCESS_VARIABLES, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  children.push(child);
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += String(chunk)));
  const lines = (): string[] => (existsSync(effects) ? readFileSync(effects, 'utf8').trim().split('\n') : []);
  const call = async (name: string): Promise<void> => {
    const { code, complained } = await celeriacAt({ folder }, 'call', name, 'told');
    expect(code, complained).toBe(0);
    await expect.poll(lines, PATIENCE).toContain(`${name} told`);
  };
  await expect.poll(() => output, PATIENCE).toContain(`http://127.0.0.1:${port}`);
  await call('first');
  write('deep/second.tasks.ts', 'second');
  await expect.poll(() => output, PATIENCE).toMatch(/second\.tasks\.ts changed, workers restarted/);
  await call('second');
  // What its last workers loaded, in order.
  const loads = lines().filter((line) => line.includes(' loads '));
  const pid = loads.at(-1)?.split(' ')[0];
  const loaded = loads.filter((line) => line.startsWith(`${pid} `)).map((line) => line.split(' ').at(-1));
  expect(loaded).toEqual(entryFiles(entry, folder).map((file) => shownPath(file, folder)));
  const exit = new Promise((done) => child.once('exit', done));
  child.kill('SIGTERM');
  await exit;
});
