/** A queue that nobody declared is refused by the manifest and at synth, and by nothing later. */
import { Stack } from 'aws-cdk-lib';
import { type AppManifest, type AppOptions, Celeriac, chain, InvalidOption, QueueNotFound } from 'celeriac';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { TaskService } from '../../infra/index.ts';
import { ENTRY, newApp as newCdkApp } from '../infra/stacks.ts';
import { newWorld } from '../support/worlds.ts';

const QUEUES: NonNullable<AppOptions['queues']> = { default: {}, orders: { fifo: true }, celery: { external: true } };

function synthesized(app: AppManifest): unknown {
  return new TaskService(new Stack(newCdkApp(), 'Test'), 'Tasks', { app, entry: ENTRY });
}

function manifest(): AppManifest {
  const app = new Celeriac('shop', { queues: QUEUES });
  const pack = app.task('pack', { queue: 'orders' }, () => 1);
  app.remote('proj.add', { queue: 'celery' });
  app.beat({ nightly: { task: pack.s(), schedule: '1d' } });
  return app.manifest();
}

describe('a manifest that was read back', () => {
  const declared = 'Declared are: default, celery.';
  // The app has lost a queue since it was written.
  const { orders: _orders, ...queues } = manifest().queues;
  const stale: AppManifest = { ...manifest(), queues };
  it.each<[string, AppManifest, string]>([
    [
      'a task',
      stale,
      `queue of task 'pack': Queue 'orders' is not declared. ${declared} Add it to the app's queues, or`,
    ],
    [
      'a schedule entry',
      { ...stale, tasks: {} },
      `schedule entry 'nightly': Queue 'orders' is not declared. ${declared}`,
    ],
    [
      'the default queue',
      { ...stale, defaultQueue: 'defualt' },
      `default queue of app 'shop': Queue 'defualt' is not declared. ${declared} Did you mean 'default'?`,
    ],
  ])('is refused at synth for %s', (_what, app, text) => {
    expect(() => synthesized(app)).toThrow(QueueNotFound);
    expect(() => synthesized(app)).toThrow(text);
  });

  it('is taken as it was written', () => {
    expect(() => synthesized(JSON.parse(JSON.stringify(manifest())) as AppManifest)).not.toThrow();
  });
});

describe('a task that runs elsewhere', () => {
  const text =
    /^Task 'proj\.add' runs elsewhere, and queue 'default' has its worker here\. Declare the queue of its own workers/;
  it('is refused where nothing sends it to a queue of its workers, as its first call would be', async () => {
    const { app, tasks } = newWorld((declaring) => ({ add: declaring.remote('proj.add') }), { queues: QUEUES });
    expect(() => app.manifest()).toThrow(InvalidOption);
    expect(() => app.manifest()).toThrow(text);
    await expect(tasks.add.delay()).rejects.toThrow(text);
    const other = new Celeriac('shop', { queues: QUEUES, routes: { 'proj.*': 'default' } });
    other.remote('proj.add');
    expect(() => other.manifest()).toThrow(text);
    const { celery: _celery, ...tasksOnly } = manifest().queues;
    expect(() => synthesized({ ...manifest(), queues: { ...tasksOnly, celery: { fifo: false } } })).toThrow(
      "Task 'proj.add' runs elsewhere, and queue 'celery' has its worker here.",
    );
  });

  it('is taken where a function of the routes may send it there: the call decides', async () => {
    const route = (_name: string, [queue]: readonly unknown[]): string => String(queue);
    const { app, tasks } = newWorld((declaring) => ({ add: declaring.remote('proj.add') }), {
      queues: QUEUES,
      routes: [route],
    });
    expect(app.manifest().tasks['proj.add']).toEqual({ queue: 'default', remote: true, routed: true });
    await tasks.add.delay('celery');
    await expect(tasks.add.delay('default')).rejects.toThrow(text);
    await expect(tasks.add.delay('nowhere')).rejects.toThrow(QueueNotFound);
    expect(() => synthesized(app.manifest())).not.toThrow();
  });
});

