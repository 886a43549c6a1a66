/** Signals: Celery's names and moments, in virtual time. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  Celeriac,
  chain,
  currentTask,
  group,
  Ignore,
  InvalidOption,
  Reject,
  type SignalName,
  type TaskSignals,
} from 'celeriac';
import { World } from 'celeriac/testing';

import { SIGNAL_NAMES } from '../../lib/task/signals.ts';

const RUN_NAMES = SIGNAL_NAMES.filter((name) => !name.endsWith('Publish'));

interface Seen {
  readonly name: SignalName | string;
  readonly signal: Record<string, unknown>;
}

/** Notes each signal of `names`, and each handler of a task. */
function listening(app: Celeriac, names: readonly SignalName[] = RUN_NAMES) {
  const seen: Seen[] = [];
  for (const name of names)
    app.on(name, (signal: TaskSignals[typeof name]) => {
      seen.push({ name, signal: signal as unknown as Record<string, unknown> });
    });
  const hook =
    (name: string) =>
    (...args: readonly unknown[]): void => {
      seen.push({ name, signal: { args } });
    };
  const hooks = {
    beforeStart: hook('beforeStart'),
    onSuccess: hook('onSuccess'),
    onRetry: hook('onRetry'),
    onFailure: hook('onFailure'),
    afterReturn: hook('afterReturn'),
  };
  return {
    seen,
    hooks,
    names: (): string =>
      seen.map(({ name, signal: { state } }) => (typeof state === 'string' ? `${name} ${state}` : name)).join(', '),
    of: (name: SignalName) => seen.filter((each) => each.name === name).map(({ signal }) => signal),
  };
}

