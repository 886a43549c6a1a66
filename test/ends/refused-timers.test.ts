/** Stored messages that no queue takes any more when they are due. */
import { type AppOptions, chain, chord } from 'celeriac';
import { describe, expect, it } from 'vitest';
import type { Timer } from '../../lib/ports/timers.ts';
import { newWorld } from '../support/worlds.ts';
import { dueTimers } from '../support/due-timers.ts';

function timersWorld(options: AppOptions = {}) {
  const ran: string[] = [];
  const parts = newWorld(
    (app) => ({
      job: app.task('job', () => void ran.push('job')),
      next: app.task('next', () => void ran.push('next')),
    }),
    options,
  );
  const { world } = parts;
  /** As if a deployment had taken their queue away. */
  const moveTimers = async (queue: string): Promise<readonly Timer[]> => {
    const timers = await dueTimers(world.timers, Infinity);
    await world.timers.remove(timers);
    await world.timers.put(timers.map((timer) => ({ ...timer, message: { ...timer.message, queue } })));
    return timers;
  };
  return { ...parts, ran, moveTimers };
}

describe('a timer whose queue is gone', () => {
  it('ends its task with the reason, one dead letter, and tells what follows', async () => {
    const { world, tasks, ran, moveTimers } = timersWorld();
    const first = tasks.job.s().set({ countdown: '1h' });
    const result = await chain(first, tasks.next.si()).delay();
    expect(await moveTimers('gone')).toHaveLength(1);
    await world.advance('74m');
    expect(await result.state()).toBe('PENDING');
    await world.advance('10m');
    const error = await result.get({ propagate: false });
    expect(error).toMatchObject({
      name: 'EnqueueFailed',
      message: expect.stringContaining("there is no queue 'gone'"),
    });
    expect(world.deadLetters().map(({ attributes }) => attributes['reason'])).toEqual(['cannot be sent']);
    expect([world.timers.size(), ran]).toEqual([0, []]);
  });

  it('tells what follows by another queue where its own, though declared, takes nothing for good', async () => {
    const { world, tasks, ran } = timersWorld({ queues: { default: {}, mail: {} } });
    const delayed = tasks.job.s().set({ countdown: '1h', queue: 'mail' });
    const result = await chord([delayed, tasks.job.s()], tasks.next.si()).delay();
    const send = world.broker.send.bind(world.broker);
    world.broker.send = async (messages) =>
      messages.some(({ queue, deadLetter }) => queue === 'mail' && deadLetter === undefined)
        ? messages.map(() => ({ ok: false, code: 'QueueDoesNotExist', message: 'deleted by hand', retryable: false }))
        : await send(messages);
    await world.advance('84m');
    expect(await result.state()).toBe('FAILURE');
    expect([world.timers.size(), ran]).toEqual([0, ['job']]);
  });

  it('runs when the queue is back in time', async () => {
    const { world, tasks, ran, moveTimers } = timersWorld();
    const result = await tasks.job.applyAsync([], { countdown: '1h' });
    await moveTimers('gone');
    await world.advance('70m');
    await moveTimers('default');
    await world.advance('5m');
    expect([await result.state(), ran]).toEqual(['SUCCESS', ['job']]);
  });

  it('stays where no state can be written, and leaves with a dead letter in the end', async () => {
    const { world, tasks, moveTimers } = timersWorld();
    await tasks.job.applyAsync([], { countdown: '1h' });
    await moveTimers('gone');
    world.backend.conclude = () => Promise.reject(new TypeError('denied'));
    await world.advance('80m');
    expect([world.timers.size(), world.deadLetters().length]).toEqual([1, 0]);
    await world.advance('20m');
    expect(world.timers.size()).toBe(0);
    // The second one is from the worker that was to tell what follows, and could not write either.
    expect(world.deadLetters().map(({ attributes }) => attributes['reason'])).toEqual([
      'cannot be sent',
      'cannot be handled',
    ]);
  });
});
