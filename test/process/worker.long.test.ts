/** `celeriac worker` as real processes on the embedded cloud, under the rights that its policy gives. Leases are short: most of it is waiting. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { silentLogger } from 'celeriac';
import type { LocalCloud } from 'celeriac/local';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';

import { workerOf } from '../../lib/local/actors.ts';
import { app, fragile, inParts, quick, releaseOf, render, single, step } from '../support/process-tasks.ts';
import { PROCESS_VARIABLES } from '../support/celeriac.ts';
import { startCloud } from '../support/iam/cloud.ts';

// Of waits that end as soon as there is something to see.
const PATIENCE_SECONDS = 60;
const PATIENCE = { timeout: PATIENCE_SECONDS * 1000, interval: 100 };

interface Note {
  readonly what: string;
  readonly name: string;
  readonly pid: number;
  readonly atMs: number;
}

interface Started {
  readonly child: ChildProcess;
  readonly log: readonly string[];
}

const folder = mkdtempSync(join(tmpdir(), 'celeriac-worker-'));
const file = join(folder, 'notes');
const children = new Set<ChildProcess>();
let cloud: LocalCloud;

beforeAll(async () => {
  cloud = await startCloud(app, { processes: false, sweepEvery: 1, logger: silentLogger });
});
afterEach(async () => {
  for (const child of children) await killed(child);
});
afterAll(async () => {
  await cloud.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function killed(child: ChildProcess): Promise<void> {
  children.delete(child);
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

/** Resolves once it is ready. A claim is another's four seconds after the last word of its worker. */
async function start(queue: string, ...options: readonly string[]): Promise<Started> {
  const args = ['worker', '--app', 'test/support/process-tasks.ts', '-Q', queue, '--lease', '4', ...options];
  const child = spawn(process.execPath, ['--conditions=@celeriac/source', 'lib/cli/main.ts', ...args], {
    env: { ...PROCESS_VARIABLES, ...cloud.variables(workerOf(queue)), NOTES: file },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.add(child);
  const log: string[] = [];
  await new Promise<void>((resolve, reject) => {
    for (const stream of [child.stdout, child.stderr])
      createInterface(stream).on('line', (line) => {
        log.push(line);
        if (line.includes('is ready')) resolve();
      });
    child.once('exit', (code) => reject(new Error(`the worker ended with ${code}:\n${log.join('\n')}`)));
  });
  return { child, log };
}

function notes(...names: readonly string[]): Note[] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => line.split(' '))
    .map(([what = '', name = '', pid, atMs]) => ({ what, name, pid: Number(pid), atMs: Number(atMs) }))
    .filter(({ name }) => names.includes(name));
}

const order = (...names: readonly string[]): string[] => notes(...names).map(({ what, name }) => `${name} ${what}`);
const release = (name: string): void => writeFileSync(releaseOf(file, name), '');
const begun = (name: string, times = 1): Promise<unknown> =>
  expect.poll(() => notes(name).filter(({ what }) => what === 'begins').length, PATIENCE).toBe(times);

it('a task that is longer than its lease and its visibility runs once, beside a second worker; functions go on beside it', async () => {
  await start('video');
  await start('video');
  const long = await render.delay('long', 14);
  const beside = await quick.delay('beside');
  expect(await beside.get({ timeout: PATIENCE_SECONDS })).toBe('beside');
  expect(await long.get({ timeout: PATIENCE_SECONDS })).toBe('long');
  expect(order('long')).toEqual(['long begins', 'long ends']);
});

it('killed with SIGKILL in the middle: it runs again elsewhere, after its lease', async () => {
  const first = await start('video');
  const result = await render.delay('killed', 8);
  await begun('killed');
  // Renewed once and more.
  await expect.poll(() => app.clock.nowMs() - (notes('killed')[0]?.atMs ?? Infinity), PATIENCE).toBeGreaterThan(4000);
  const killedMs = app.clock.nowMs();
  await killed(first.child);
  await start('video');
  expect(await result.get({ timeout: PATIENCE_SECONDS })).toBe('killed');
  const [one, two] = notes('killed').filter(({ what }) => what === 'begins');
  expect(order('killed')).toEqual(['killed begins', 'killed begins', 'killed ends']);
  expect(two?.pid).not.toBe(one?.pid);
  // Of the four seconds up to a third may have passed.
  expect((two?.atMs ?? 0) - killedMs).toBeGreaterThan(2000);
});

it('killed by one of its tasks: nothing that ran beside it is lost with it', async () => {
  const names = ['deadly', 'beside-1', 'beside-2'];
  const [deadly, ...beside] = await Promise.all(
    names.map((name) => fragile.delay(name, name === 'deadly' ? 'killed' : 2)),
  );
  const first = await start('video', '--lease', '3');
  for (const name of names) await begun(name);
  const exit = once(first.child, 'exit');
  // From now on it kills whatever runs it, at once; the others take two seconds.
  release('deadly');
  expect(await exit).toEqual([null, 'SIGKILL']);
  const state = async (): Promise<string> => (await deadly?.state()) ?? '';
  // Whoever runs it is started again, as a container is.
  while ((await state()) !== 'FAILURE') {
    const next = await start('video', '--lease', '3');
    const ended = once(next.child, 'exit');
    await Promise.race([ended, expect.poll(state, PATIENCE).toBe('FAILURE')]);
  }
  for (const result of beside) await result.get({ timeout: PATIENCE_SECONDS });
  expect(notes('deadly').map(({ what }) => what)).toEqual(['begins', 'begins']);
  const [, last] = notes('deadly');
  // Nothing else was begun in the process that it ended for the second time, and not ended there.
  const left = notes(...names.slice(1)).filter(({ pid }) => pid === last?.pid);
  expect(left.filter(({ what }) => what === 'begins')).toHaveLength(left.length / 2);
  await expect(deadly?.get()).rejects.toMatchObject({ name: 'WorkerLostError' });
});

