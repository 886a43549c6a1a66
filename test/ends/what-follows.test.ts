/** Errors of user code while the next step is prepared, and refusals of services: the step ends, with its reason, at once. */
import { chain, chord } from 'celeriac';
import type { Ports } from 'celeriac';
import { expect, it } from 'vitest';

import { newWorld } from '../support/worlds.ts';
import { counting, tapped } from '../support/port-taps.ts';

const broken = (message: string): never => {
  throw new RangeError(message);
};

/** The same schema on both sides of the wire would already refuse the call: this one is changed by then. */
function schemaOf(validate: (args: readonly unknown[]) => unknown): object {
  return {
    schema: {
      '~standard': { version: 1, vendor: 'test', validate: (args: readonly unknown[]) => validate(args) },
    },
  };
}

function refusal(): Error {
  return Object.assign(new Error('One or more parameter values were invalid'), {
    name: 'ValidationException',
    $fault: 'client',
  });
}

it.each([
  ['throws', () => broken('the schema')],
  ['rejects', () => Promise.reject(new RangeError('the schema'))],
])('a schema that %s when a chain goes on', async (_what, validate) => {
  let runs = 0;
  const { world, tasks } = newWorld((app) => ({
    first: app.task('first', () => {
      runs += 1;
      return 1;
    }),
    second: app.task('second', schemaOf(validate), (value: number) => value),
    third: app.task('third', (value: number) => value),
  }));
  const result = await chain(tasks.first.s(), tasks.second.s(), tasks.third.s()).delay();
  const startMs = world.clock.nowMs();
  await world.drain('4d');
  await expect(result.get({ timeout: 1 })).rejects.toMatchObject({ name: 'RangeError', message: 'the schema' });
  expect(runs).toBe(1);
  // At once: nothing came back to be tried again.
  expect(world.clock.nowMs() - startMs).toBeLessThan(10_000);
});

it('a schema that never answers when a chain goes on', async () => {
  const { world, tasks } = newWorld(
    (app) => ({
      first: app.task('first', () => 1),
      second: app.task(
        'second',
        schemaOf(() => new Promise(() => {})),
        (value: number) => value,
      ),
      other: app.task('other', () => 2),
    }),
    {},
    { invocation: 60 },
  );
  const result = await chain(tasks.first.s(), tasks.second.s()).delay();
  const other = await tasks.other.delay();
  await world.run();
  expect(await other.state()).toBe('SUCCESS');
  await world.drain('4d');
  await expect(result.get({ timeout: 1 })).rejects.toMatchObject({ code: 'TIME_LIMIT_EXCEEDED' });
});

it('a schema that never answers before the run', async () => {
  const { world, app, tasks } = newWorld((app) =>
    app.task('task', { timeLimit: 5, ...schemaOf(() => new Promise(() => {})) }, () => 1),
  );
  const id = '5f1b6a0e-0000-4000-8000-000000000001';
  void tasks;
  // By a sender that does not know the tasks' names.
  app.taskNames = () => undefined;
  await app.send('unknown-here', [], { taskId: id });
  const body = world.broker.peekAll('default')[0]?.body ?? '';
  const renamed = Buffer.from(Buffer.from(body, 'base64').toString().replaceAll('unknown-here', 'task')).toString(
    'base64',
  );
  await world.broker.send([{ queue: 'default', body: renamed }]);
  await world.drain('1h');
  await expect(app.result(id).get({ timeout: 1 })).rejects.toMatchObject({ code: 'TIME_LIMIT_EXCEEDED' });
});

it('a router that throws when a link, a chain or the body of a chord is sent', async () => {
  let strict = false;
  const { world, app, tasks } = newWorld(
    (app) => ({
      first: app.task('first', () => 1),
      link: app.task('link', (value: number) => value),
      sum: app.task('sum', (values: readonly number[]) => values.length),
    }),
    { routes: (name: string) => (strict && name !== 'first' ? broken(`no way to ${name}`) : undefined) },
  );
  const linked = await tasks.first.applyAsync([], { link: tasks.link.s().set({ taskId: 'the-link' }) });
  const chained = await chain(tasks.first.s(), tasks.link.s()).delay();
  const all = await chord([tasks.first.s(), tasks.first.s()], tasks.sum.s()).delay();
  strict = true;
  const startMs = world.clock.nowMs();
  await world.drain('4d');
  expect(await linked.state()).toBe('SUCCESS');
  for (const each of [app.result('the-link'), chained, all])
    await expect(each.get({ timeout: 1 })).rejects.toMatchObject({ message: expect.stringMatching(/^no way to/) });
  expect(world.clock.nowMs() - startMs).toBeLessThan(10_000);
});

function refusing(call: string, error: () => unknown, times = Infinity): (ports: Ports) => Ports {
  let left = times;
  return (ports) =>
    tapped(
      ports,
      (name, go) => {
        if (name !== call || left <= 0) return go();
        left -= 1;
        return Promise.reject(error());
      },
      ['broker', 'backend', 'timers', 'groups'],
    );
}

