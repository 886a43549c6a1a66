/** `celeriac dev`: how long a saved file takes until its code works. On this machine, and of the sources. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

import { systemClock } from '../../lib/base/time.ts';
import { isFree, nextFree } from '../../lib/dev/free-ports.ts';

const code = (version: number): string => `
import { Celeriac } from 'celeriac';
export const app = new Celeriac('bench', { history: 'off' });
export const add = app.task('add', (x: number, y: number) => x + y + ${version});
`;

/** Seconds from each save to workers that have begun, as it says itself. */
async function restarts(times: number): Promise<number[]> {
  mkdirSync('.vitest', { recursive: true });
  const folder = resolve(mkdtempSync('.vitest/bench-dev-'));
  const tasks = join(folder, 'tasks.ts');
  writeFileSync(tasks, code(0));
  const port = await nextFree(20_000 + (process.pid % 20_000), isFree);
  const child = spawn(
    process.execPath,
    ['--conditions=@celeriac/source', resolve('lib/cli/main.ts'), 'dev', '--app', 'tasks.ts', '--port', String(port)],
    { cwd: folder, env: { PATH: process.env['PATH'] }, stdio: ['ignore', 'pipe', 'inherit'] },
  );
  try {
    const took: number[] = [];
    for await (const line of createInterface(child.stdout)) {
      const seconds = /restarted in ([\d.]+) s/.exec(line)?.[1];
      if (seconds !== undefined) took.push(Number(seconds));
      if (took.length === times) break;
      if (seconds === undefined && !line.includes('state ')) continue;
      // Nobody saves more often; meanwhile the next process begins.
      await systemClock.sleep(3000);
      writeFileSync(tasks, code(took.length + 1));
    }
    return took;
  } finally {
    const exit = once(child, 'exit');
    child.kill('SIGINT');
    await exit;
    rmSync(folder, { recursive: true, force: true });
  }
}

export async function devRows(times: number): Promise<[string, string][]> {
  // The first one compiles what the others find compiled.
  const [, ...took] = await restarts(times + 1);
  const sorted = took.toSorted((one, other) => one - other);
  const median = sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
  return [['a saved file, until its code works', `${median.toFixed(1)} s (${sorted[0]} to ${sorted.at(-1)})`]];
}
