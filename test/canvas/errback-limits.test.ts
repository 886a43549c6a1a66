/** Error links that are called where the task failed have an end too: their own limit, or that of the invocation. */
import { Celeriac, signature, type SignatureOptions } from 'celeriac';
import { World, type WorldOptions } from 'celeriac/testing';
import { describe, expect, it } from 'vitest';

const INVOCATION_SECONDS = 60;
const START_MS = Date.UTC(2030, 0, 1);

/** A task that fails, and an error link that is called with what it is told to do. */
function failing(link: (call: number) => unknown, options: Partial<WorldOptions> = {}) {
  const app = new Celeriac('errbacks');
  const calls: number[] = [];
  const errors: string[] = [];
  const world = new World(app, {
    start: START_MS,
    invocation: INVOCATION_SECONDS,
    logger: { log: (level, message) => void (level === 'error' && errors.push(message)) },
    ...options,
  });
  const secondsGone = (): number => (world.clock.nowMs() - START_MS) / 1000;
  const inline = app.task('inline', (_request: unknown, _error: unknown, _traceback: unknown) => {
    calls.push(secondsGone());
    return link(calls.length);
  });
  const fail = app.task('fail', (): never => {
    throw new RangeError('no');
  });
  return { app, world, calls, errors, inline, fail };
}

const never = (): Promise<never> => new Promise(() => {});

describe('an error link that does not end', () => {
  it.each([{ timeLimit: 7 }, { timeLimit: 7, softTimeLimit: 3 }])(
    'is left after its own time, called once, and the failure stands: %o',
    async (limits) => {
      const { world, calls, errors, inline, fail } = failing(never);
      const result = await fail.applyAsync([], { linkError: inline.s().set(limits) });
      await world.drain();
      expect(calls).toHaveLength(1);
      expect(errors.filter((line) => line.startsWith('Error link'))).toEqual([
        expect.stringMatching(/^Error link inline of fail\[.+\] failed: TimeLimitExceeded: .*7/),
      ]);
      await expect(result.get({ timeout: 1 })).rejects.toThrow('no');
    },
  );

  it.each([{}, { timeLimit: 600 }])(
    'with more than its invocation has: once more in another one, then it is left: %o',
    async (limits) => {
      const { world, calls, errors, inline, fail } = failing(never);
      const result = await fail.applyAsync([], { linkError: inline.s().set(limits) });
      await world.drain();
      expect(calls).toHaveLength(2);
      // The second one is another delivery.
      expect(calls[1]! - calls[0]!).toBeGreaterThanOrEqual(INVOCATION_SECONDS - 2);
      expect(errors.filter((line) => line.startsWith('Error link'))).toEqual([
        expect.stringMatching(/^Error link inline of fail\[.+\] failed: TimeLimitExceeded: /),
      ]);
      await expect(result.get({ timeout: 1 })).rejects.toThrow('no');
    },
  );

  it('is given a whole invocation where the task took nearly all of the first one', async () => {
    const { app, world, calls, inline } = failing(() => 1);
    const slow = app.task('slow', { bind: true }, (self) => {
      return new Promise((_done, reject) => {
        self.signal.addEventListener('abort', () => reject(new RangeError('too slow')));
      });
    });
    const result = await slow.applyAsync([], { linkError: inline.s() });
    await world.drain();
    expect(calls).toHaveLength(1);
    expect(calls[0]).toBeGreaterThanOrEqual(INVOCATION_SECONDS);
    await expect(result.get({ timeout: 1 })).rejects.toThrow();
  });
});

describe('limits of its signature', () => {
  it.each([null, 'soon', 0, -1])('%o is none: the task may end within its invocation', async (limit) => {
    const { world, calls, errors, inline, fail } = failing(
      async () => new Promise((done) => world.clock.schedule(30_000, () => done(1))),
    );
    // As another sender may write them.
    const options = { ...inline.s().options, time_limit: limit, soft_time_limit: limit } as SignatureOptions;
    await fail.applyAsync([], { linkError: signature('inline', { options }) });
    await world.drain();
    expect(calls).toHaveLength(1);
    expect(errors.filter((line) => line.startsWith('Error link'))).toEqual([]);
  });

  it('the soft one alone stops it by its signal', async () => {
    const seen: string[] = [];
    const { app, world, fail } = failing(() => 1);
    const polite = app.task('polite', { bind: true }, (self, _request: unknown, _error: unknown) => {
      return new Promise<void>((done) =>
        self.signal.addEventListener('abort', () => {
          seen.push(self.signal.reason.name);
          done();
        }),
      );
    });
    await fail.applyAsync([], { linkError: polite.s().set({ softTimeLimit: 3 }) });
    await world.drain();
    expect(seen).toEqual(['SoftTimeLimitExceeded']);
  });
});

it("gets the values of its own arguments behind the failure's, decoded", async () => {
  const { app, world, fail } = failing(() => 1);
  const seen: unknown[] = [];
  const own = app.task('own', (_request: unknown, error: Error, _traceback: unknown, at: Date) => {
    seen.push([error.message, at]);
  });
  const at = new Date(START_MS);
  await fail.applyAsync([], { linkError: own.s(at as never) as never });
  await world.drain();
  expect(seen).toEqual([['no', at]]);
});
