/** Whatever a task throws, and whatever its options throw when they are asked about it: it ends, at once, with its true reason. */
import { chain, Reject } from 'celeriac';
import { expect, it } from 'vitest';

import { newWorld } from '../support/worlds.ts';

const LONG = 'x'.repeat(450_000);

async function endOf(
  run: () => unknown,
  options: object = {},
): Promise<{ status: string; error: Error; runs: number }> {
  let runs = 0;
  const { world, tasks: task } = newWorld((app) =>
    app.task('task', options, () => {
      runs += 1;
      return run();
    }),
  );
  const { id } = await task.delay();
  await world.drain('1d');
  const result = world.app.result(id);
  return { status: await result.state(), error: (await result.info()) as Error, runs };
}

function withName(name: unknown): Error {
  return Object.defineProperty(new Error('odd'), 'name', { value: name });
}

function hostile(): object {
  const refuse = (): never => {
    throw new Error('asked');
  };
  return new Proxy(new Error('hidden'), { get: refuse, has: refuse, getPrototypeOf: refuse, ownKeys: refuse });
}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

function circular(): Error {
  const error: Error & { self?: unknown } = new Error('round');
  error.self = error;
  error.cause = error;
  return error;
}

const THROWN: readonly (readonly [string, () => unknown, string])[] = [
  ['a message of 450 KB', () => new RangeError(LONG), 'xxx'],
  ['a name of 450 KB', () => withName(LONG), 'odd'],
  ['a stack of 450 KB', () => Object.assign(new Error('odd'), { stack: LONG }), 'odd'],
  ['a symbol as name', () => withName(Symbol('name')), 'odd'],
  ['a number as name', () => withName(5), 'odd'],
  [
    'getters that throw',
    () =>
      Object.defineProperty(new Error('seen'), 'name', {
        get: () => {
          throw new Error('asked');
        },
      }),
    'seen',
  ],
  [
    'a stack that throws',
    () =>
      Object.defineProperty(new Error('seen'), 'stack', {
        get: () => {
          throw new Error('asked');
        },
      }),
    'seen',
  ],
  ['a proxy that refuses every question', hostile, ''],
  ['a revoked proxy', revoked, 'object'],
  ['undefined', () => undefined, 'undefined'],
  ['null', () => null, 'null'],
  ['a symbol', () => Symbol('odd'), 'Symbol'],
  ['a BigInt', () => 5n, '5'],
  ['a function', () => () => 1, '=>'],
  ['450 KB of text', () => LONG, 'xxx'],
  ['an object that holds itself', circular, 'round'],
  ['a frozen error', () => Object.freeze(new Error('cold')), 'cold'],
];

it.each(THROWN)('%s', async (_what, make, message) => {
  const { status, error, runs } = await endOf(() => {
    throw make();
  });
  expect({ status, runs }).toEqual({ status: 'FAILURE', runs: 1 });
  expect(error.message).toContain(message);
  expect(error.message.length).toBeLessThanOrEqual(8192);
});

it.each(THROWN)('%s is asked about, retried and refused as well', async (_what, make) => {
  const retried = await endOf(
    () => {
      throw make();
    },
    { autoretryFor: [TypeError, () => true], retryBackoff: true, maxRetries: 1, throws: [RangeError] },
  );
  expect(retried).toMatchObject({ status: 'FAILURE', runs: 2 });
  const refused = await endOf(() => {
    throw new Reject(make());
  });
  expect(refused).toMatchObject({ status: 'REJECTED', runs: 1 });
});

it.each(['autoretryFor', 'throws'])(
  'a predicate in %s that throws: the reason is the task’s own error',
  async (option) => {
    const { status, error, runs } = await endOf(
      () => {
        throw new RangeError('mine');
      },
      {
        [option]: [
          () => {
            throw new TypeError('the predicate');
          },
        ],
      },
    );
    expect({ status, runs, name: error.name, message: error.message }).toEqual({
      status: 'FAILURE',
      runs: 1,
      name: 'RangeError',
      message: 'mine',
    });
  },
);

it('a predicate in dontAutoretryFor that throws: no retry', async () => {
  const broken = (): never => {
    throw new TypeError('the predicate');
  };
  const { status, runs } = await endOf(
    () => {
      throw new RangeError('mine');
    },
    { autoretryFor: [RangeError], dontAutoretryFor: [broken] },
  );
  expect({ status, runs }).toEqual({ status: 'FAILURE', runs: 1 });
});

it('retry({ args }) that no item holds: told, with what to do', async () => {
  let runs = 0;
  const { world, tasks: task } = newWorld((app) =>
    app.task('task', { bind: true }, (self, text: string) => {
      runs += 1;
      throw self.retry({ args: [text.repeat(450_000)] });
    }),
  );
  const result = await task.delay('x');
  await world.drain('1d');
  expect(runs).toBe(1);
  await expect(result.get({ timeout: 1 })).rejects.toMatchObject({
    code: 'MESSAGE_TOO_LARGE',
    message: expect.stringMatching(/^The retry of task\[.*\] takes \d+ bytes; DynamoDB stores 409600\./),
  });
});

it('a result that a chain needs and no item holds: ignoreResult is not advised', async () => {
  const { world, tasks } = newWorld((app) => ({
    make: app.task('make', { ignoreResult: true }, () => LONG),
    next: app.task('next', (text: string) => text.length),
  }));
  const result = await chain(tasks.make.s(), tasks.next.s()).delay();
  await world.drain('1d');
  await expect(result.get({ timeout: 1 })).rejects.toMatchObject({
    code: 'RESULT_TOO_LARGE',
    message: expect.stringContaining('ignoreResult does not help'),
  });
});

it('a toJSON-like getter that throws, or answers otherwise the second time', async () => {
  let asked = 0;
  const { status, error } = await endOf(() => ({
    get value() {
      throw new RangeError(`asked ${(asked += 1)} times`);
    },
  }));
  expect({ status, message: error.message }).toEqual({ status: 'FAILURE', message: 'asked 1 times' });
  let read = 0;
  const { world, tasks } = newWorld((app) => ({
    make: app.task('make', { ignoreResult: true }, () => ({
      get value() {
        read += 1;
        if (read > 2) throw new RangeError('asked again');
        return 5;
      },
    })),
    next: app.task('next', ({ value }: { value: number }) => value),
  }));
  const result = await chain(tasks.make.s(), tasks.next.s()).delay();
  await world.drain('1d');
  expect(await result.get({ timeout: 1 })).toBe(5);
});