it.each(['backend.claim', 'backend.commit', 'backend.conclude', 'timers.put', 'broker.send', 'groups.mark'])(
  '%s is refused for good: within bounded tries it ends, and says why',
  async (call) => {
    let runs = 0;
    const { world, tasks } = newWorld(
      (app) => ({
        member: app.task('member', { bind: true }, (self) => {
          runs += 1;
          if (call === 'timers.put' && self.request.retries === 0) throw self.retry({ countdown: '2h' });
          return 1;
        }),
        sum: app.task('sum', (values: readonly number[]) => values.length),
      }),
      {},
      { wrapPorts: refusing(call, refusal) },
    );
    const result = await chord([tasks.member.s()], tasks.sum.s()).delay();
    await world.drain('4d');
    const deadLetters = world.deadLetters();
    const state = await result.state();
    // Where no state can be written, the dead letter says it.
    if (state !== 'FAILURE' && state !== 'SUCCESS')
      expect(deadLetters.map(({ attributes }) => attributes['error'])).toContainEqual(
        expect.stringContaining('ValidationException'),
      );
    expect(runs).toBeLessThanOrEqual(6);
    expect(world.broker.peekAll('default')).toEqual([]);
    expect(world.broker.peekAll('__lost__')).toEqual([]);
  },
);

it('a group that can never be counted: the body of its chord fails with that reason', async () => {
  const { world, tasks } = newWorld(
    (app) => ({
      member: app.task('member', () => 1),
      sum: app.task('sum', (values: readonly number[]) => values.length),
    }),
    {},
    { wrapPorts: refusing('groups.mark', refusal) },
  );
  const result = await chord([tasks.member.s(), tasks.member.s()], tasks.sum.s()).delay();
  await world.drain('4d');
  await expect(result.get({ timeout: 1 })).rejects.toMatchObject({ name: 'ValidationException' });
  expect(world.broker.peekAll('default')).toEqual([]);
});

it('a retry that stands and can never be sent: the attempt that it announced fails', async () => {
  let runs = 0;
  const { world, tasks: task } = newWorld(
    (app) =>
      app.task('task', { bind: true }, (self) => {
        runs += 1;
        throw self.retry({ countdown: '2h' });
      }),
    {},
    { wrapPorts: refusing('timers.put', refusal) },
  );
  const result = await task.delay();
  await world.drain('4d');
  await expect(result.get({ timeout: 1 })).rejects.toMatchObject({ name: 'EnqueueFailed' });
  expect(runs).toBe(1);
  expect(world.backend.all()).toMatchObject([{ id: result.id, status: 'FAILURE', attempt: 1, committed: 1 }]);
});

it('an outcome that the store refuses is FAILURE with that reason, after one run', async () => {
  let runs = 0;
  const { world, tasks: task } = newWorld(
    (app) => app.task('task', () => (runs += 1)),
    {},
    {
      wrapPorts: refusing('backend.commit', refusal, 1),
    },
  );
  const result = await task.delay();
  await world.drain('1d');
  expect(runs).toBe(1);
  await expect(result.get({ timeout: 1 })).rejects.toMatchObject({ name: 'ValidationException' });
});

it('an outcome that is refused, and then a throttle: nothing is decided yet, and the task runs again', async () => {
  let runs = 0;
  const answers = [
    refusal,
    (): Error => Object.assign(new Error('slow down'), { name: 'ThrottlingException', $fault: 'client' }),
  ];
  const { world, tasks: task } = newWorld(
    (app) => app.task('task', () => (runs += 1)),
    {},
    {
      wrapPorts: (ports) =>
        tapped(
          ports,
          (call, go) => {
            const answer = call === 'backend.commit' ? answers.shift() : undefined;
            if (answer !== undefined) throw answer();
            return go();
          },
          ['backend'],
        ),
    },
  );
  const result = await task.delay();
  await world.drain('1d');
  expect([await result.get({ timeout: 1 }), runs]).toEqual([2, 2]);
});

it('a message that comes again when its task has ended costs one claim, and no other write', async () => {
  const calls: string[] = [];
  const { world, tasks: task } = newWorld(
    (app) => app.task('task', () => 1),
    {},
    { wrapPorts: (ports) => tapped(ports, counting(calls), ['backend']) },
  );
  await task.delay();
  const [message] = world.broker.peekAll('default');
  await world.run();
  expect(calls).toEqual(['backend.claim', 'backend.commit']);
  await world.broker.send([{ queue: 'default', body: message?.body ?? '' }]);
  await world.run();
  expect(calls).toEqual(['backend.claim', 'backend.commit', 'backend.claim']);
});

it('a throttle is no refusal: the task runs on when it is over', async () => {
  const throttled = (): Error =>
    Object.assign(new Error('slow down'), { name: 'ThrottlingException', $fault: 'client' });
  const { world, tasks: task } = newWorld(
    (app) => app.task('task', () => 1),
    {},
    {
      wrapPorts: refusing('backend.claim', throttled, 20),
    },
  );
  const result = await task.delay();
  await world.drain('1d');
  expect(await result.get({ timeout: 1 })).toBe(1);
});

it('a logger that throws changes nothing', async () => {
  const { world, tasks: task } = newWorld(
    (app) => app.task('task', () => 1),
    {},
    {
      logger: { log: () => broken('the logger') },
    },
  );
  const result = await task.delay();
  await world.drain('1d');
  expect(await result.get({ timeout: 1 })).toBe(1);
});
