/** The history of a world: what ended is listed once, as it ended. */
import { Celeriac, Ignore, Reject } from 'celeriac';
import { World } from 'celeriac/testing';
import { describe, expect, it } from 'vitest';

const START = Date.parse('2030-05-06T07:08:09Z');

function shop(options: ConstructorParameters<typeof Celeriac>[1] = {}) {
  const app = new Celeriac('shop', { queues: { default: {}, mail: {} }, ...options });
  const world = new World(app, { start: new Date(START) });
  const clock = world.clock;
  return {
    app,
    world,
    add: app.task('math.add', (x: number, y: number) => x + y),
    slow: app.task('slow', (ms: number) => clock.sleep(ms)),
    fails: app.task('fails', { queue: 'mail' }, (why: string) => {
      throw new TypeError(why);
    }),
    flaky: app.task('flaky', { autoretryFor: [RangeError], maxRetries: 2, defaultRetryDelay: 60 }, () => {
      throw new RangeError('not yet');
    }),
    rejects: app.task('rejects', () => {
      throw new Reject('unwanted', { requeue: false });
    }),
    ignores: app.task('ignores', () => {
      throw new Ignore('nothing');
    }),
    retryOnce: app.task('retryOnce', { bind: true, maxRetries: 1 }, (self) => {
      if (self.request.retries === 0) throw self.retry({ countdown: 30 });
      return 'done';
    }),
  };
}

it('workers that died under a task are counted once it has ended, and what a task gave back is not', async () => {
  let dies = 2;
  const app = new Celeriac('shop', { queues: { default: {} } });
  const world = new World(app, {
    start: new Date(START),
    // Twice a worker is gone before it has stored how the task ended: nobody hears of it again.
    wrapPorts: (ports) => ({
      ...ports,
      backend: new Proxy(ports.backend, {
        get: (target, key) =>
          key === 'commit'
            ? (requests: Parameters<typeof target.commit>[0]) => {
                dies -= 1;
                return dies >= 0 ? new Promise(() => {}) : target.commit(requests);
              }
            : (Reflect.get(target, key) as () => unknown).bind(target),
      }),
    }),
  });
  let rejected = false;
  const job = app.task('job', () => {
    if (dies > 0 || rejected) return 'done';
    rejected = true;
    throw new Reject('not now', { requeue: true });
  });
  const { id } = await job.delay();
  await world.drain('1d');
  const story = await app.history.task(id);
  expect(story?.attempts).toMatchObject([{ state: 'SUCCESS', deliveries: 4, lostRuns: 2 }]);
  await world.advance('5m');
  for (const every of ['minute', 'hour', 'day'] as const) {
    const { total, tasks } = await app.stats({ every, from: '1d' });
    expect([total.count, total.lostRuns, tasks[0]?.lostRuns]).toEqual([1, 2, 2]);
  }
});

describe('the history', () => {
  it('lists what ended, the newest first, with arguments shown, errors and times', async () => {
    const { app, world, add, fails, slow } = shop();
    const first = await add.delay(1, 2);
    await world.run();
    await world.advance('1m');
    const second = await fails.delay('no such mail');
    await world.run();
    await world.advance('1h');
    const third = await slow.applyAsync([1500], { countdown: 10 });
    await world.drain();
    const { entries, cursor, readBackTo } = await app.history.list();
    expect(entries.map(({ id }) => id)).toEqual([third.id, second.id, first.id]);
    expect(entries[1]).toMatchObject({
      task: 'fails',
      queue: 'mail',
      state: 'FAILURE',
      attempt: 0,
      error: 'TypeError: no such mail',
      repr: "('no such mail',)",
      deliveries: 1,
      endedAt: new Date(START + 60_000),
      runSeconds: 0,
    });
    expect(entries[0]).toMatchObject({ waitSeconds: 0, runSeconds: 1.5, state: 'SUCCESS', error: null });
    expect(cursor).toBeNull();
    expect(readBackTo.getTime()).toBeLessThanOrEqual(START);
  });
});
