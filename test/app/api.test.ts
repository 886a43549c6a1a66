import {
  Celeriac,
  chain,
  currentApp,
  enqueue,
  enqueueMany,
  ImproperlyConfigured,
  InvalidOption,
  Retry,
  type TaskOptions,
} from 'celeriac';
import { afterEach, describe, expect, it } from 'vitest';
import * as v from 'valibot';

import { setCurrentApp } from '../../lib/app/app.ts';
import { newWorld } from '../support/worlds.ts';

afterEach(() => setCurrentApp(undefined));

class Money {
  readonly amount = 1;
}

describe('declaring tasks', () => {
  it('a task is still a plain function', () => {
    const app = new Celeriac('plain');
    const add = app.task('math.add', (x: number, y: number) => x + y);
    const bound = app.task('bound', { bind: true }, (self, x: number) => [self.request.calledDirectly, x]);
    expect(add(1, 2)).toBe(3);
    expect(bound(5)).toEqual([true, 5]);
    expect(add.taskName).toBe('math.add');
  });

  it('a plain call of retry() throws the cause, as in Celery', () => {
    const app = new Celeriac('plain');
    const job = app.task('job', { bind: true }, (self) => self.retry({ exc: new RangeError('why') }));
    expect(() => job()).toThrow(new RangeError('why'));
  });

  it('names itself by its function', () => {
    const app = new Celeriac('names');
    expect(
      app.task(function sum(x: number) {
        return x;
      }).taskName,
    ).toBe('sum');
    expect(() => app.task(() => 1)).toThrow('has no name');
  });

  it('a class task is callable as a plain function, its context included', () => {
    const app = new Celeriac('classes');
    class Greet extends app.Task<[name: string], string> {
      override run(name: string): string {
        return `${this.request.task} ${name} ${this.request.calledDirectly}`;
      }
    }
    expect(app.register(Greet)('ada')).toBe('Greet ada true');
    expect(() => app.task(Greet as never)).toThrow('Register it with app.register(Greet)');
  });

  it('the manifest is plain data: queues, limits, and where routes send each task', () => {
    const app = new Celeriac('shop', {
      queues: { default: {}, mail: { concurrency: 10, batchSize: 5, batchWindow: '2s' }, orders: { fifo: true } },
      routes: [
        ['mail.*', 'mail'],
        [/^order/, { queue: 'orders' }],
      ],
      resultExpires: '2h',
    });
    app.task('mail.send', { timeLimit: '5m', softTimeLimit: 60 }, () => 1);
    app.task('order.place', () => 1);
    app.task('own', { queue: 'mail' }, () => 1);
    const manifest = app.manifest();
    expect(JSON.parse(JSON.stringify(manifest))).toEqual(manifest);
    expect(manifest).toEqual({
      name: 'shop',
      defaultQueue: 'default',
      queues: {
        default: { fifo: false },
        mail: { fifo: false, concurrency: 10, batchConcurrency: 5, batchSize: 5, batchWindowSeconds: 2 },
        orders: { fifo: true },
      },
      tasks: {
        'mail.send': { queue: 'mail', timeLimitSeconds: 300, softTimeLimitSeconds: 60 },
        'order.place': { queue: 'orders' },
        own: { queue: 'mail' },
      },
      resultExpiresSeconds: 7200,
      timerShards: 8,
      beat: [],
    });
  });

  it.each([
    [{ que: {} }, "'que' is no option"],
    [{ queues: {} }, 'declare at least one queue'],
    [{ queues: { 'no spaces': {} } }, 'is no queue name'],
    [{ queues: { q: { concurrency: 1 } } }, 'from 2 to 1000'],
    [{ queues: { q: { batchSize: 11 } } }, 'from 1 to 10'],
    [{ queues: { q: { fifo: true, batchWindow: 1 } } }, 'only 0 on a FIFO queue'],
    [{ queues: { q: { batchWindow: 301 } } }, '0 to 300 s'],
    [{ defaultQueue: 'nowhere' }, "'nowhere' is not declared"],
    [{ timezone: 'Mars/Olympus' }, 'is no IANA time zone'],
    [{ resultExpires: 0 }, 'is no duration'],
    [{ maxDeliveries: 0 }, 'from 1 to 1000'],
    [{ timerShards: 65 }, 'from 1 to 64'],
    [{ retryPolicy: { tries: 3 } }, "'tries' is no option"],
  ])('refuses app options %j', (options, message) => {
    expect(() => new Celeriac('bad', options as never)).toThrow(message);
  });

  it('two tasks of one name are refused, with both places', () => {
    const app = new Celeriac('twice');
    app.task('same', () => 1);
    expect(() => app.task('same', () => 2)).toThrow(
      /Two tasks are named 'same': one at .*api\.test\.ts:\d+:\d+, one at .*api\.test\.ts:\d+:\d+/,
    );
  });

  it.each<[string, unknown, RegExp]>([
    ['a class without run()', Money, /^Task class Money has no method run\(\)\. Give it one/],
    ['a function', () => 1, /^register\(\): the function .* given\. .*app\.task\(\)/],
    ['nothing', undefined, /^register\(\): undefined given\. Give a class such as/],
    ['an instance', { run: () => 1 }, /^register\(\): \{\} given\. Give a class/],
  ])('register() of %s says what to give', (_what, given, message) => {
    const app = new Celeriac('register');
    expect(() => app.register(given as never)).toThrow(message);
    expect(() => app.register(given as never)).toThrow(ImproperlyConfigured);
    expect(app.registry.names()).toEqual([]);
  });

  it('class tasks inherit options and handlers; abstract bases are not registered', async () => {
    const log: unknown[] = [];
    const { world, app } = newWorld((celeriac) => {
      abstract class Base<R> extends celeriac.Task<[name: string], R> {
        static override readonly abstract = true;
        static override readonly options: TaskOptions = { maxRetries: 1, defaultRetryDelay: 1 };
        override onSuccess(value: unknown): void {
          log.push(['success', value]);
        }
        override onRetry(error: unknown): void {
          log.push(['retry', (error as Error).message]);
        }
      }
      class CreateUser extends Base<{ name: string }> {
        static override readonly taskName = 'users.create';
        static override readonly options: TaskOptions = { trackStarted: true };
        override run(name: string): { name: string } {
          if (name === 'flaky' && this.request.retries === 0) return this.retry({ exc: new Error('once more') });
          return { name };
        }
      }
      celeriac.register(CreateUser);
      expect(() => celeriac.register(Base as never)).toThrow('Task class Base is abstract');
      return CreateUser;
    });
    expect(app.registry.get('users.create').options).toMatchObject({ maxRetries: 1, trackStarted: true });
    const result = await app.send('users.create', ['flaky']);
    await world.drain('1m');
    expect(await result.get()).toEqual({ name: 'flaky' });
    expect(log).toEqual([
      ['retry', 'once more'],
      ['success', { name: 'flaky' }],
    ]);
  });

  it.each([
    [{ maxretries: 3 }, "'maxretries' is no option"],
    [{ maxRetries: -1 }, 'a whole number from 0'],
    [{ retryBackoff: 'fast' }, "'fast' given"],
    [{ softTimeLimit: 30, timeLimit: 20 }, 'longer than the time limit'],
    [{ defaultRetryDelay: '3 minutes' }, "'3 minutes' is no duration"],
    [{ autoretryFor: FetchErrorName }, 'a list of error classes'],
    [{ bind: 1 }, 'true or false is allowed'],
  ])('refuses options %j', (options, message) => {
    const app = new Celeriac('options');
    expect(() => app.task('t', options as never, () => 1)).toThrow(message);
    expect(() => app.task('t', options as never, () => 1)).toThrow(InvalidOption);
  });
});
const FetchErrorName = 'FetchError';

