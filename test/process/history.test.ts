/** The history of worker processes: what ends within a second shares an item, and nothing of it is lost. In virtual time. */
import type { QueueOptions } from 'celeriac';
import { expect, it } from 'vitest';

import type { History } from '../../lib/ports/history.ts';
import { ProcessWorld } from '../support/process-world.ts';

/** @param refuse whether the store is out of order */
function kept(queue: QueueOptions = {}, refuse: () => boolean = () => false) {
  const world = new ProcessWorld({ default: { worker: 'process', ...queue } });
  const { history } = world;
  const runs: [name: string, atSeconds: number][] = [];
  const written: number[] = [];
  const watched: History = Object.assign(Object.create(history) as History, {
    put: async (items: Parameters<History['put']>[0]) => {
      if (refuse()) throw Object.assign(new Error('out of order'), { retryable: true });
      await history.put(items);
      written.push(...items.map(() => world.at()));
    },
  });
  const job = world.app.task('job', async (name: string, seconds: number) => {
    runs.push([name, world.at()]);
    await world.clock.sleep(seconds * 1000);
    return name;
  });
  const parts = { ports: { ...world.ports, history: watched } };
  const listed = async (): Promise<string[]> =>
    (await world.app.history.list({ from: '1d' })).entries.map(({ repr }) => repr ?? '').toSorted();
  return { world, job, parts, runs, written, listed };
}

it('what ends within a second shares an item, and no task waits for it', async () => {
  const { world, job, parts, runs, written, listed } = kept();
  for (let n = 0; n < 8; n += 1) await job.delay(`${n}`, 0.25);
  world.start({ concurrency: 2 }, parts);
  await world.advance(3);
  // Two at a time, a quarter of a second each.
  expect(runs.map(([, at]) => at)).toEqual([0, 0, 0.25, 0.25, 0.5, 0.5, 0.75, 0.75]);
  expect(written).toEqual([1.25]);
  expect(await listed()).toHaveLength(8);
  expect(world.broker.depth('default')).toEqual({ visible: 0, delayed: 0, inFlight: 0 });
});

it('a hundred are written before the second is over', async () => {
  const { world, job, parts, written, listed } = kept();
  for (let n = 0; n < 250; n += 1) await job.delay(`${n}`, 0.01);
  world.start({ concurrency: 50 }, parts);
  await world.advance(0.5);
  expect(written).toHaveLength(2);
  await world.advance(2);
  expect(written).toHaveLength(3);
  expect(await listed()).toHaveLength(50);
});

it('killed before they are written: those that come again are found to have ended, and written', async () => {
  const { world, job, runs, listed } = kept();
  for (let n = 0; n < 3; n += 1) await job.delay(`${n}`, 0);
  const mortal = world.startMortal();
  await world.advance(0.5);
  mortal.kill();
  expect(await listed()).toEqual([]);
  world.start();
  await world.advance(120);
  expect(await listed()).toEqual(["('0', 0)", "('1', 0)", "('2', 0)"]);
  expect(runs).toHaveLength(3);
});

it('not stored: its message stays, and its next delivery writes it', async () => {
  const isOut = { ofOrder: true };
  const { world, job, parts, runs, listed } = kept({}, () => isOut.ofOrder);
  world.start({}, parts);
  await job.delay('one', 0);
  await world.advance(5);
  expect(world.broker.depth('default')).toEqual({ visible: 0, delayed: 0, inFlight: 1 });
  isOut.ofOrder = false;
  await world.advance(120);
  expect(await listed()).toEqual(["('one', 0)"]);
  expect(runs).toHaveLength(1);
  expect(world.broker.depth('default')).toEqual({ visible: 0, delayed: 0, inFlight: 0 });
});

it('drained: written at once, and nothing is delivered again', async () => {
  const { world, job, parts, written, listed } = kept();
  await job.delay('before', 0);
  await job.delay('after', 3);
  const worker = world.start({}, parts);
  await world.advance(0.5);
  const drained = worker.drain(25);
  await world.advance(0.001);
  expect(written).toEqual([0.5]);
  expect(await world.during(drained)).toBe(0);
  expect(written).toEqual([0.5, 3]);
  expect(await listed()).toHaveLength(2);
  expect(world.broker.depth('default')).toEqual({ visible: 0, delayed: 0, inFlight: 0 });
});

it('a FIFO group is not held up: each is written at once', async () => {
  const { world, job, parts, runs, written } = kept({ fifo: true });
  for (let n = 0; n < 4; n += 1) await job.applyAsync([`${n}`, 0.25], { groupKey: 'g' });
  world.start({ concurrency: 1 }, parts);
  await world.advance(1);
  expect(runs.map(([, at]) => at)).toEqual([0, 0.25, 0.5, 0.75]);
  expect(written).toEqual([0.25, 0.5, 0.75, 1]);
});
