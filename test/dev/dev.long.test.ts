/** `celeriac dev` as people start it: the code is edited, everything is killed, and what was there goes on. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import { afterAll, beforeAll, expect, it } from 'vitest';

import { isFree, nextFree } from '../../lib/dev/free-ports.ts';
import { celeriacAt, PROCESS_VARIABLES } from '../support/celeriac.ts';
import { type MailServerForTests, startMailServer } from '../support/mail-server.ts';
import { PATIENCE_MS } from '../support/patience.ts';

mkdirSync('.vitest', { recursive: true });
const folder = resolve(mkdtempSync('.vitest/dev-'));
const tasks = join(folder, 'tasks.ts');
const effects = join(folder, 'effects.txt');
const started: ChildProcess[] = [];
let mailServer: MailServerForTests;
beforeAll(async () => {
  mailServer = await startMailServer();
});
afterAll(() => mailServer.stop());
afterAll(() => {
  for (const child of started) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

/** Its effects go to a file: what ran, in which version of the code. */
const code = (version: string): string => `
import { appendFileSync, existsSync } from 'node:fs';
import { Celeriac, every } from 'celeriac';

export const app = new Celeriac('shop', { queues: { default: {}, orders: { fifo: true } } });
const note = (text: string): void => appendFileSync(${JSON.stringify(effects)}, '${version} ' + text + '\\n');
export const record = app.task('record', (name: string) => note(name));
export const broken = app.task('broken', () => { throw new TypeError('total is undefined'); });
export const long = app.task('long', async (name: string) => {
  note('begins ' + name);
  while (!existsSync(${JSON.stringify(join(folder, 'go'))})) await new Promise((resolve) => setTimeout(resolve, 20));
  note('ends ' + name);
});
app.beat({
  beat: { task: record.s('beat'), schedule: every('1s') },
});
`;

interface Running {
  readonly child: ChildProcess;
  readonly output: () => string;
  readonly exit: Promise<number | null>;
}

const mailVariables = (): Record<string, string> => ({
  CELERIAC_SMTP_URL: `smtp://127.0.0.1:${mailServer.port}`,
  CELERIAC_MAIL_FROM: 'dev@example.org',
  CELERIAC_MAIL_TO: 'me@example.org',
});

function start(...args: readonly string[]): Running {
  const child = spawn(
    process.execPath,
    ['--conditions=@celeriac/source', resolve('lib/cli/main.ts'), 'dev', '--app', 'tasks.ts', ...args],
    { cwd: folder, env: { ...PROCESS_VARIABLES, ...mailVariables() }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  started.push(child);
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += String(chunk)));
  return { child, output: () => text, exit: new Promise((done) => child.once('exit', done)) };
}

const shows = (running: Running, text: string | RegExp, times = 1): Promise<void> =>
  expect
    .poll(() => running.output().match(new RegExp(text, 'g'))?.length ?? 0, {
      timeout: PATIENCE_MS,
      message: running.output(),
    })
    .toBeGreaterThanOrEqual(times);
const lines = (): string[] => (existsSync(effects) ? readFileSync(effects, 'utf8').trim().split('\n') : []);
const ran = (line: string): Promise<void> => expect.poll(lines).toContain(line);

async function call(...args: readonly string[]): Promise<string> {
  const { code: exitCode, printed, complained } = await celeriacAt({ folder }, 'call', ...args);
  expect(exitCode, complained).toBe(0);
  return printed.trim();
}