describe('calling tasks', () => {
  it.each([
    [{ countdwn: 1 }, 'INVALID_OPTION', "'countdwn' is no option"],
    [{ countdown: -1 }, 'INVALID_OPTION', 'is no duration'],
    [{ countdown: 1, eta: new Date(0) }, 'INVALID_OPTION', 'both are given'],
    [{ eta: 1_900_000_000_000 }, 'INVALID_OPTION', 'looks like milliseconds'],
    [{ eta: 'tomorrow' }, 'INVALID_OPTION', "'tomorrow' is no instant"],
    [{ queue: 'nowhere' }, 'QUEUE_NOT_FOUND', "Queue 'nowhere' is not declared. Declared are: default"],
    [{ priority: 10 }, 'INVALID_OPTION', 'from 0 to 9'],
    [{ taskId: '' }, 'INVALID_OPTION', '1 to 128 characters'],
    [{ headers: { id: 'x' } }, 'INVALID_OPTION', "'id' is a header of the protocol"],
    [{ headers: { when: new Map() } }, 'NOT_SERIALIZABLE', 'when'],
  ])('refuses %j before anything is sent', async (options, code, message) => {
    const { world, tasks } = newWorld((app) => ({ job: app.task('job', () => 1) }));
    await expect(tasks.job.applyAsync([], options as never)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(message),
    });
    expect(world.broker.depth('default')).toEqual({ visible: 0, delayed: 0, inFlight: 0 });
  });

  it.each([
    ['BigInt', [{ user: { id: 1n } }], 'args[0].user.id is a BigInt;'],
    ['a function', [[() => 1]], 'args[0][0] is a function'],
    ['a class instance', [new Map()], 'args[0]'],
    ['NaN', [Number.NaN], 'args[0]'],
    ['a cycle', [cyclic()], 'args[0].self'],
  ])('refuses arguments that are no JSON: %s', async (_what, args, message) => {
    const { tasks } = newWorld((app) => ({ job: app.task('job', (_value: unknown) => 1) }));
    await expect(tasks.job.applyAsync(args as [unknown])).rejects.toMatchObject({
      code: 'NOT_SERIALIZABLE',
      message: expect.stringContaining(message),
    });
  });

  it('undefined: absent at the end of the arguments, null between them, left out of objects', async () => {
    const seen: unknown[] = [];
    const { world, tasks } = newWorld((app) => ({
      job: app.task('job', (first?: unknown, second = 'default', ...rest: unknown[]) => {
        seen.push([first, second, ...rest]);
        return { kept: first, gone: undefined, list: [undefined] };
      }),
      again: app.task(
        'again',
        { bind: true },
        (self, first: number, second: string | undefined = 'default'): unknown => {
          if (self.request.retries === 0) return self.retry({ args: [first, undefined], countdown: 1 });
          return seen.push([first, second]);
        },
      ),
    }));
    const { job, again } = tasks;
    const sent = await job.delay(1, undefined);
    await job.delay(undefined, undefined);
    await job.applyAsync([undefined, 'x', undefined, 3]);
    await job.s(2, undefined).delay();
    await chain(job.si(3, undefined), again.si(4, undefined)).delay();
    await job.starmap([[5, undefined]]).delay();
    await job.chunks([[6, undefined]], 1).delay();
    await world.run();
    await world.advance('5s');
    expect(seen).toEqual(
      expect.arrayContaining([
        [1, 'default'],
        [undefined, 'default'],
        [null, 'x', null, 3],
        [2, 'default'],
        [3, 'default'],
        [4, 'default'],
        [5, 'default'],
        [6, 'default'],
      ]),
    );
    expect(seen).toHaveLength(8);
    expect([await sent.state(), await sent.get()]).toEqual(['SUCCESS', { kept: 1, list: [null] }]);
  });

  it('refuses a message over 1 MiB, naming both sizes', async () => {
    const { tasks } = newWorld((app) => ({ job: app.task('job', (_value: string) => 1) }));
    await expect(tasks.job.delay('x'.repeat(700_000))).rejects.toMatchObject({
      code: 'MESSAGE_TOO_LARGE',
      message: expect.stringMatching(/\d{7} .*1048576/s),
    });
    await expect(tasks.job.applyAsync(['x'.repeat(300_000)], { countdown: '2h' })).rejects.toMatchObject({
      code: 'MESSAGE_TOO_LARGE',
      message: expect.stringContaining('409600'),
    });
  });

  it('tells what to do without an environment', async () => {
    const app = new Celeriac('lonely');
    const job = app.task('job', () => 1);
    await expect(job.delay()).rejects.toMatchObject({
      code: 'MISSING_ENVIRONMENT',
      message: expect.stringContaining('service.grantEnqueue(fn)'),
    });
    setCurrentApp(undefined);
    await expect((async () => enqueue('job', []))()).rejects.toMatchObject({ code: 'MISSING_ENVIRONMENT' });
  });

  it('enqueue by task, by name, and many', async () => {
    const { world, app, tasks } = newWorld((celeriac) => ({
      add: celeriac.task('math.add', (x: number, y: number) => x + y),
    }));
    setCurrentApp(app);
    expect(currentApp()).toBe(app);
    const byTask = await enqueue(tasks.add, [1, 2]);
    const byName = await enqueue<typeof tasks.add>('math.add', [3, 4]);
    const many = await enqueueMany(Array.from({ length: 25 }, (_, index) => tasks.add.s(index, 1)));
    await world.run();
    expect([await byTask.get(), await byName.get()]).toEqual([3, 7]);
    expect(await Promise.all(many.map((result) => result.get()))).toEqual(
      Array.from({ length: 25 }, (_, index) => index + 1),
    );
  });

  it('enqueueMany retries partial failures and reports what is left, per item', async () => {
    const { world, app, tasks } = newWorld((celeriac) => ({ job: celeriac.task('job', (_index: number) => 1) }));
    const failing = new Set([1, 3]);
    let calls = 0;
    const { broker } = world;
    app.use({
      ...world.ports,
      broker: {
        changeVisibility: (queue, receipt, seconds) => broker.changeVisibility(queue, receipt, seconds),
        async send(items) {
          calls += 1;
          const passed = items.filter((_, index) => !failing.has(index) || calls > 1);
          const sent = await broker.send(passed);
          return items.map((item) =>
            passed.includes(item)
              ? (sent[passed.indexOf(item)] ?? { ok: false, code: 'X', message: '', retryable: false })
              : { ok: false, code: 'Throttled', message: 'slow down', retryable: true },
          );
        },
      },
    });
    await enqueueMany([0, 1, 2, 3].map((index) => tasks.job.s(index)));
    expect([calls, world.broker.depth('default').visible]).toEqual([2, 4]);
    calls = 0;
    app.use({
      ...world.ports,
      broker: {
        ...bound(broker),
        send(items) {
          calls += 1;
          const fails = (index: number): boolean => calls > 1 || index === 1;
          return Promise.resolve(
            items.map((_, index) =>
              fails(index)
                ? { ok: false, code: 'Throttled', message: 'slow down', retryable: true }
                : { ok: true, messageId: String(index) },
            ),
          );
        },
      },
    });
    const report = enqueueMany(['a', 'b', 'c'].map((taskId, index) => tasks.job.signature([index], { taskId })));
    await expect(report).rejects.toMatchObject({
      code: 'ENQUEUE_FAILED',
      message: expect.stringContaining('1 of 3 messages were not sent'),
      outcomes: [
        { ok: true, id: 'a' },
        { ok: false, id: 'b', code: 'Throttled', message: 'slow down' },
        { ok: true, id: 'c' },
      ],
    });
    // Celery's policy: three retries after the first try.
    expect(calls).toBe(4);
  });

  it('the schema is asked at enqueue and again before the run', async () => {
    const { world, tasks, app } = newWorld((celeriac) => ({
      job: celeriac.task('job', { schema: v.tuple([v.object({ id: v.number() })]) }, (user: { id: number }) => user.id),
    }));
    await expect(tasks.job.delay({ id: 'x' } as never)).rejects.toMatchObject({
      code: 'INVALID_ARGUMENTS',
      message: expect.stringContaining('args.0.id'),
    });
    const good = await tasks.job.delay({ id: 7 });
    await world.run();
    expect(await good.get()).toBe(7);
    const elsewhere = new Celeriac('elsewhere').use(world.ports);
    const bad = await elsewhere.send('job', ['nonsense']);
    await world.run();
    await expect(app.result(bad.id).get()).rejects.toMatchObject({ name: 'InvalidArguments' });
  });

  it('one id sent twice runs once', async () => {
    let runs = 0;
    const { world, tasks } = newWorld((app) => ({ job: app.task('job', () => (runs += 1)) }));
    await tasks.job.applyAsync([], { taskId: 'one' });
    await tasks.job.applyAsync([], { taskId: 'one' });
    await world.drain();
    expect(runs).toBe(1);
  });

  it('a Retry is an error with its code across copies of the library', () => {
    expect(Retry.is(new Retry('r', 0, undefined, {}))).toBe(true);
    expect(Retry.is(new Error('r'))).toBe(false);
  });
});

function cyclic(): object {
  const value: Record<string, unknown> = {};
  value['self'] = value;
  return value;
}

function bound<
  T extends {
    changeVisibility(queue: string, receipt: string, seconds: number): Promise<void>;
  },
>(broker: T): Pick<T, 'changeVisibility'> {
  return {
    changeVisibility: (queue, receipt, seconds) => broker.changeVisibility(queue, receipt, seconds),
  };
}
