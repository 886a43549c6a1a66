/** `celeriac worker`, in virtual time: what a process has in hand stays its own, and goes back when it ends. */
import { Celeriac, type QueueOptions, silentLogger } from 'celeriac';
import { World } from 'celeriac/testing';
import { describe, expect, it } from 'vitest';

import { ProcessWorld } from '../support/process-world.ts';

const PROCESS: QueueOptions = { worker: 'process' };

interface Run {
  readonly name: string;
  readonly fromSeconds: number;
  toSeconds?: number;
}

function jobs(queues: Readonly<Record<string, QueueOptions>> = { default: PROCESS }, options: object = {}) {
  const world = new ProcessWorld(queues);
  const runs: Run[] = [];
  const job = world.app.task('job', options, async (name: string, seconds: number) => {
    const run: Run = { name, fromSeconds: world.at() };
    runs.push(run);
    await world.clock.sleep(seconds * 1000);
    run.toSeconds = world.at();
    return name;
  });
  const most = (): number =>
    Math.max(
      0,
      ...runs.map(
        ({ fromSeconds }) =>
          runs.filter((other) => other.fromSeconds <= fromSeconds && (other.toSeconds ?? Infinity) > fromSeconds)
            .length,
      ),
    );
  return { world, runs, job, most };
}

describe('runs', () => {
  it('a task for hours, once, though another worker looks for messages all the time', async () => {
    const { world, runs, job } = jobs(undefined, { timeLimit: '4h' });
    world.start();
    world.start();
    const result = await job.delay('long', 3 * 3600);
    await world.advance(3 * 3600 + 20);
    expect(await result.get()).toBe('long');
    expect(runs.map(({ name }) => name)).toEqual(['long']);
    expect(world.broker.depth('default')).toEqual({ visible: 0, delayed: 0, inFlight: 0 });
  });

  it('no more at once than it may, and all in the end', async () => {
    const { world, runs, job, most } = jobs();
    const worker = world.start({ concurrency: 4 });
    const results = [];
    for (let n = 0; n < 25; n += 1) results.push(await job.delay(`${n}`, 5));
    await world.advance(60);
    expect(await Promise.all(results.map((result) => result.state()))).toEqual(Array(25).fill('SUCCESS'));
    expect([runs.length, most()]).toEqual([25, 4]);
    expect(worker.metrics.value('celeriac_worker_messages_done_total', { queue: 'default' })).toBe(25);
    expect(
      worker.metrics.value('celeriac_worker_attempts_total', { task: 'job', queue: 'default', state: 'success' }),
    ).toBe(25);
    expect(worker.metrics.value('celeriac_worker_running')).toBe(0);
  });

  it('takes no more messages than it can begin', async () => {
    const { world, job } = jobs();
    world.start({ concurrency: 2 });
    for (let n = 0; n < 10; n += 1) await job.delay(`${n}`, 100);
    await world.advance(10);
    expect(world.broker.depth('default')).toEqual({ visible: 8, delayed: 0, inFlight: 2 });
  });

  it('the most urgent lane first', async () => {
    const { world, runs, job } = jobs({ default: { worker: 'process', priorities: [0, 3, 6] } });
    for (let n = 0; n < 4; n += 1)
      for (const priority of [6, 3, 0]) await job.applyAsync([`p${priority} ${n}`, 10], { priority });
    world.start({ concurrency: 1 });
    await world.advance(200);
    // A message of each lane may have been asked for when nothing else was there.
    expect(runs.map(({ name }) => name.slice(0, 2))).toEqual([
      ...Array(4).fill('p0'),
      ...Array(4).fill('p3'),
      ...Array(4).fill('p6'),
    ]);
  });

  it('a lane that has nothing holds up no other', async () => {
    const { world, runs, job } = jobs({ default: { worker: 'process', priorities: [0, 5] }, other: PROCESS });
    world.start();
    await world.advance(30);
    await job.applyAsync(['late', 1], { priority: 9 });
    await job.applyAsync(['elsewhere', 1], { queue: 'other' });
    await world.advance(3);
    expect(runs.map(({ name }) => name).toSorted()).toEqual(['elsewhere', 'late']);
  });

  it('queues in turn: a full one does not keep the other waiting', async () => {
    const { world, runs, job } = jobs({ default: PROCESS, other: PROCESS });
    for (let n = 0; n < 20; n += 1) await job.delay(`full ${n}`, 10);
    await job.applyAsync(['small', 10], { queue: 'other' });
    world.start({ concurrency: 2 });
    await world.advance(25);
    expect(runs.map(({ name }) => name)).toContain('small');
  });

  it('a FIFO group in order, other groups beside it', async () => {
    const { world, runs, job, most } = jobs({ default: { worker: 'process', fifo: true } });
    for (const name of ['a1', 'a2', 'b1', 'a3', 'b2'])
      await job.applyAsync([name, 100], { groupKey: name.slice(0, 1) });
    world.start();
    world.start();
    await world.advance(320);
    for (const group of ['a', 'b']) {
      const own = runs.filter(({ name }) => name.startsWith(group));
      expect(own.map(({ name }) => name)).toEqual(group === 'a' ? ['a1', 'a2', 'a3'] : ['b1', 'b2']);
      for (const [index, run] of own.slice(1).entries())
        expect(run.fromSeconds).toBeGreaterThanOrEqual(own[index]?.toSeconds ?? Infinity);
    }
    expect(most()).toBe(2);
  });

  it('retries, and what it defers', async () => {
    const world = new ProcessWorld({ default: PROCESS });
    let attempts = 0;
    const flaky = world.app.task('flaky', { bind: true, maxRetries: 3 }, (self) => {
      attempts += 1;
      if (self.request.retries < 2) throw self.retry({ countdown: 5 });
      return attempts;
    });
    world.start();
    const result = await flaky.delay();
    await world.advance(30);
    expect(await result.get()).toBe(3);
  });
});

