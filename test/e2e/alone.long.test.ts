/** What runs alone, over real HTTP, by two workers in processes of their own: `oneInstance` and `app.locks`. Most of it is waiting for leases. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

import type { BatchResponse } from 'celeriac';
import type { BatchFunction, LocalCloud } from 'celeriac/local';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { CALLER, workerOf } from '../../lib/local/actors.ts';
import { app, load, move, type Note, reindex } from '../support/alone-worker.ts';
import { startCloud } from '../support/iam/cloud.ts';
import { EVERY_GRANT, rolesOf } from '../support/iam/roles.ts';

// Of waits that end as soon as there is something to see.
const PATIENCE_SECONDS = 50;
const TTL_SECONDS = 3;

const notes: Note[] = [];
const idle: ChildProcess[] = [];
const workers = new Set<ChildProcess>();

/** Who is busy gets nothing: two batches at a time are with two workers. */
const byProcess: BatchFunction = (deliveries, invocation) =>
  new Promise((resolve, reject) => {
    const worker = idle.shift();
    if (worker === undefined) throw new Error('no worker is idle');
    const died = (): void => reject(new Error('killed'));
    worker.once('exit', died);
    const answered = (message: BatchResponse | Note): void => {
      if (!('batchItemFailures' in message)) return;
      worker.off('message', answered);
      worker.off('exit', died);
      idle.push(worker);
      resolve(message);
    };
    worker.on('message', answered);
    worker.send({ deliveries, invocation });
  });

async function start(cloud: LocalCloud): Promise<void> {
  const worker = fork('test/support/alone-worker.ts', ['worker'], {
    execArgv: ['--conditions=@celeriac/source'],
    env: { ...process.env, ...cloud.variables(workerOf('default')) },
  });
  workers.add(worker);
  expect(await once(worker, 'message')).toEqual(['ready', undefined]);
  worker.on('message', (message: Note | BatchResponse) => void ('what' in message && notes.push(message)));
  idle.push(worker);
}

const go = (name: string): void => {
  for (const worker of workers) if (worker.connected) worker.send({ go: name });
};
const of = (name: string, what: string): Note | undefined =>
  notes.find((each) => each.name === name && each.what === what);
const seen = (name: string, what = 'begins'): Promise<unknown> =>
  expect.poll(() => of(name, what), { timeout: PATIENCE_SECONDS * 1000 }).toBeDefined();
const order = (...names: string[]): string[] =>
  notes.filter(({ name }) => names.includes(name)).map(({ name, what }) => `${name} ${what}`);
const workerThatRuns = (name: string): ChildProcess =>
  [...workers].find(({ pid }) => pid === of(name, 'begins')?.pid) as ChildProcess;

let cloud: LocalCloud;
beforeAll(async () => {
  const roles = rolesOf(app, {
    ...EVERY_GRANT,
    [CALLER]: (service, grantee) => {
      EVERY_GRANT[CALLER]?.(service, grantee);
      service.grantLocks(service.worker('default'));
    },
  });
  cloud = await startCloud(app, { invocation: 40, visibility: 41, worker: byProcess }, roles);
  await Promise.all([start(cloud), start(cloud)]);
});
afterAll(async () => {
  for (const worker of workers) worker.kill('SIGKILL');
  await cloud.stop();
});

it('oneInstance, skip: what another worker gets meanwhile is left out', async () => {
  const first = await reindex.delay('first');
  await seen('first');
  const second = await reindex.delay('second');
  expect(await second.get({ timeout: PATIENCE_SECONDS })).toMatchObject({ skipped: 'locked', by: first.id });
  expect(await second.state()).toBe('IGNORED');
  go('first');
  expect(await first.get({ timeout: PATIENCE_SECONDS })).toBe('first');
  // Given back with its end: the next one runs.
  const third = await reindex.delay('third');
  go('third');
  expect(await third.get({ timeout: PATIENCE_SECONDS })).toBe('third');
  expect(order('first', 'second', 'third')).toEqual(['first begins', 'first ends', 'third begins', 'third ends']);
});