it('follows the code, and outlives being killed', async () => {
  writeFileSync(tasks, code('v1'));
  const port = await nextFree(20_000 + (process.pid % 20_000), isFree);
  const one = start('--port', String(port));
  await shows(one, `SQS +http://127.0.0.1:${port}`);
  await call('record', 'a');
  await ran('v1 a');
  await ran('v1 beat');
  await shows(one, /monitor +http:\/\/127\.0\.0\.1:\d+\/\?token=\S+/);
  const asked = async (): Promise<unknown> => {
    const [, url = '', token = ''] = /monitor +(http:\S+)\/\?token=(\S+)/.exec(one.output()) ?? [];
    const answer = await fetch(`${url}/api/catalogue`, { headers: { authorization: `Bearer ${token}` } });
    return ((await answer.json()) as { tasks: readonly { name: string }[] }).tasks.map(({ name }) => name);
  };
  expect(await asked()).toEqual(['broken', 'long', 'record']);
  await call('broken');
  await shows(one, /✗ TypeError: total is undefined\n +at .*tasks\.ts:\d+:\d+/);
  // Whoever names a mail server is told of it.
  await expect
    .poll(() => mailServer.mails.map(({ subject, to }) => `${to.join()} ${subject}`), { timeout: PATIENCE_MS })
    .toEqual([expect.stringMatching(/^me@example\.org \[shop\] Error: Task broken \(.*\): TypeError: total/)]);

  // By an address that other processes make, of the variables that are theirs.
  const statusUrl = (): string | undefined =>
    /^CELERIAC_STATUS_URL_SHOP=.*$/m.exec(readFileSync(join(folder, '.celeriac', 'env'), 'utf8'))?.[0];
  const signing = statusUrl();
  expect(signing).toContain(`:${(port ?? 0) + 3}`);

  // Edited while a task runs: the new code runs it again, and all that comes.
  await call('long', 'edited');
  await ran('v1 begins edited');
  writeFileSync(tasks, code('v2'));
  await shows(one, /tasks\.ts changed, workers restarted in [\d.]+ s \(1 task handed back\)/);
  await ran('v2 begins edited');
  // The same addresses, though the service was made anew.
  expect(statusUrl()).toBe(signing);
  await expect.poll(() => asked().catch(() => [])).toContain('record');
  writeFileSync(join(folder, 'go'), '');
  await ran('v2 ends edited');
  rmSync(join(folder, 'go'));

  // A save that is no code waits for the next one.
  writeFileSync(tasks, `${code('v3')} syntax error`);
  await shows(one, /the workers did not start:/);
  await call('record', 'while broken');
  writeFileSync(tasks, code('v4'));
  await ran('v4 while broken');
  expect(one.output()).not.toContain('Error: The service was stopped');

  // The same folder, and the same port.
  const same = start('--port', String(port));
  expect([await same.exit, same.output()]).toEqual([1, expect.stringContaining('runs here already')]);

  // Everything is killed at once: what runs, what waits, what is due later, in order too.
  await call('long', 'killed');
  await ran('v4 begins killed');
  const names = Array.from({ length: 10 }, (_, index) => `later ${index}`);
  await Promise.all(names.map((name) => call('record', name, '--countdown', '2s')));
  for (const name of ['first', 'second']) await call('record', name, '--queue', 'orders');
  one.child.kill('SIGKILL');
  await one.exit;
  const before = lines();

  const two = start();
  await shows(two, `SQS +http://127.0.0.1:${port}`);
  await expect.poll(() => lines().filter((line) => line === 'v4 begins killed').length).toBe(2);
  writeFileSync(join(folder, 'go'), '');
  for (const name of [...names, 'ends killed', 'first', 'second']) await ran(`v4 ${name}`);
  expect(lines().length).toBeGreaterThan(before.length);

  two.child.kill('SIGINT');
  expect([await two.exit, existsSync(join(folder, '.celeriac', 'env'))]).toEqual([0, false]);
  // Nothing was lost, and nothing ran twice but what was cut off.
  const all = lines().filter((line) => !line.endsWith(' beat'));
  const expected = [
    'v1 a',
    'v2 ends edited',
    'v4 while broken',
    ...[...names, 'first', 'second', 'ends killed'].map((name) => `v4 ${name}`),
  ];
  for (const line of expected) {
    // What had told of itself just before the kill may have had no time to be committed.
    const most = before.includes(line) && line.startsWith('v4') && line !== 'v4 while broken' ? 2 : 1;
    const times = all.filter((each) => each === line).length;
    expect(times, line).toBeGreaterThanOrEqual(1);
    expect(times, line).toBeLessThanOrEqual(most);
  }
  expect(all.indexOf('v4 first')).toBeLessThan(all.indexOf('v4 second'));
});

it('tells of a taken port, and which is free', async () => {
  const other = resolve(mkdtempSync('.vitest/dev-'));
  try {
    writeFileSync(
      join(other, 'tasks.ts'),
      "import { Celeriac } from 'celeriac';\nexport const app = new Celeriac('other');\n",
    );
    const { createServer } = await import('node:net');
    const server = createServer();
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    const { port } = server.address() as { port: number };
    const { code: exitCode, complained } = await celeriacAt({ folder: other }, 'dev', '--port', String(port));
    expect([exitCode, complained]).toEqual([
      2,
      expect.stringMatching(/Port \d+ is taken.*These are free: --port \d+\./),
    ]);
    expect(existsSync(join(other, '.celeriac/lock'))).toBe(false);
    await new Promise((done) => server.close(done));
  } finally {
    rmSync(other, { recursive: true, force: true });
  }
});