describe('is lost', () => {
  it('killed in the middle: what it ran begins again elsewhere when its lease is over', async () => {
    const { world, runs, job } = jobs();
    const mortal = world.startMortal();
    const result = await job.delay('long', 300);
    await world.advance(200);
    mortal.kill();
    world.start();
    await world.advance(90);
    expect(runs.map(({ name }) => name)).toEqual(['long', 'long']);
    const [, second] = runs;
    // A third of a lease may have passed since it was renewed.
    expect(second?.fromSeconds).toBeGreaterThan(240);
    expect(second?.fromSeconds).toBeLessThan(270);
    await world.advance(300);
    expect(await result.get()).toBe('long');
    expect(runs).toHaveLength(2);
  });

  it('frozen for longer than its lease: what it does then is dropped', async () => {
    const { world, runs, job } = jobs(undefined, {});
    const renew = world.backend.renew.bind(world.backend);
    let frozen = false;
    const leases = {
      renew: (renewal: Parameters<typeof renew>[0]) => (frozen ? new Promise<boolean>(() => {}) : renew(renewal)),
    };
    const broker = {
      send: world.broker.send.bind(world.broker),
      changeVisibility: (...args: Parameters<typeof world.broker.changeVisibility>) =>
        frozen ? Promise.resolve() : world.broker.changeVisibility(...args),
    };
    const silent = world.start({}, { leases, ports: { ...world.ports, broker } });
    const result = await job.delay('long', 300);
    await world.advance(100);
    frozen = true;
    world.start();
    await world.advance(600);
    expect(runs.map(({ name }) => name)).toEqual(['long', 'long']);
    expect(await result.state()).toBe('SUCCESS');
    expect(world.lines.filter((line) => line.includes('another delivery took over'))).toHaveLength(1);
    expect(silent.metrics.value('celeriac_worker_messages_done_total', { queue: 'default' })).toBe(0);
  });

  it('a lease that is refused: its run is told to end', async () => {
    const world = new ProcessWorld({ default: PROCESS });
    const told: number[] = [];
    const heeds = world.app.task('heeds', { bind: true }, async (self) => {
      await new Promise((resolve) => self.signal.addEventListener('abort', resolve));
      told.push(world.at());
    });
    const worker = world.start({}, { leases: { renew: () => Promise.resolve(false) } });
    await heeds.delay();
    await world.advance(40);
    expect(told).toHaveLength(1);
    expect(told[0]).toBeLessThan(30);
    expect(worker.metrics.value('celeriac_worker_leases_lost_total', { queue: 'default' })).toBe(1);
  });

  it('keeps its slot and its place for as long as it runs, and no longer', async () => {
    const { world, runs, job, most } = jobs(undefined, { concurrency: 1 });
    const mortal = world.startMortal();
    world.start();
    await job.delay('first', 400);
    await world.advance(1);
    const second = await job.delay('second', 10);
    await world.advance(380);
    expect(runs.map(({ name }) => name)).toEqual(['first']);
    await world.advance(60);
    expect(await second.get()).toBe('second');
    expect(most()).toBe(1);
    mortal.kill();
    expect((await world.app.control.slots('job')).active).toEqual([]);
  });

  it('oneInstance: for no longer than its timeout', async () => {
    const { world, runs, job } = jobs(undefined, { oneInstance: { timeout: 200 } });
    world.start();
    await job.delay('first', 600);
    await world.advance(180);
    const early = await job.delay('early', 1);
    await world.advance(30);
    const late = await job.delay('late', 1);
    await world.advance(5);
    expect([await early.state(), await late.state()]).toEqual(['IGNORED', 'SUCCESS']);
    await world.advance(600);
    expect(runs.map(({ name }) => name)).toEqual(['first', 'late']);
  });
});

