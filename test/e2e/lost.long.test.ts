/** Nothing is silently stuck: workers that die on load or are killed leave FAILURE and a dead letter, over real HTTP. Most of it is waiting for leases. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

import { type BatchResponse, Celeriac, silentLogger } from 'celeriac';
import type { BatchFunction, LocalCloud } from 'celeriac/local';
import { expect, it } from 'vitest';

import { workerOf } from '../../lib/local/actors.ts';
import { startCloud } from '../support/iam/cloud.ts';

interface Setup {
  readonly worker: (app: Celeriac) => BatchFunction;
  readonly declare: (app: Celeriac) => void;
  readonly maxReceiveCount?: number;
  readonly invocationSeconds?: number;
}

async function withCloud(setup: Setup, run: (app: Celeriac, cloud: LocalCloud) => Promise<void>): Promise<void> {
  const app = new Celeriac('lost', { maxDeliveries: 1 });
  setup.declare(app);
  // Its tasks are those of the worker's process.
  app.taskNames = () => undefined;
  const invocation = setup.invocationSeconds ?? 3;
  const cloud = await startCloud(app, {
    invocation,
    visibility: invocation + 1,
    maxReceiveCount: setup.maxReceiveCount ?? 50,
    logger: silentLogger,
    worker: setup.worker(app),
  });
  try {
    await run(app, cloud);
  } finally {
    await cloud.stop();
  }
}

// Of waits that end as soon as there is something to see. On a busy machine an invocation is a small part of it.
const PATIENCE_SECONDS = 50;

/**
 * Workers in processes of their own. They are there and ready before a batch is: on Lambda the time to load a function is
 * not its invocation's. One is killed as soon as it has started a task: no answer, no commit, a claim until the lease
 * ends. One that answers is asked again.
 */
class Workers {
  readonly starts: string[] = [];
  readonly #ready: ChildProcess[] = [];

  async fork(count: number, variables: Record<string, string>): Promise<void> {
    const children = Array.from({ length: count }, () =>
      fork('test/support/worker-process.ts', {
        execArgv: ['--conditions=@celeriac/source'],
        env: { ...process.env, ...variables },
      }),
    );
    this.#ready.push(...children);
    for (const ready of await Promise.all(children.map((child) => once(child, 'message'))))
      expect(ready[0]).toBe('ready');
  }

  readonly run: BatchFunction = (deliveries, invocation) =>
    new Promise((resolve, reject) => {
      const child = this.#ready.pop();
      if (child === undefined) throw new Error('No worker is ready: more were lost than expected');
      child.once('exit', () => reject(new Error('killed')));
      child.once('message', (message: BatchResponse | 'started') => {
        if (message === 'started') {
          this.starts.push(message);
          child.kill('SIGKILL');
          return;
        }
        this.#ready.push(child);
        resolve(message);
      });
      child.send({ deliveries, invocation });
    });

  stop(): void {
    for (const child of this.#ready) child.kill('SIGKILL');
  }
}

const deadLetterOfLost = (id: string, task: string): unknown => ({
  body: expect.any(String),
  attributes: expect.objectContaining({ reason: 'worker lost', task, task_id: id, origin_queue: 'default' }),
});

it('a worker that dies on load', async () => {
  await withCloud(
    {
      worker: () => () => Promise.reject(new Error("Cannot find package 'left-pad'")),
      declare: (app) => app.task('job', () => 1),
      maxReceiveCount: 2,
      invocationSeconds: 1,
    },
    async (app, cloud) => {
      const result = await app.send('job');
      await expect(result.get({ timeout: PATIENCE_SECONDS, interval: 0.1 })).rejects.toMatchObject({
        name: 'WorkerLostError',
      });
      await expect
        .poll(() => cloud.deadLetters(), { timeout: PATIENCE_SECONDS * 1000 })
        .toEqual([deadLetterOfLost(result.id, 'job')]);
    },
  );
});

// Side by side: both wait for a lease to end.
it.concurrent.for([
  ['acksLate: true, until maxDeliveries', 'job.true'],
  ['acksLate: false, never again', 'job.false'],
] as const)('a worker killed with SIGKILL in the middle of a task: %s', async ([_what, task], { expect }) => {
  // The test's own: a common one would poll for the test that ends first.
  const workers = new Workers();
  // On a busy machine a claim over HTTP may take a second: of an invocation that is too short for it nothing starts.
  const setup = {
    worker: () => workers.run,
    declare: (app: Celeriac) => app.task('unused', () => 1),
    invocationSeconds: 8,
  };
  await withCloud(setup, async (app, cloud) => {
    try {
      // One to be lost, one to find that out; one more, for a delivery that came while both were busy.
      await workers.fork(3, cloud.variables(workerOf('default')));
      const result = await app.send(task);
      await expect(result.get({ timeout: PATIENCE_SECONDS, interval: 0.2 })).rejects.toMatchObject({
        name: 'WorkerLostError',
      });
      await expect
        .poll(() => cloud.deadLetters(), { timeout: PATIENCE_SECONDS * 1000 })
        .toEqual([deadLetterOfLost(result.id, task)]);
      // maxDeliveries is 1: one run, and the second delivery finds that its worker was lost.
      expect(workers.starts).toEqual(['started']);
    } finally {
      workers.stop();
    }
  });
});
