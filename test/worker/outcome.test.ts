/** What is written of an outcome: the document, what it names, and how large it may be. */
import { type TaskContext } from 'celeriac';
import { describe, expect, it } from 'vitest';

import { DYNAMODB_MAX_ITEM_BYTES } from '../../lib/base/limits.ts';
import { newWorld } from '../support/worlds.ts';

describe('resultExtended', () => {
  const extended = () =>
    newWorld(
      (app) =>
        app.task('job', { bind: true, defaultRetryDelay: 1 }, (self, text: string) => {
          if (self.request.retries === 0) throw self.retry();
          return text.length;
        }),
      { resultExtended: true, queues: { default: {}, other: {} } },
    );

  it('names the task, what it was called with, its queue, worker and attempt', async () => {
    const { world, tasks } = extended();
    const result = await tasks.applyAsync(['one'], { kwargs: { more: 2 }, queue: 'other' });
    await world.drain('1m');
    expect(await result.name()).toBe('job');
    expect(await result.args()).toEqual(['one']);
    expect(await result.kwargs()).toEqual({ more: 2 });
    expect(await result.queue()).toBe('other');
    expect(await result.worker()).toBe('other@test');
    expect(await result.retries()).toBe(1);
  });

  it('leaves out arguments of over 32 KB, counted in bytes', async () => {
    // `[["..."],{}]` is nine bytes besides the text, and 'ä' is two.
    for (const [text, stored] of [
      ['x'.repeat(32_768 - 9), true],
      ['x'.repeat(32_768 - 8), false],
      ['ä'.repeat(16_379), true],
      ['ä'.repeat(16_380), false],
    ] as const) {
      const { world, tasks } = extended();
      const result = await tasks.delay(text);
      await world.drain('1m');
      expect(await result.get()).toBe(text.length);
      expect(await result.args()).toEqual(stored ? [text] : undefined);
      expect(await result.kwargs()).toEqual(stored ? {} : undefined);
      expect(await result.name()).toBe('job');
    }
  });

  it('takes what no JSON of ours would have, and Python has: NaN', async () => {
    const { world } = extended();
    const body = '[["x", NaN], {}, {}]';
    const headers = { lang: 'py', task: 'job', id: 'py', root_id: 'py', retries: 1 };
    const properties = { correlation_id: 'py', delivery_info: { routing_key: 'default' } };
    const content = { 'content-encoding': 'utf-8', 'content-type': 'application/json' };
    await world.broker.send([{ queue: 'default', body: JSON.stringify({ body, ...content, headers, properties }) }]);
    await world.run();
    const [record] = await world.backend.get(['py'], world.clock.nowMs());
    expect(record).toMatchObject({ status: 'SUCCESS', meta: expect.stringContaining('NaN') });
  });

  it('is off by default: nothing of the arguments is stored', async () => {
    const { world, tasks } = newWorld((app) => app.task('job', (text: string) => text.length));
    const result = await tasks.delay('secret');
    await world.run();
    expect([await result.args(), await result.kwargs(), await result.worker()]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect(JSON.stringify(world.backend.all())).not.toContain('secret');
  });
});

it('NaN of Python goes on to what follows, which gets what it would get from Python', async () => {
  const { world, tasks } = newWorld((app) => {
    const given: unknown[] = [];
    app.task('other', () => 1);
    app.task('next', (...args: unknown[]) => void given.push(args));
    return given;
  });
  const callbacks = [
    { task: 'next', args: [Number.NaN], kwargs: {}, options: {}, subtask_type: null, immutable: true },
  ];
  const embed = JSON.stringify({ callbacks }).replace('[null]', '[NaN]');
  const headers = { lang: 'py', task: 'other', id: 'py', root_id: 'py' };
  const properties = { correlation_id: 'py', delivery_info: { routing_key: 'default' } };
  const content = { 'content-encoding': 'utf-8', 'content-type': 'application/json' };
  await world.broker.send([
    { queue: 'default', body: JSON.stringify({ body: `[[], {}, ${embed}]`, ...content, headers, properties }) },
  ]);
  await world.run();
  expect(tasks).toEqual([[Number.NaN]]);
});

describe('children', () => {
  it('what follows is named by the last attempt, not by one that is tried again; what a run sent, by its own', async () => {
    const { app, world, tasks } = newWorld((of) => {
      const next = of.task('next', () => 1);
      const job = of.task('job', { bind: true }, async (self: TaskContext) => {
        await next.applyAsync([], { taskId: `sent-${self.request.retries}` });
        if (self.request.retries === 0) throw self.retry({ countdown: 60 });
      });
      return { next, job };
    });
    const { next, job } = tasks;
    const result = await job.applyAsync([], { link: next.si().set({ taskId: 'linked' }) });
    const ids = async (): Promise<string[]> => (await app.result(result.id).children()).map(({ id }) => id);
    await world.advance('10s');
    expect(await result.state()).toBe('RETRY');
    expect(await ids()).toEqual(['sent-0']);
    await world.drain('5m');
    expect(await ids()).toEqual(['sent-1', 'linked']);
  });
});

describe('the size of a record', () => {
  // Its result, and 4 KB for our own attributes.
  it('fills an item of the store to its last byte, and not one more', async () => {
    const { world, tasks } = newWorld((app) => app.task('job', (bytes: number) => 'x'.repeat(bytes)));
    const small = await tasks.delay(0);
    await world.run();
    const [record] = await world.backend.get([small.id], world.clock.nowMs());
    const around = (record?.meta?.length ?? 0) + (record?.settlement?.length ?? 0);
    const most = DYNAMODB_MAX_ITEM_BYTES - 4096 - around;
    const full = await tasks.delay(most);
    const over = await tasks.delay(most + 1);
    await world.run();
    expect(await full.get()).toHaveLength(most);
    await expect(over.get()).rejects.toMatchObject({
      name: 'ResultTooLarge',
      message: expect.stringContaining(`takes ${DYNAMODB_MAX_ITEM_BYTES + 1} bytes`),
    });
  });

  it('counts bytes, not characters', async () => {
    const { world, tasks } = newWorld((app) => app.task('job', (count: number) => 'ä'.repeat(count)));
    const result = await tasks.delay(DYNAMODB_MAX_ITEM_BYTES / 2);
    await world.run();
    await expect(result.get()).rejects.toMatchObject({ name: 'ResultTooLarge' });
  });
});