it('oneInstance, wait: what another worker gets meanwhile runs afterwards', async () => {
  const one = await load.delay('one');
  await seen('one');
  const two = await load.delay('two');
  // Both are let go at once: what makes the second wait is the first.
  await expect
    .poll(async () => (await app.control.slots('load')).reserved.map(({ id }) => id), {
      timeout: PATIENCE_SECONDS * 1000,
    })
    .toEqual([two.id]);
  go('two');
  go('one');
  expect(await two.get({ timeout: PATIENCE_SECONDS })).toBe('two');
  expect(await one.get({ timeout: PATIENCE_SECONDS })).toBe('one');
  expect(order('one', 'two')).toEqual(['one begins', 'one ends', 'two begins', 'two ends']);
});

it('locks: held by renewals for longer than its time, and then the next one’s', async () => {
  const holder = await move.delay('long', 0);
  await seen('long');
  const begun = (await app.locks.list())[0];
  expect(begun).toMatchObject({ key: 'store', info: 'long', token: of('long', 'begins')?.token });
  const refused = await move.delay('refused', 0);
  await expect(refused.get({ timeout: PATIENCE_SECONDS })).rejects.toMatchObject({ code: 'LOCK_NOT_ACQUIRED' });
  // Renewed: what it was taken for is over, and the time that is left for clocks that differ.
  const lapsesMs = (begun?.until.getTime() ?? 0) + 2500;
  await expect
    .poll(() => app.clock.nowMs(), { timeout: PATIENCE_SECONDS * 1000, interval: 200 })
    .toBeGreaterThan(lapsesMs);
  expect(await app.locks.acquire('store', { ttl: TTL_SECONDS })).toBeNull();
  const waits = await move.delay('waits', 30);
  go('waits');
  go('long');
  expect(await holder.get({ timeout: PATIENCE_SECONDS })).toBe(begun?.token);
  expect(await waits.get({ timeout: PATIENCE_SECONDS })).toBeGreaterThan(begun?.token ?? Infinity);
  expect(order('long', 'waits')).toEqual(['long begins', 'long ends', 'waits begins', 'waits ends']);
  expect(await app.locks.list()).toEqual([]);
});

it('locks: one that stands still loses it, is told so, and what it writes has the smaller token', async () => {
  const frozen = await move.delay('frozen', 0);
  await seen('frozen');
  const worker = workerThatRuns('frozen');
  worker.kill('SIGSTOP');
  const after = await move.delay('after', 30);
  await seen('after');
  expect(of('after', 'begins')?.token).toBeGreaterThan(of('frozen', 'begins')?.token ?? Infinity);
  go('after');
  expect(await after.get({ timeout: PATIENCE_SECONDS })).toBe(of('after', 'begins')?.token);
  go('frozen');
  worker.kill('SIGCONT');
  await expect(frozen.get({ timeout: PATIENCE_SECONDS })).rejects.toMatchObject({ code: 'LOCK_LOST' });
  // Whoever keeps the greatest token that it has seen refuses what came last.
  expect(notes.findLast(({ what }) => what === 'ends')).toMatchObject({ name: 'frozen' });
  expect(await app.locks.list()).toEqual([]);
});

it('locks: one whose process dies keeps it until its time is over, and no longer', async () => {
  await move.delay('dies', 0);
  await seen('dies');
  const worker = workerThatRuns('dies');
  const exit = once(worker, 'exit');
  worker.kill('SIGKILL');
  await exit;
  workers.delete(worker);
  const held = (await app.locks.list())[0];
  expect(held).toMatchObject({ info: 'dies' });
  expect(await app.locks.acquire('store', { ttl: TTL_SECONDS })).toBeNull();
  const heir = await move.delay('heir', 30);
  go('heir');
  expect(await heir.get({ timeout: PATIENCE_SECONDS })).toBeGreaterThan(held?.token ?? Infinity);
  expect(app.clock.nowMs()).toBeGreaterThan(held?.until.getTime() ?? Infinity);
});
