/** Names of queues with a slip of the fingers in them: told when they are declared, not by the first call in production. */
import { type AppOptions, Celeriac, QueueNotFound } from 'celeriac';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { didYouMean, nearest } from '../../lib/base/nearest.ts';
import { newWorld } from '../support/worlds.ts';

const QUEUES: NonNullable<AppOptions['queues']> = {
  default: {},
  mail: {},
  orders: { fifo: true },
  celery: { external: true },
};

function newApp(options: AppOptions = {}): Celeriac {
  return new Celeriac('shop', { queues: QUEUES, ...options });
}

describe('a queue that is not declared', () => {
  const declarations: Readonly<Record<string, () => unknown>> = {
    "queue of task 'mail.send'": () => newApp().task('mail.send', { queue: 'mial' }, () => 1),
    "queue of task 'CreateUser'": () => {
      const app = newApp();
      class CreateUser extends app.Task {
        static override readonly options = { queue: 'mial' };
        override run(): void {}
      }
      return app.register(CreateUser);
    },
    "queue of task 'proj.add'": () => newApp().remote('proj.add', { queue: 'mial' }),
    "routes: the route of 'mail.*'": () => newApp({ routes: { 'mail.*': 'mial' } }),
    "routes: the route of 'mail.a'": () => newApp({ routes: [['mail.a', { queue: 'mial', priority: 3 }]] }),
    "routes: the route of '/^mail/'": () => newApp({ routes: [() => undefined, [/^mail/, 'mial']] }),
    "routes: the route of 'b'": () => newApp({ routes: [{ a: 'mail', b: 'mial' }] }),
    "entry 'hourly'": () => {
      const app = newApp();
      const job = app.task('job', () => 1);
      return app.beat({ hourly: { task: job.s(), schedule: '1h', options: { queue: 'mial' } } });
    },
    "entry 'daily'": () => {
      const app = newApp();
      const job = app.task('job', () => 1);
      return app.beat({ daily: { task: job.s().set({ queue: 'mial' }), schedule: '1d' } });
    },
  };
  it.each(Object.entries(declarations))('%s', (field, declare) => {
    expect(declare).toThrow(QueueNotFound);
    expect(declare).toThrow(
      `${field}: Queue 'mial' is not declared. Declared are: default, mail, orders, celery. Did you mean 'mail'? `,
    );
  });

  it('is told at the call and in a retry as well', async () => {
    const { world, tasks } = newWorld(
      (app) => ({ job: app.task('job', { bind: true }, (self) => self.retry({ queue: 'mial' })) }),
      { queues: QUEUES },
    );
    await expect(tasks.job.applyAsync([], { queue: 'mial' })).rejects.toThrow("Did you mean 'mail'?");
    const result = await tasks.job.delay();
    await world.run();
    await expect(result.get()).rejects.toMatchObject({ code: 'QUEUE_NOT_FOUND', message: /Did you mean 'mail'/ });
  });

  it("has Celery's name where it is FIFO", async () => {
    const { app, world, tasks } = newWorld(
      (declaring) => ({ job: declaring.task('job', { queue: 'orders.fifo' }, () => 1) }),
      { queues: QUEUES, routes: { 'x.*': 'orders.fifo' } },
    );
    expect(app.manifest().tasks['job']?.queue).toBe('orders');
    await tasks.job.delay();
    expect(world.broker.depth('orders').visible).toBe(1);
  });
});

describe('routes', () => {
  it.each<[string, unknown]>([
    ['a pair that is not in a list', ['mail.*', 'mail']],
    ['a pair without a pattern', [[3, 'mail']]],
    ['three parts', [['mail.*', 'mail', 3]]],
    ['a queue that is no text', { 'mail.*': { queue: 3 } }],
    ['a route that is none', { 'mail.*': 3 }],
    ['an unknown option', { 'mail.*': { queu: 'mail' } }],
    ['a priority out of range', { 'mail.*': { queue: 'mail', priority: 10 } }],
    ['text', 'mail'],
  ])('refuses %s', (_what, routes) => {
    expect(() => newApp({ routes: routes as never })).toThrow(/^routes: /);
  });

  it('the manifest names patterns that match no task, unless others may run theirs', () => {
    const app = newApp({
      routes: [
        { 'mail.*': 'mail', 'mial.*': 'mail', 'proj.*': 'celery', 'mail.sned': { queue: 'mail' }, 'a.b': {} },
        [/^web\./, 'mail'],
      ],
    });
    app.task('mail.send', () => 1);
    expect(app.manifest().idleRoutes).toEqual(['mial.*', 'mail.sned', String.raw`/^web\./`]);
    app.task('web.x', () => 1);
    app.task('mail.sned', () => 1);
    app.task('mial.x', () => 1);
    expect(app.manifest().idleRoutes).toBeUndefined();
  });
});

describe('the nearest name', () => {
  it.each([
    ['mial', ['mail', 'main'], 'mail'],
    ['orders.chrage', ['orders.charge', 'orders.change'], 'orders.charge'],
    ['math.ad', ['math.add', 'math.mul'], 'math.add'],
    ['Mail', ['mail'], 'mail'],
    ['nowhere', ['default', 'mail'], undefined],
    ['x'.repeat(1000), ['x'.repeat(1001)], undefined],
    ['mail', [], undefined],
  ])('of %s', (given, names, meant) => {
    expect(nearest(given, names)).toBe(meant);
    expect(didYouMean(given, names)).toBe(meant === undefined ? '' : ` Did you mean '${meant}'?`);
  });

  it('is found for every name with one slip in it', () => {
    const name = fc.stringMatching(/^[a-z]{3,12}$/);
    fc.assert(
      fc.property(name, fc.nat(), fc.constantFrom('drop', 'double', 'swap', 'change'), (meant, at, slip) => {
        const index = at % (meant.length - 1);
        const [head, first = '', second = '', tail] = [
          meant.slice(0, index),
          meant[index],
          meant[index + 1],
          meant.slice(index + 2),
        ];
        const middle = { drop: second, double: first + first + second, swap: second + first, change: `_${second}` };
        expect(nearest(head + middle[slip] + tail, [meant])).toBe(meant);
      }),
    );
  });
});
