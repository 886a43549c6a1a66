/** Nothing is silently stuck: workers that die on load, are killed, or time out leave FAILURE and a dead letter, over real HTTP. */
import { fork } from 'node:child_process';

import { type BatchResponse, Celeriac, silentLogger } from 'celeriac';
import { type BatchFunction, LocalCloud } from 'celeriac/local';
import { expect, it } from 'vitest';

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
  const cloud = await LocalCloud.start(app, {
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

/** Each batch gets a process of its own, killed as soon as a task has started: no answer, no commit, a claim until the lease ends. */
function killed(variables: () => Record<string, string>, starts: string[]): BatchFunction {
  return (deliveries, invocation) =>
    new Promise((resolve, reject) => {
      const child = fork('test/support/worker-process.ts', {
        execArgv: ['--conditions=@celeriac/source'],
        env: { ...process.env, ...variables() },
      });
      child.on('message', (message: BatchResponse | 'started') => {
        if (message !== 'started') resolve(message);
        else starts.push(message);
        child.kill('SIGKILL');
      });
      child.on('exit', () => reject(new Error('killed')));
      child.send({ deliveries, invocation });
    });
}

const lostLetter = (id: string, task: string): unknown => ({
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
      await expect(result.get({ timeout: 15, interval: 0.1 })).rejects.toMatchObject({ name: 'WorkerLostError' });
      await expect.poll(() => cloud.deadLetters(), { timeout: 5000 }).toEqual([lostLetter(result.id, 'job')]);
    },
  );
});

it.each([
  ['acksLate: true, until maxDeliveries', 'job.true'],
  ['acksLate: false, never again', 'job.false'],
])('a worker killed with SIGKILL in the middle of a task: %s', async (_what, task) => {
  const starts: string[] = [];
  let variables: Record<string, string> = {};
  await withCloud(
    { worker: () => killed(() => variables, starts), declare: (app) => app.task('unused', () => 1) },
    async (app, cloud) => {
      variables = cloud.variables();
      const result = await app.send(task);
      await expect(result.get({ timeout: 18, interval: 0.2 })).rejects.toMatchObject({ name: 'WorkerLostError' });
      await expect.poll(() => cloud.deadLetters(), { timeout: 5000 }).toEqual([lostLetter(result.id, task)]);
      // maxDeliveries is 1: one run, and the second delivery finds that its worker was lost.
      expect(starts).toEqual(['started']);
    },
  );
});

it('a task that outlives its invocation fails before Lambda kills the batch', async () => {
  const app = new Celeriac('slow');
  let signalled = false;
  app.task('slow', { bind: true }, async (self) => {
    self.signal.addEventListener('abort', () => {
      signalled = true;
    });
    await new Promise(() => {});
  });
  app.task('quick', () => 'fine');
  const cloud = await LocalCloud.start(app, { invocation: 3, logger: silentLogger });
  try {
    const [slow, quick] = await Promise.all([app.send('slow'), app.send('quick')]);
    expect(await quick.get({ timeout: 10, interval: 0.1 })).toBe('fine');
    await expect(slow.get({ timeout: 10, interval: 0.1 })).rejects.toMatchObject({
      name: 'TimeLimitExceeded',
      message: expect.stringContaining('Lambda'),
    });
    expect(signalled).toBe(true);
  } finally {
    await cloud.stop();
  }
});