describe('a run', () => {
  const ENDINGS: Record<string, { run: () => unknown; expected: string }> = {
    success: {
      run: () => 'done',
      expected: 'taskPrerun, beforeStart, onSuccess, taskSuccess, afterReturn, taskPostrun SUCCESS',
    },
    failure: {
      run: () => {
        throw new TypeError('no');
      },
      expected: 'taskPrerun, beforeStart, onFailure, taskFailure, afterReturn, taskPostrun FAILURE',
    },
    'a retry, then success': {
      run: () => {
        const self = currentTask();
        if (self.request.retries === 0) return self.retry({ countdown: 1, exc: new RangeError('again') });
        return 1;
      },
      expected:
        'taskPrerun, beforeStart, onRetry, taskRetry, taskPostrun RETRY, taskPrerun, beforeStart, onSuccess, taskSuccess, afterReturn, taskPostrun SUCCESS',
    },
    Ignore: {
      run: () => {
        throw new Ignore();
      },
      expected: 'taskPrerun, beforeStart, taskPostrun IGNORED',
    },
    'Reject(requeue: false)': {
      run: () => {
        throw new Reject('bad');
      },
      expected: 'taskPrerun, beforeStart, taskRejected, taskPostrun REJECTED',
    },
    'Reject(requeue: true), then success': {
      run: () => {
        if (!currentTask().request.deliveryInfo.redelivered) throw new Reject('later', { requeue: true });
        return 1;
      },
      expected:
        'taskPrerun, beforeStart, taskPostrun REJECTED, taskPrerun, beforeStart, onSuccess, taskSuccess, afterReturn, taskPostrun SUCCESS',
    },
  };

  describe.each(Object.entries(ENDINGS))('%s', (_, { run, expected }) => {
    it.each([false, true])('idempotent: %s', async (idempotent) => {
      const app = new Celeriac('signals');
      const { names, hooks } = listening(app);
      const task = app.task('signals.run', { idempotent, ...hooks }, run);
      const world = new World(app);
      await task.delay();
      await world.drain();
      expect(names()).toBe(expected);
    });
  });

  it('tells what it ran with, and how it ended', async () => {
    const app = new Celeriac('signals');
    const { of } = listening(app);
    const add = app.task('math.add', (x: number, y: number) => x + y);
    const world = new World(app);
    const { id } = await add.delay(2, 3);
    await world.drain();
    const run = { task: 'math.add', id, args: [2, 3], kwargs: {} };
    expect(of('taskPrerun')).toEqual([{ ...run, request: expect.objectContaining({ id, retries: 0 }) }]);
    expect(of('taskSuccess')).toEqual([
      { ...run, queue: 'default', retries: 0, request: expect.objectContaining({ id }), result: 5 },
    ]);
    expect(of('taskPostrun')).toEqual([
      { ...run, request: expect.objectContaining({ id }), state: 'SUCCESS', result: 5 },
    ]);
  });

  it('a retry, a failure and a reject are told with all that is known of them', async () => {
    const app = new Celeriac('signals');
    const { of } = listening(app);
    const twice = app.task('twice', { bind: true, maxRetries: 1, defaultRetryDelay: 60 }, (self, word: string) =>
      self.retry({ exc: new RangeError(`no ${word}`) }),
    );
    const rejecting = app.task('rejecting', (): never => {
      throw new Reject('not mine');
    });
    const world = new World(app);
    const { id } = await twice.delay('luck');
    await world.drain();
    const error = expect.objectContaining({ name: 'RangeError', message: 'no luck' });
    const request = expect.objectContaining({ id });
    const run = { task: 'twice', id, args: ['luck'], kwargs: {}, request };
    const end = { ...run, queue: 'default' };
    expect(of('taskRetry')).toEqual([
      { ...end, retries: 0, error: expect.anything(), eta: new Date(world.clock.nowMs()) },
    ]);
    expect(of('taskFailure')).toEqual([{ ...end, retries: 1, error }]);
    expect(of('taskPostrun')).toEqual([
      { ...run, state: 'RETRY', error: expect.anything() },
      { ...run, state: 'FAILURE', error },
    ]);
    const rejected = await rejecting.delay();
    await world.drain();
    expect(of('taskRejected')).toEqual([
      { task: 'rejecting', id: rejected.id, queue: 'default', reason: 'not mine', error: expect.any(Reject) },
    ]);
  });

  it('where a task has one handler only, nobody misses the others', async () => {
    const app = new Celeriac('signals');
    const lines: string[] = [];
    const failing = (): never => {
      throw new Error('no');
    };
    const seen: string[] = [];
    const onFailure = (): void => void seen.push('onFailure');
    const onSuccess = (): void => void seen.push('onSuccess');
    const tasks = [
      app.task('ends.failure', { onSuccess }, failing),
      app.task('ends.success', { onFailure }, () => 1),
      app.task('ends.retry', { onSuccess, bind: true, maxRetries: 1 }, (self) => self.retry({ countdown: 1 })),
    ];
    const world = new World(app, { logger: { log: (_level, message) => void lines.push(message) } });
    for (const task of tasks) await task.delay();
    await world.drain();
    expect(seen).toEqual([]);
    expect(lines.filter((line) => / of ends\.\w+\[/.test(line))).toEqual([]);
  });

  it('by apply(): the same signals of the run, none of publishing', async () => {
    const app = new Celeriac('signals');
    const { names } = listening(app, SIGNAL_NAMES);
    await app.task('signals.run', () => 1).apply([]);
    expect(names()).toBe('taskPrerun, taskSuccess, taskPostrun SUCCESS');
  });

  it('handlers see the context of the run', async () => {
    const app = new Celeriac('signals');
    const ids: string[] = [];
    for (const name of ['taskPrerun', 'taskSuccess', 'taskPostrun'] as const)
      app.on(name, () => ids.push(currentTask().request.id));
    const task = app.task('signals.run', () => 1);
    const world = new World(app);
    const { id } = await task.delay();
    await world.drain();
    expect(ids).toEqual([id, id, id]);
  });
});

describe('what is not run', () => {
  it('expired and revoked messages: taskRevoked, and no run', async () => {
    const app = new Celeriac('signals');
    const { names, of } = listening(app);
    const task = app.task('signals.run', () => 1);
    const world = new World(app);
    const late = await task.applyAsync([], { countdown: 60, expires: 10 });
    const revoked = await task.applyAsync([], { countdown: 60 });
    await revoked.revoke();
    await world.drain();
    expect(names()).toBe('taskRevoked, taskRevoked');
    const told = of('taskRevoked').map(({ id, expired, terminated }) => ({ id, expired, terminated }));
    expect(told).toHaveLength(2);
    expect(told).toContainEqual({ id: late.id, expired: true, terminated: false });
    expect(told).toContainEqual({ id: revoked.id, expired: false, terminated: false });
  });

  it('a task that is terminated: taskRevoked of the run', async () => {
    const app = new Celeriac('signals');
    const { names, of } = listening(app);
    const task = app.task(
      'signals.long',
      { bind: true },
      (self) =>
        new Promise<void>((_, reject) => self.signal.addEventListener('abort', () => reject(new Error('stopped')))),
    );
    const world = new World(app);
    const result = await task.delay();
    await world.advance(5);
    await result.revoke({ terminate: true });
    await world.drain();
    expect(names()).toBe('taskPrerun, taskRevoked, taskPostrun REVOKED');
    expect(of('taskRevoked')).toMatchObject([{ terminated: true, expired: false, id: result.id }]);
  });

  it('an unknown task: taskFailure; bytes that cannot be read: taskRejected', async () => {
    const app = new Celeriac('signals');
    const { names, of } = listening(app);
    app.task('signals.run', () => 1);
    const world = new World(app);
    await world.broker.send([{ queue: 'default', body: 'not a message' }]);
    const other = new Celeriac('other').use(world.ports);
    const { id } = await other.task('signals.away', () => 1).delay();
    await world.drain();
    expect(names().split(', ').toSorted()).toEqual(['taskFailure', 'taskRejected']);
    expect(of('taskFailure')).toMatchObject([{ id, task: 'signals.away', error: { name: 'NotRegistered' } }]);
    expect(of('taskRejected')).toMatchObject([{ queue: 'default', reason: 'invalid message' }]);
  });
});

describe('publishing', () => {
  it('is told of calls, members, followers and retries, before and after', async () => {
    const app = new Celeriac('signals');
    const { seen } = listening(app, ['beforeTaskPublish', 'afterTaskPublish']);
    const add = app.task('math.add', (x: number, y: number) => x + y);
    const flaky = app.task('math.flaky', { autoretryFor: [RangeError], defaultRetryDelay: 1 }, () => {
      if (currentTask().request.retries === 0) throw new RangeError('again');
    });
    const world = new World(app);
    await add.delay(1, 1);
    await chain(add.s(1, 2), add.s(3)).delay();
    await group(add.s(4, 4), add.s(5, 5)).delay();
    await flaky.delay();
    await world.drain();
    const told = (name: string): string[] =>
      seen
        .filter((each) => each.name === name)
        .map(({ signal: { task, args, retries } }) => `${String(task)} ${JSON.stringify(args)} ${String(retries)}`);
    // What follows from a run is sent when its batch has ended, in no order.
    expect(told('beforeTaskPublish').toSorted()).toEqual([
      'math.add [1,1] 0',
      'math.add [1,2] 0',
      'math.add [3,3] 0',
      'math.add [4,4] 0',
      'math.add [5,5] 0',
      'math.flaky [] 0',
      'math.flaky [] 1',
    ]);
    expect(told('afterTaskPublish')).toEqual(told('beforeTaskPublish'));
  });

  it('tells nothing after it of what was not sent', async () => {
    const app = new Celeriac('signals', { retryPolicy: { maxRetries: 0 } });
    const { names } = listening(app, ['beforeTaskPublish', 'afterTaskPublish']);
    const task = app.task('signals.run', () => 1);
    const { ports } = new World(app);
    const refused = { ok: false, code: 'AccessDenied', message: 'no right', retryable: false } as const;
    app.use({
      ...ports,
      broker: {
        changeVisibility: (...args) => ports.broker.changeVisibility(...args),
        send: async (items) => items.map(() => refused),
      },
    });
    await expect(task.delay()).rejects.toThrow('not sent');
    expect(names()).toBe('beforeTaskPublish');
  });
});

it('what handlers throw is logged, and changes nothing', async () => {
  const lines: string[] = [];
  const app = new Celeriac('signals');
  for (const name of SIGNAL_NAMES)
    app.on(name, () => {
      throw new Error(`${name} broke`);
    });
  const add = app.task('math.add', (x: number, y: number) => x + y);
  const world = new World(app, {
    logger: { log: (level, message) => void (level === 'error' && lines.push(message)) },
  });
  const result = await add.delay(2, 3);
  await world.drain();
  expect(await result.get()).toBe(5);
  for (const name of ['taskPrerun', 'taskSuccess', 'taskPostrun'])
    expect(lines).toContainEqual(
      expect.stringContaining(`A handler of ${name} failed for math.add[${result.id}]: Error: ${name} broke`),
    );
});

it('one that does not come back is left when the time of its function is over', async () => {
  const app = new Celeriac('signals');
  app.on('taskSuccess', () => new Promise(() => {}));
  const task = app.task('signals.run', () => 1);
  const lines: string[] = [];
  const world = new World(app, {
    logger: { log: (level, message) => void (level === 'error' && lines.push(message)) },
  });
  const result = await task.delay();
  await world.drain();
  expect(await result.get()).toBe(1);
  expect(lines).toEqual([
    expect.stringMatching(/A handler of taskSuccess failed .* s are over that there were for it/),
  ]);
});

it('a handler that was taken away is called no more', async () => {
  const app = new Celeriac('signals');
  const ids: string[] = [];
  const off = app.on('taskSuccess', ({ id }) => ids.push(id));
  const task = app.task('signals.run', () => 1);
  const world = new World(app);
  const { id } = await task.delay();
  await world.drain();
  off();
  await task.delay();
  await world.drain();
  expect(ids).toEqual([id]);
});

// A crash between the commit and the handler tells nobody; none tells twice, since only the claim's owner commits.
it('each outcome is told at most once, whatever goes wrong, and each run that is told has its end told', async () => {
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 2 ** 31 }), async (seed) => {
      const app = new Celeriac('signals');
      const { seen } = listening(app);
      const task = app.task(
        'signals.flaky',
        { autoretryFor: [RangeError], maxRetries: 2, retryBackoff: 1 },
        (failures: number) => {
          if (currentTask().request.retries < failures) throw new RangeError('again');
        },
      );
      const world = new World(app, {
        seed,
        faults: { duplicate: 0.2, killBeforeCommit: 0.1, crash: 0.1, lostResponse: 0.1, doubledBatch: 0.1 },
      });
      for (let failures = 0; failures < 4; failures += 1) await task.delay(failures);
      await world.drain();
      const outcomes = seen
        .filter(({ name }) => ['taskSuccess', 'taskFailure', 'taskRetry'].includes(name))
        .map(({ signal: { id, retries } }) => `${String(id)} ${String(retries)}`);
      expect(new Set(outcomes).size).toBe(outcomes.length);
    }),
    { numRuns: 20 },
  );
});

describe('refused', () => {
  it.each<[unknown, unknown, RegExp]>([
    ['taskFailed', () => {}, /no signal 'taskFailed'.*taskFailure/],
    ['task_failure', () => {}, /no signal 'task_failure'/],
    [undefined, () => {}, /there is no signal undefined\. There are beforeTaskPublish/],
    [7, () => {}, /there is no signal 7\. There are/],
    ['taskFailure', 'log it', /the handler is 'log it'\. Give a function/],
  ])('on(%j, %j)', (name, handler, message) => {
    const app = new Celeriac('signals');
    expect(() => app.on(name as SignalName, handler as () => void)).toThrow(InvalidOption);
    expect(() => app.on(name as SignalName, handler as () => void)).toThrow(message);
  });

  it('a handler of a function task that is no function', () => {
    const app = new Celeriac('signals');
    expect(() => app.task('signals.run', { onFailure: 'mail' as never }, () => 1)).toThrow(
      "onFailure of task 'signals.run' is 'mail'. Give a function, or leave it out.",
    );
  });
});