describe('drains', () => {
  it('lets end what runs, takes nothing more, and gives nothing back that has ended', async () => {
    const { world, runs, job } = jobs();
    const worker = world.start({ concurrency: 2 });
    const results = [];
    for (let n = 0; n < 6; n += 1) results.push(await job.delay(`${n}`, 15));
    await world.advance(5);
    const back = await world.during(worker.drain(25));
    expect(back).toBe(0);
    expect(runs.map(({ name }) => name)).toEqual(['0', '1']);
    expect(world.at()).toBeLessThan(20);
    expect(world.broker.depth('default')).toEqual({ visible: 4, delayed: 0, inFlight: 0 });
    expect(worker.health).toEqual({ status: 'draining', running: 0, waiting: 0 });
  });

  it('gives back what is left after its grace, which runs elsewhere at once', async () => {
    const { world, runs, job } = jobs(undefined, { concurrency: 1 });
    const worker = world.startMortal();
    const result = await job.delay('long', 1000);
    await world.advance(300);
    expect(await world.during(worker.worker.drain(25))).toBe(1);
    worker.kill();
    // Two seconds more for those whose signals have aborted.
    expect(world.at()).toBe(327);
    world.start();
    await world.advance(5);
    expect(runs).toHaveLength(2);
    await world.advance(1000);
    expect(await result.get()).toBe('long');
    // It was given back, which is no loss.
    expect(world.lines.filter((line) => line.includes('lost'))).toEqual([]);
  });

  it('a task that must not run twice is not given back: it is lost with its worker', async () => {
    const { world, runs, job } = jobs(undefined, { acksLate: false });
    const worker = world.startMortal();
    const result = await job.delay('once', 1000);
    await world.advance(10);
    await world.during(worker.worker.drain(5));
    worker.kill();
    world.start();
    await world.advance(120);
    await expect(result.get()).rejects.toMatchObject({ name: 'WorkerLostError' });
    expect(runs).toHaveLength(1);
  });

  it('aborts the signal of what is left after its grace, before it goes back', async () => {
    const { world } = jobs();
    const told: [string, number][] = [];
    const polite = world.app.task('polite', { bind: true, acksLate: true }, async (self, takesSeconds: number) => {
      told.push(['begun', world.at()]);
      await new Promise<void>((resolve) => self.signal.addEventListener('abort', () => resolve(), { once: true }));
      await world.clock.sleep(takesSeconds * 1000);
      told.push(['ended', world.at()]);
    });
    const results = [await polite.delay(1), await polite.delay(600)];
    const worker = world.startMortal();
    await world.advance(30);
    expect(await world.during(worker.worker.drain(25))).toBe(2);
    worker.kill();
    // Cleaning up may take a moment; nobody waits for longer.
    expect(told).toEqual([
      ['begun', 0],
      ['begun', 0],
      ['ended', 56],
    ]);
    expect(world.at()).toBe(57);
    expect(world.broker.depth('default')).toEqual({ visible: 2, delayed: 0, inFlight: 0 });
    expect(await Promise.all(results.map((result) => result.state()))).toEqual(['PENDING', 'PENDING']);
    world.start();
    await world.advance(1);
    expect(told.slice(3)).toEqual([
      ['begun', 57],
      ['begun', 57],
    ]);
    expect(world.lines.filter((line) => line.includes('its signal aborts'))).toHaveLength(2);
    expect(world.lines.filter((line) => line.includes('revoked'))).toEqual([]);
  });

  it('what it still does when it was given back is dropped', async () => {
    const { world, job } = jobs();
    const worker = world.start();
    const result = await job.delay('long', 50);
    await world.advance(10);
    await world.during(worker.drain(5));
    await world.advance(60);
    expect(await result.state()).toBe('PENDING');
    expect(world.broker.depth('default')).toEqual({ visible: 1, delayed: 0, inFlight: 0 });
  });

  it('called again it waits for nothing', async () => {
    const { world, job } = jobs();
    const worker = world.start();
    await job.delay('long', 1000);
    await world.advance(10);
    const drained = worker.drain(600);
    await world.advance(3);
    void worker.drain(600);
    expect(await world.during(drained)).toBe(1);
    expect(world.at()).toBeLessThan(20);
  });

  it('the rest of a FIFO group goes back, in order', async () => {
    const { world, runs, job } = jobs({ default: { worker: 'process', fifo: true } });
    for (const name of ['a1', 'a2', 'a3']) await job.applyAsync([name, 20], { groupKey: 'a' });
    const worker = world.start();
    await world.advance(5);
    expect(await world.during(worker.drain(30))).toBe(0);
    expect(runs.map(({ name }) => name)).toEqual(['a1']);
    world.start();
    await world.advance(50);
    expect(runs.map(({ name }) => name)).toEqual(['a1', 'a2', 'a3']);
  });
});

