/** An app whose queues are all consumed elsewhere: a producer for Python's workers. */
import { Celeriac, group } from 'celeriac';
import { LocalCloud } from 'celeriac/local';
import { World } from 'celeriac/testing';
import { expect, it } from 'vitest';

function producer(defaultQueue?: string) {
  const app = new Celeriac('web', {
    queues: { bulk: { external: true }, celery: { external: true } },
    ...(defaultQueue === undefined ? {} : { defaultQueue }),
  });
  return { app, add: app.remote<(x: number, y: number) => number>('proj.add') };
}

it("its default queue is Celery's, or the one that is named", () => {
  expect(producer().app.settings.defaultQueue).toBe('celery');
  expect(producer('bulk').app.settings.defaultQueue).toBe('bulk');
  expect(new Celeriac('one', { queues: { any: { external: true } } }).settings.defaultQueue).toBe('any');
  expect(() => producer('bluk')).toThrow(
    "defaultQueue: 'bluk' is not declared. Declared are bulk, celery. Did you mean 'bulk'?",
  );
  const mixed = { queues: { default: {}, celery: { external: true } }, defaultQueue: 'celery' } as const;
  expect(() => new Celeriac('mixed', mixed)).toThrow("'celery' is external, and default has a worker here");
});

it('sends at once, later, and groups of any size, none of which needs a worker of ours', async () => {
  const { app, add } = producer();
  const world = new World(app);
  await add.delay(1, 1);
  await add.applyAsync([1, 2], { countdown: '2h' });
  await app.send('proj.unknown.here');
  await group(Array.from({ length: 30 }, (_, index) => add.s(index, 0))).delay();
  expect(world.broker.depth('celery').visible).toBe(32);
  await world.advance('3h');
  const names = world.broker.peekAll('celery').map(({ body }) => Buffer.from(body, 'base64').toString());
  expect(names).toHaveLength(33);
  expect(names.filter((text) => text.includes('"task":"celeriac.'))).toEqual([]);
});

it('works with the local cloud', async () => {
  const { app, add } = producer();
  const cloud = await LocalCloud.start(app);
  try {
    const result = await add.delay(2, 2);
    expect(await result.state()).toBe('PENDING');
  } finally {
    await cloud.stop();
  }
});