it('SIGTERM: what runs may end, what has ended is not delivered again, and the rest runs elsewhere at once', async () => {
  // The lease is long, so that what runs again soon does so because its claim was given back.
  const first = await start('video', '-c', '3', '--grace', '4', '--lease', '30');
  const results = [await render.delay('done', 0)];
  for (const name of ['ends', 'left']) results.push(await render.delay(name, 'released'));
  // In whatever order they come: what a killed worker had asked for is hidden for a while.
  for (const name of ['done', 'ends', 'left']) await begun(name);
  const exit = once(first.child, 'exit');
  first.child.kill('SIGTERM');
  await expect.poll(() => first.log.join('\n'), PATIENCE).toContain('receives nothing more');
  results.push(await render.delay('after', 0));
  release('ends');
  expect(await exit).toEqual([0, null]);
  expect(order('ends')).toEqual(['ends begins', 'ends ends']);
  expect(order('left')).toEqual(['left begins']);
  expect(order('after')).toEqual([]);
  release('left');
  const endedMs = app.clock.nowMs();
  await start('video');
  const readyMs = app.clock.nowMs();
  await begun('left', 2);
  // Its claim was given back, and its message shown again.
  const again = notes('left').findLast(({ what }) => what === 'begins');
  expect((again?.atMs ?? Infinity) - Math.max(endedMs, readyMs)).toBeLessThan(15_000);
  for (const result of results) await result.get({ timeout: PATIENCE_SECONDS });
  for (const name of ['done', 'ends', 'after']) expect(order(name)).toEqual([`${name} begins`, `${name} ends`]);
});

it('SIGTERM in the middle of a part: its checkpoint is kept, and another process goes on from there', async () => {
  const first = await start('video', '--grace', '1', '--lease', '30');
  const result = await inParts.delay('parted');
  await expect.poll(() => order('parted'), PATIENCE).toContain('parted stored');
  const exit = once(first.child, 'exit');
  first.child.kill('SIGTERM');
  expect(await exit).toEqual([0, null]);
  await start('video');
  expect(await result.get({ timeout: PATIENCE_SECONDS })).toBe(2);
  expect(order('parted')).toEqual(['parted begins', 'parted stored', 'parted part-2-from-"half"', 'parted ends']);
});

it('a second signal waits for nothing', async () => {
  const first = await start('video', '--grace', '600');
  const result = await render.delay('twice', 20);
  await begun('twice');
  const exit = once(first.child, 'exit');
  first.child.kill('SIGTERM');
  await expect.poll(() => first.log.join('\n'), PATIENCE).toContain('receives nothing more');
  first.child.kill('SIGTERM');
  expect(await exit).toEqual([0, null]);
  await result.revoke();
  expect(await result.state()).toBe('REVOKED');
});

it('keeps a slot for longer than a lease, and the order of a FIFO group', async () => {
  await start('video');
  await start('ordered');
  const one = await single.delay('one', 9);
  await begun('one');
  const two = await single.delay('two', 0);
  const steps = [];
  for (const [name, seconds] of [
    ['s1', 5],
    ['s2', 0],
    ['s3', 0],
  ] as const)
    steps.push(await step.applyAsync([name, seconds], { groupKey: 'g' }));
  for (const result of [one, two, ...steps]) await result.get({ timeout: PATIENCE_SECONDS });
  expect(order('one', 'two')).toEqual(['one begins', 'one ends', 'two begins', 'two ends']);
  expect(order('s1', 's2', 's3')).toEqual(['s1 begins', 's1 ends', 's2 begins', 's2 ends', 's3 begins', 's3 ends']);
});

it('tells how it is, on this machine alone', async () => {
  const { log } = await start('video', '--port', '0');
  const ready = log.find((line) => line.includes('is ready')) ?? '';
  const { health } = JSON.parse(ready) as { readonly health: string };
  expect(new URL(health).hostname).toBe('127.0.0.1');
  expect(await (await fetch(health)).json()).toEqual({ status: 'working', running: 0, waiting: 0 });
  const result = await render.delay('counted', 0);
  await result.get({ timeout: PATIENCE_SECONDS });
  const metrics = async (): Promise<string> => (await fetch(new URL('/metrics', health))).text();
  await expect
    .poll(metrics, PATIENCE)
    .toContain('celeriac_worker_attempts_total{task="render",queue="video",state="success"} 1');
  expect((await fetch(health, { headers: { origin: 'https://example.org' } })).status).toBe(403);
});