describe('a queue that cannot be received from', () => {
  it('is asked again, later and later, and others go on', async () => {
    const { world, runs, job } = jobs({ default: PROCESS, broken: PROCESS });
    let asked = 0;
    const { MemoryIntake } = await import('../../lib/memory/index.ts');
    const real = new MemoryIntake(world.broker, world.clock);
    const worker = world.start(
      {},
      {
        intake: {
          receive: (request, signal) => {
            if (request.queue !== 'broken') return real.receive(request, signal);
            asked += 1;
            return Promise.reject(new Error('AccessDenied'));
          },
          delete: (queue, receipts) => real.delete(queue, receipts),
        },
      },
    );
    await job.delay('fine', 1);
    await world.advance(120);
    expect(runs).toHaveLength(1);
    expect(asked).toBeGreaterThan(4);
    expect(asked).toBeLessThan(16);
    expect(worker.metrics.value('celeriac_worker_receive_errors_total', { queue: 'broken' })).toBe(asked);
    expect(worker.health.status).toBe('failing');
  });
});

it('the World runs its tasks for hours, too', async () => {
  const app = new Celeriac('hours', { queues: { default: {}, video: PROCESS }, logger: silentLogger });
  const render = app.task('render', { queue: 'video', timeLimit: '4h' }, async (film: string) => {
    await app.clock.sleep(3 * 3_600_000);
    return film;
  });
  using world = new World(app);
  const result = await render.delay('long');
  await world.advance('3h');
  await world.advance('1m');
  expect(await result.get()).toBe('long');
});