it('a link of an entry is checked with the entry, and a composite has a task that starts it', () => {
  const app = new Celeriac('shop', { queues: QUEUES });
  const job = app.task('job', () => 1);
  const task = job.s().link(job.si().set({ queue: 'ordres' }));
  expect(() => app.beat({ hourly: { task, schedule: '1h' } })).toThrow(
    /entry 'hourly': queue of 'job': Queue 'ordres' is not declared\. .* Did you mean 'orders'\?/,
  );
  expect(() => app.beat({ hourly: { task: chain(job.s(), job.si()) as never, schedule: '1h' } })).toThrow(
    'cannot be scheduled',
  );
});

const NAMES = ['default', 'orders', 'celery', 'nowhere'] as const;
const name = fc.constantFrom(...NAMES);
const route = fc.oneof(name, fc.record({ queue: name }), fc.constant({ priority: 3 }));
const APP = fc.record({
  queues: fc
    .tuple(fc.boolean(), fc.boolean(), fc.boolean(), fc.boolean())
    .filter((declared) => declared.includes(true))
    .map((declared) => Object.fromEntries(Object.entries(QUEUES).filter((_entry, index) => declared[index])))
    .filter((queues) => Object.keys(queues).length > 0),
  defaultQueue: fc.option(name, { nil: undefined }),
  routes: fc.option(
    fc.oneof(
      fc.dictionary(fc.constantFrom('a.*', 'a.one', 'b.two', '*'), route),
      fc.array(fc.tuple(fc.constantFrom('a.*', 'a.one', 'b.two'), route), { maxLength: 3 }),
    ),
    { nil: undefined },
  ),
  tasks: fc.uniqueArray(
    fc.record({
      name: fc.constantFrom('a.one', 'a.two', 'b.two'),
      queue: fc.option(name, { nil: undefined }),
      remote: fc.boolean(),
    }),
    { minLength: 1, selector: (task) => task.name },
  ),
});

it('for any app: the manifest is given if and only if each task finds its queue at its first call', async () => {
  const seen = { given: 0, refused: 0 };
  await fc.assert(
    fc.asyncProperty(APP, async ({ queues, defaultQueue, routes, tasks }) => {
      const options = {
        queues,
        ...(defaultQueue === undefined ? {} : { defaultQueue }),
        ...(routes === undefined ? {} : { routes: routes as NonNullable<AppOptions['routes']> }),
      };
      const declare = (app: Celeriac): (() => Promise<unknown>)[] =>
        tasks.map((task) => {
          const own = task.queue === undefined ? {} : { queue: task.queue };
          const made = task.remote ? app.remote(task.name, own) : app.task(task.name, own, () => 1);
          return () => made.delay();
        });
      let made: ReturnType<typeof newWorld<(() => Promise<unknown>)[]>>;
      try {
        made = newWorld(declare, options);
      } catch (error) {
        // Told at the declaration: something in it is wrong by itself, a name or the kind of a queue.
        expect(error).toSatisfy((refusal) => refusal instanceof QueueNotFound || refusal instanceof InvalidOption);
        return;
      }
      const ends = await Promise.allSettled(made.tasks.map((call) => call()));
      const isFound = ends.every(({ status }) => status === 'fulfilled');
      let isGiven = true;
      try {
        const { queues: declared, tasks: listed } = made.app.manifest();
        for (const { queue } of Object.values(listed)) expect(declared).toHaveProperty([queue]);
      } catch (error) {
        if (!(error instanceof QueueNotFound) && !(error instanceof InvalidOption)) throw error;
        isGiven = false;
      }
      expect(isGiven).toBe(isFound);
      seen[isGiven ? 'given' : 'refused'] += 1;
    }),
    { numRuns: 400 },
  );
  // It has seen both.
  expect(Math.min(seen.given, seen.refused)).toBeGreaterThan(5);
});
