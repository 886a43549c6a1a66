/** Worker processes and paused queues, in virtual time: nothing is begun of one within seconds, and what runs goes on. */
import type { QueueOptions } from 'celeriac';
import { describe, expect, it } from 'vitest';

import { ProcessWorld } from '../support/process-world.ts';

const PROCESS: QueueOptions = { worker: 'process' };
const PAUSE = { sinceMs: 0, by: 'ada', why: 'the disk is full' };

function jobs(queues: Readonly<Record<string, QueueOptions>> = { default: PROCESS }) {
  const world = new ProcessWorld(queues);
  const begun: string[] = [];
  const ended: string[] = [];
  const job = world.app.task('job', async (name: string, seconds: number) => {
    begun.push(name);
    await world.clock.sleep(seconds * 1000);
    ended.push(name);
  });
  return { world, job, begun, ended };
}

describe('a worker process', () => {
  it('begins nothing of a paused queue, ends what runs, and goes on within seconds when it is resumed', async () => {
    const { world, job, begun, ended } = jobs();
    const worker = world.start({ concurrency: 2 });
    await job.delay('runs', 30);
    await world.advance(2);
    await world.pauses.put({ queue: 'default', ...PAUSE });
    await world.advance(6);
    for (const name of ['a', 'b', 'c']) await job.delay(name, 1);
    await world.advance(40);
    expect([begun, ended]).toEqual([['runs'], ['runs']]);
    expect(world.broker.depth('default')).toEqual({ visible: 3, delayed: 0, inFlight: 0 });
    expect(worker.metrics.value('celeriac_worker_paused')).toBe(1);
    expect(worker.health.status).toBe('working');
    await world.pauses.remove('default');
    await world.advance(10);
    expect(ended.toSorted()).toEqual(['a', 'b', 'c', 'runs']);
    expect(world.lines.filter((line) => line.includes('Queue default'))).toEqual([
      'info Queue default is paused by ada: the disk is full. What runs goes on',
      'info Queue default goes on',
    ]);
  });

  it('that starts while its queue is paused takes nothing', async () => {
    const { world, job, begun } = jobs();
    await world.pauses.put({ queue: 'default', ...PAUSE });
    await job.delay('a', 1);
    const worker = world.start();
    await world.advance(120);
    expect(begun).toEqual([]);
    expect(worker.metrics.value('celeriac_worker_messages_received_total', { queue: 'default' })).toBe(0);
  });

  it('gives back at once what comes by a request that was under way, and what waits in it', async () => {
    const { world, job, begun } = jobs({ default: { worker: 'process', priorities: [0, 5] }, other: PROCESS });
    world.start({ concurrency: 1 });
    // Each line is asked for one message, which comes while another runs.
    await world.advance(1);
    await job.applyAsync(['of other', 20], { queue: 'other' });
    await job.applyAsync(['waits', 1], { priority: 5 });
    await world.advance(1);
    await world.pauses.put({ queue: 'default', ...PAUSE });
    await world.advance(6);
    await job.applyAsync(['later', 1], { priority: 0 });
    await world.advance(60);
    expect(begun).toEqual(['of other']);
    for (const queue of ['default', 'default-p5'])
      expect(world.broker.depth(queue)).toEqual({ visible: 1, delayed: 0, inFlight: 0 });
    await job.applyAsync(['of other, too', 1], { queue: 'other' });
    await world.advance(20);
    expect(begun).toEqual(['of other', 'of other, too']);
  });

  it('keeps what it knew where nobody tells, and says so once', async () => {
    const { world, job, begun } = jobs();
    world.start();
    await world.pauses.put({ queue: 'default', ...PAUSE });
    await world.advance(6);
    const list = world.pauses.list.bind(world.pauses);
    world.pauses.list = () => Promise.reject(new Error('AccessDeniedException'));
    await job.delay('a', 1);
    await world.advance(120);
    expect(begun).toEqual([]);
    expect(world.lines.filter((line) => line.includes('could not be read'))).toHaveLength(1);
    world.pauses.list = list;
    await world.pauses.remove('default');
    await world.advance(10);
    expect(begun).toEqual(['a']);
  });

  it('that is drained while its queue is paused ends', async () => {
    const { world, job } = jobs();
    const worker = world.start();
    await world.pauses.put({ queue: 'default', ...PAUSE });
    await world.advance(30);
    await job.delay('a', 1);
    expect(await world.during(worker.drain(5))).toBe(0);
    expect(world.broker.depth('default')).toEqual({ visible: 1, delayed: 0, inFlight: 0 });
  });
});
