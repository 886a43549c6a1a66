/** `groupKey` of a task: whose message group its calls join, where a call names none. */
import { Celeriac, chain, chord, crontab, InvalidKey, InvalidOption, silentLogger, type TaskOptions } from 'celeriac';
import { World } from 'celeriac/testing';
import { describe, expect, it } from 'vitest';

import { groupOf } from '../../lib/producer/group-key.ts';

function newWorld(options: TaskOptions = {}) {
  const app = new Celeriac('groups', { queues: { default: {}, orders: { fifo: true } }, logger: silentLogger });
  const starts: string[] = [];
  const task = app.task(
    'pay',
    { queue: 'orders', groupKey: (tenant: string) => tenant, ...options },
    async (tenant: string, step: number): Promise<string> => {
      starts.push(`${tenant}${step} at ${(world.clock.nowMs() - world.startMs) / 1000}`);
      await world.clock.sleep(10_000);
      return tenant;
    },
  );
  const world = Object.assign(new World(app), { startMs: 0 });
  world.startMs = world.clock.nowMs();
  const groups: (string | undefined)[] = [];
  const send = world.broker.send.bind(world.broker);
  world.broker.send = (items) => {
    groups.push(...items.map(({ groupId }) => groupId));
    return send(items);
  };
  return { app, task, world, starts, groups };
}

describe('groupKey of a task', () => {
  it('orders the calls of a key, and no others', async () => {
    const { world, task, starts } = newWorld();
    for (const [tenant, step] of [
      ['a', 1],
      ['a', 2],
      ['b', 1],
      ['a', 3],
    ] as const)
      await task.delay(tenant, step);
    await world.drain();
    expect(starts.toSorted()).toEqual(['a1 at 0', 'a2 at 10', 'a3 at 20', 'b1 at 0']);
  });

  it('is the tenant in a standard queue, too; a call may name another', async () => {
    const { task, groups } = newWorld({ queue: 'default' });
    await task.delay('acme', 1);
    await task.applyAsync(['acme', 2], { groupKey: 'other' });
    expect(groups).toEqual(['acme', 'other']);
  });

  it('is text for all calls, and in FIFO queues the task itself by default', async () => {
    const { app, task, groups } = newWorld({ groupKey: 'one-line' });
    const plain = app.task('plain', { queue: 'orders' }, () => 1);
    const free = app.task('free', () => 1);
    await task.delay('acme', 1);
    await plain.delay();
    await free.delay();
    expect(groups).toEqual(['one-line', 'plain', undefined]);
  });

  it('may be text that SQS would not take: it stands for the same group each time', async () => {
    const { task, groups } = newWorld();
    for (const tenant of ['Müller & Söhne', 'x'.repeat(200), 'Müller & Söhne']) await task.delay(tenant, 1);
    expect(groups[0]).toMatch(/^[\x21-\x7e]{1,128}$/);
    expect(groups[1]).toMatch(/^[\x21-\x7e]{1,128}$/);
    expect(groups[2]).toBe(groups[0]);
    expect(groups[1]).not.toBe(groups[0]);
  });

  it('stays through retries', async () => {
    const { app, world, groups } = newWorld();
    const again = app.task(
      'again',
      { bind: true, queue: 'orders', groupKey: (key: string) => key },
      (self, _key: string) => {
        if (self.request.retries === 0) throw self.retry({ args: ['z'], countdown: 5 });
        return self.request.retries;
      },
    );
    const result = await again.delay('a');
    await world.drain();
    expect(await result.get()).toBe(1);
    expect(groups.filter((group) => group !== undefined)).toEqual(['a', 'a']);
  });

  it('sees what a chain and a header give to who follows', async () => {
    const { app, world, task, groups } = newWorld();
    const seen: unknown[][] = [];
    const step = app.task(
      'step',
      {
        queue: 'orders',
        groupKey: (...args: unknown[]) => {
          seen.push(args);
          return 'steps';
        },
      },
      (...args: unknown[]) => args.length,
    );
    await chain(task.s('acme', 1), step.s('more')).delay();
    await chord([task.s('acme', 2), task.s('b', 1)], step.s('last')).delay();
    await world.drain();
    expect(seen).toEqual([
      ['acme', 'more'],
      [['acme', 'b'], 'last'],
    ]);
    expect(groups.filter((group) => group === 'steps')).toHaveLength(2);
  });

  it('sees nothing of the results of a large header, which are read where its body runs', () => {
    const { app } = newWorld({ groupKey: (results: unknown, tenant: string) => `${String(results)} ${tenant}` });
    const definition = app.registry.get('pay');
    const gather = { id: 'header', size: 500, policy: 'celery' } as never;
    const message = { task: 'pay', args: ['acme'], kwargs: {} };
    expect(groupOf({ ...message, celeriac: { gather } }, definition)).toBe('undefined acme');
  });

  it.each([
    [
      'throws',
      () => {
        throw new TypeError('no tenant');
      },
      "groupKey of task 'pay' threw TypeError: no tenant",
    ],
    ['gives a number', () => 7 as unknown as string, 'gave 7'],
    ['gives no text', () => '', 'text of 1 to 256 characters'],
    ['promises one', () => Promise.resolve('later') as unknown as string, 'without waiting'],
  ])('a function that %s is told to who sends', async (_what, groupKey, text) => {
    const { task, groups } = newWorld({ groupKey });
    const sent = task.delay('acme', 1);
    await expect(sent).rejects.toThrow(InvalidKey);
    await expect(sent).rejects.toThrow(text);
    expect(groups).toEqual([]);
  });

  it('a step whose group cannot be told fails, and says why', async () => {
    const { app, world, task } = newWorld({ queue: 'default', groupKey: 'first' });
    const step = app.task('step', { groupKey: () => '' }, (tenant: string) => tenant);
    const result = await chain(task.s('acme', 1), step.s()).delay();
    await world.drain();
    await expect(result.get()).rejects.toMatchObject({ name: 'InvalidKey' });
  });

  it('is checked where it is declared', () => {
    for (const groupKey of ['a b', '', 'ä', 'x'.repeat(129), 7, null])
      expect(() => newWorld({ groupKey: groupKey as string })).toThrow(InvalidOption);
    expect(() => newWorld({ groupKey: 'a b' })).toThrow("groupKey of task 'pay': 'a b' given; SQS takes");
  });

  it('of many calls in one message is none that a function could tell', async () => {
    const { task, groups, world } = newWorld();
    await task
      .starmap([
        ['a', 1],
        ['b', 1],
      ])
      .delay();
    expect(groups).toEqual(['celery.starmap']);
    await world.drain();
  });

  it('has schedule entries swept, since rules know no group', () => {
    const { app, task } = newWorld({ queue: 'default' });
    app.beat({ daily: { task: task.s('acme', 1), schedule: crontab({ minute: 0, hour: 3 }) } });
    expect(app.manifest().beat[0]).toMatchObject({ firedBy: 'sweep' });
  });
});
