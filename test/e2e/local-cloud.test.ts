/** The important semantics again, over real HTTP: SDK clients, SQS and DynamoDB servers, the pump. */
import { networkInterfaces } from 'node:os';
import { connect, type Socket } from 'node:net';

import { Celeriac, enqueueMany, Reject, silentLogger } from 'celeriac';
import type { LocalCloud } from 'celeriac/local';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startCloud } from '../support/iam/cloud.ts';
import { FetchError } from '../support/worlds.ts';
import { PATIENCE_SECONDS } from '../support/patience.ts';

const app = new Celeriac('e2e', {
  // Clients, servers and workers are this one process, and a hundred callers ask at once.
  callTimeout: PATIENCE_SECONDS,
  queues: { default: {}, mail: {}, orders: { fifo: true } },
  routes: { 'mail.*': 'mail', 'order.*': 'orders' },
});
const runs: string[] = [];
const tasks = {
  add: app.task('math.add', (x: number, y: number) => x + y),
  next: app.task('next', (sum: number, label: string) => {
    runs.push(`${label}:${sum}`);
    return sum;
  }),
  flaky: app.task('flaky', { bind: true, maxRetries: 2 }, (self) => {
    if (self.request.retries < 2) throw self.retry({ countdown: 1, exc: new FetchError('down') });
    return self.request.retries;
  }),
  reject: app.task('mail.reject', () => {
    throw new Reject('not wanted');
  }),
  requeue: app.task('requeue', { bind: true }, (self) => {
    if (!self.request.deliveryInfo.redelivered) throw new Reject('again', { requeue: true });
    return self.request.deliveryInfo.deliveries;
  }),
  broken: app.task('broken', () => {
    throw new FetchError('no answer');
  }),
  order: app.task('order.place', async (index: number) => {
    await new Promise((resolve) => {
      setTimeout(resolve, 20);
    });
    runs.push(`order ${index}`);
  }),
  progress: app.task('progress', { bind: true }, async (self) => {
    await self.progress(1, 2);
    return (await app.result(self.request.id).info()) as unknown;
  }),
  endless: app.task('endless', { bind: true, timeLimit: 8 }, async (self) => {
    for (let done = 0; ; done += 1) {
      await self.progress(done, 1_000_000);
      self.signal.throwIfAborted();
      await app.clock.sleep(20, self.signal);
    }
  }),
};

let cloud: LocalCloud;
beforeAll(async () => {
  cloud = await startCloud(app, { invocation: 10, sweepEvery: 1, logger: silentLogger });
});
afterAll(() => cloud.stop());

