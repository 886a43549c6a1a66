/** Nothing is silently stuck: workers that die on load, are killed, or time out leave FAILURE and a dead letter, over real HTTP. */
import { Celeriac, type Delivery, silentLogger } from 'celeriac';
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

/** The process is gone 300 ms into the batch: no answer, no commit, and its claim stays until the lease ends. */
function killed(app: Celeriac): BatchFunction {
  return (deliveries: readonly Delivery[], invocation) => {
    const death = new Promise<never>((_, reject) => {
      setTimeout(() => reject(new Error('killed')), 300);
    });
    return Promise.race([app.consume(deliveries, invocation), death]);
  };
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
  ['acksLate: true, until maxDeliveries', true],
  ['acksLate: false, never again', false],
])('a worker that is killed in the middle of a task: %s', async (_what, acksLate) => {
  let started = 0;
  await withCloud(
    {
      worker: killed,
      declare: (app) =>
        app.task('job', { acksLate }, async () => {
          started += 1;
          await new Promise(() => {});
        }),
    },
    async (app, cloud) => {
      const result = await app.send('job');
      await expect(result.get({ timeout: 18, interval: 0.2 })).rejects.toMatchObject({ name: 'WorkerLostError' });
      await expect.poll(() => cloud.deadLetters(), { timeout: 5000 }).toEqual([lostLetter(result.id, 'job')]);
      // maxDeliveries is 1 here: one run, and the second delivery finds its worker lost.
      expect(started).toBe(1);
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
