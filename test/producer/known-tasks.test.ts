/** A sender that knows the service's tasks refuses a name that is none of them. */
import { Celeriac, chain, chord, currentApp, enqueue, enqueueMany, group, NotRegistered, signature } from 'celeriac';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { setCurrentApp } from '../../lib/app/app.ts';
import { packTaskNames, unpackTaskNames } from '../../lib/base/task-names.ts';
import { newWorld } from '../support/worlds.ts';

afterEach(() => {
  setCurrentApp(undefined);
  vi.unstubAllEnvs();
});

function shop() {
  return newWorld(
    (app) => ({
      charge: app.task('orders.charge', (id: unknown) => id),
      list: app.task('orders.list', (all: unknown) => all),
      py: app.remote('proj.add', { queue: 'celery' }),
    }),
    { queues: { default: {}, celery: { external: true } }, routes: { 'proj.*': 'celery' } },
  );
}

describe('an app with its tasks', () => {
  const wrong = signature('orders.chrage', { args: [1] });
  it.each<[string, (tasks: ReturnType<typeof shop>['tasks']) => Promise<unknown>]>([
    ['enqueue', () => enqueue('orders.chrage', [1])],
    ['send', () => currentApp().send('orders.chrage', [1])],
    ['enqueueMany', ({ charge }) => enqueueMany([charge.s(1), wrong])],
    ['a chain', ({ charge }) => chain(charge.s(1), wrong as never).delay()],
    ['a group', ({ charge }) => group([charge.s(1), wrong]).delay()],
    ['the body of a chord', ({ charge }) => chord([charge.s(1)], chain(wrong as never)).delay()],
    ['a link', ({ charge }) => charge.s(1).link(wrong).delay()],
    ['an error link', ({ charge, list }) => group([list.s(1), charge.s(1).linkError(wrong)]).delay()],
  ])('refuses it in %s, and sends nothing', async (_what, send) => {
    const { world, tasks } = shop();
    const sent = send(tasks);
    await expect(sent).rejects.toThrow(NotRegistered);
    await expect(sent).rejects.toThrow(
      "No worker of 'test' knows a task named 'orders.chrage'. Did you mean 'orders.charge'? They know orders.charge, orders.list.",
    );
    expect(world.broker.depth('default').visible).toBe(0);
  });

  it('leaves what others run, undeclared queues and built-in tasks alone', async () => {
    const { world, tasks } = shop();
    await enqueue('proj.other', [1]);
    await currentApp().send('any.name', [], { queue: 'celery' });
    await signature('any.name').set({ queue: 'celery' }).delay();
    await tasks.charge.map([1]).delay();
    await expect(currentApp().send('any.name', [], { queue: 'nowhere' })).rejects.toMatchObject({
      code: 'QUEUE_NOT_FOUND',
    });
    expect([world.broker.depth('celery').visible, world.broker.depth('default').visible]).toEqual([3, 1]);
  });

  it('an app without tasks knows none, and refuses none', async () => {
    const { world } = newWorld(() => ({}));
    await enqueue('orders.chrage', [1]);
    expect(world.broker.depth('default').visible).toBe(1);
  });
});

describe('a deployed function', () => {
  const QUEUES = { CELERIAC_QUEUES: '{"default":"http://localhost/default"}' };
  function deployed(variables: Record<string, string>): void {
    for (const [name, value] of Object.entries({
      ...QUEUES,
      CELERIAC_RESULTS_TABLE: 'results',
      CELERIAC_STATE_TABLE: 'state',
      ...variables,
    }))
      vi.stubEnv(name, value);
    setCurrentApp(undefined);
  }

  it('is told the names, and loads none of the code', async () => {
    deployed({ CELERIAC_TASKS: packTaskNames(['orders.list', 'orders.charge']) });
    await expect(enqueue('orders.chrage', [1])).rejects.toThrow("Did you mean 'orders.charge'?");
    expect(currentApp().taskNames()).toEqual(new Set(['orders.charge', 'orders.list']));
  });

  it.each([{}, { CELERIAC_TASKS: 'not packed' }])('told nothing (%j), it refuses nothing', (variables) => {
    deployed(variables as Record<string, string>);
    const app = new Celeriac('part');
    app.task('one.of.many', () => 1);
    expect(app.taskNames()).toBeUndefined();
  });

  it('names come back from their packed form; 100 of them take little', () => {
    const name = fc.stringMatching(/^[\w$.:/-]{1,60}$/);
    fc.assert(
      fc.property(fc.uniqueArray(name, { minLength: 1 }), (names) => {
        expect(unpackTaskNames(packTaskNames(names))).toEqual(names.toSorted());
      }),
    );
    const rooms = ['orders', 'mail', 'billing', 'search', 'reports'];
    const many = rooms.flatMap((room) => Array.from({ length: 20 }, (_, index) => `${room}.sendDailyReport${index}`));
    expect(packTaskNames(many).length).toBeLessThan(700);
  });
});