describe('on the embedded cloud', () => {
  it('enqueues, runs, stores and links', async () => {
    const result = await tasks.add.applyAsync([2, 3], { link: tasks.next.s('linked') });
    expect(await result.get({ timeout: PATIENCE_SECONDS, interval: 0.05 })).toBe(5);
    await expect.poll(() => runs).toContain('linked:5');
  });

  it('sends a hundred in batches and gets them all back', async () => {
    const results = await enqueueMany(Array.from({ length: 100 }, (_, index) => tasks.add.s(index, 1)));
    const values = await Promise.all(results.map((result) => result.get({ timeout: PATIENCE_SECONDS, interval: 0.1 })));
    expect(values).toEqual(Array.from({ length: 100 }, (_, index) => index + 1));
  });

  it('retries, fails with the remote error, and takes an ETA exactly', async () => {
    const dueMs = Date.now() + 2500;
    const [flaky, broken, later] = await Promise.all([
      tasks.flaky.delay(),
      tasks.broken.delay(),
      tasks.add.applyAsync([1, 1], { eta: new Date(dueMs) }),
    ]);
    await expect(broken.get({ timeout: PATIENCE_SECONDS, interval: 0.1 })).rejects.toMatchObject({
      name: 'FetchError',
      message: 'no answer',
    });
    expect(await flaky.get({ timeout: PATIENCE_SECONDS, interval: 0.1 })).toBe(2);
    await later.get({ timeout: PATIENCE_SECONDS, interval: 0.1 });
    expect((await later.dateDone())?.getTime()).toBeGreaterThanOrEqual(dueMs);
  });

  it('rejects into the dead-letter queue, and requeues', async () => {
    const [rejected, requeued] = await Promise.all([tasks.reject.delay(), tasks.requeue.delay()]);
    await rejected.get({ timeout: PATIENCE_SECONDS, interval: 0.1, propagate: false });
    expect(await rejected.state()).toBe('REJECTED');
    // The commit is seen before what follows from it is sent.
    await expect
      .poll(() => cloud.deadLetters('mail'))
      .toEqual([
        {
          body: expect.any(String),
          attributes: expect.objectContaining({ reason: 'not wanted', task_id: rejected.id, origin_queue: 'mail' }),
        },
      ]);
    expect(await requeued.get({ timeout: PATIENCE_SECONDS, interval: 0.1 })).toBe(2);
  });

  it('keeps the order of a FIFO group, and takes its ETA by timer', async () => {
    const results = [];
    for (let index = 0; index < 12; index += 1)
      results.push(await tasks.order.applyAsync([index], { groupKey: 'customer-1' }));
    for (const result of results) await result.get({ timeout: PATIENCE_SECONDS, interval: 0.05 });
    expect(runs.filter((run) => run.startsWith('order'))).toEqual(
      Array.from({ length: 12 }, (_, index) => `order ${index}`),
    );
    const dueMs = Date.now() + 2000;
    const later = await tasks.order.applyAsync([99], { eta: new Date(dueMs) });
    await later.get({ timeout: PATIENCE_SECONDS, interval: 0.1 });
    expect((await later.dateDone())?.getTime()).toBeGreaterThanOrEqual(dueMs);
  });

  it('shows progress, revokes and forgets', async () => {
    const progress = await tasks.progress.delay();
    expect(await progress.get({ timeout: PATIENCE_SECONDS, interval: 0.1 })).toEqual({ current: 1, total: 2 });
    const far = await tasks.add.applyAsync([1, 1], { countdown: '1h' });
    expect(await far.revoke()).toBe('REVOKED');
    await expect(far.get({ timeout: PATIENCE_SECONDS })).rejects.toMatchObject({ name: 'TaskRevokedError' });
    await far.forget();
    expect(await app.result(far.id).state()).toBe('PENDING');
  });

  it('ends a running task that is revoked with terminate', async () => {
    const endless = await tasks.endless.delay();
    await expect.poll(() => endless.state()).toBe('PROGRESS');
    expect(await endless.revoke({ terminate: true })).toBe('PROGRESS');
    await expect(endless.get({ timeout: PATIENCE_SECONDS, interval: 0.05 })).rejects.toMatchObject({
      name: 'TaskRevokedError',
      message: 'terminated',
    });
  });

  it('buries what cannot be read, its bytes untouched', async () => {
    const { SendMessageCommand } = await import('#aws-sdk');
    await cloud.sqs.send(
      new SendMessageCommand({ QueueUrl: cloud.environment.queues['default'] ?? '', MessageBody: 'hello world' }),
    );
    await expect
      .poll(() => cloud.deadLetters('default'))
      .toContainEqual({
        body: 'hello world',
        attributes: expect.objectContaining({ reason: 'invalid message', origin_queue: 'default' }),
      });
  });
});

describe('the servers', () => {
  it('listen on 127.0.0.1 only', async (context) => {
    const others = Object.values(networkInterfaces())
      .flatMap((addresses) => addresses ?? [])
      .filter((address) => address.address !== '127.0.0.1' && !address.address.startsWith('fe80'));
    if (others.length === 0) context.skip('this machine has no other address than 127.0.0.1');
    for (const endpoint of Object.values(cloud.endpoints)) {
      const port = Number(new URL(endpoint).port);
      expect(await reachable('127.0.0.1', port)).toBe(true);
      for (const { address } of others) expect(await reachable(address, port), `${address}:${port}`).toBe(false);
    }
  });
});

function reachable(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket: Socket = connect({ host, port, timeout: 1000 });
    const end = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => end(true));
    socket.once('error', () => end(false));
    socket.once('timeout', () => end(false));
  });
}
