/** How long a run may take, and what ends it: pure, on a clock that stands still until it is moved. */
import { ManualClock } from 'celeriac/testing';
import { describe, expect, it } from 'vitest';

import { DEADLINE_MARGIN_SECONDS } from '../../lib/base/limits.ts';
import type { TaskContext } from '../../lib/task/context.ts';
import type { TaskDefinition } from '../../lib/task/registry.ts';
import { limitsOf, OutOfTime, SettleInterrupted, timeLeftMs, within } from '../../lib/worker/deadline.ts';
import type { Ending } from '../../lib/worker/decide.ts';
import { type Limits, runTask } from '../../lib/worker/run-task.ts';
import { NOW } from '../support/slot-rig.ts';

const MARGIN_MS = DEADLINE_MARGIN_SECONDS * 1000;
const never = new Promise<never>(() => {});

it.each([
  [10_000, 10_000 - MARGIN_MS],
  [MARGIN_MS + 1, 1],
  [MARGIN_MS, 0],
  [0, 0],
  [-5, 0],
])('%i ms before its deadline an invocation has %i left', (beforeMs, leftMs) => {
  expect(timeLeftMs(new ManualClock(NOW), NOW + beforeMs)).toBe(leftMs);
});

it('what ran out of time passes', () => {
  for (const error of [new OutOfTime(), new SettleInterrupted()])
    expect(error).toMatchObject({ name: 'OutOfTime', retryable: true });
});

describe('within a time', () => {
  it('what ends in it gives its value, or its error, and nothing is left to wait for', async () => {
    const clock = new ManualClock(NOW);
    expect(await within(clock, 10, 'x', () => 1)).toBe(1);
    await expect(within(clock, 10, 'x', () => Promise.reject(new Error('own')))).rejects.toThrow('own');
    expect(clock.nextMs()).toBeUndefined();
  });

  it('what does not is left alone', async () => {
    const clock = new ManualClock(NOW);
    const waiting = within(clock, 1500, 'for it', () => never);
    expect(clock.nextMs()).toBe(NOW + 1500);
    clock.moveTo(NOW + 1500);
    await expect(waiting).rejects.toMatchObject({
      name: 'TimeLimitExceeded',
      message: expect.stringContaining('1.5 s'),
    });
  });

  it('without end nothing is waited for', async () => {
    const clock = new ManualClock(NOW);
    const waiting = within(clock, Infinity, 'x', () => never);
    expect([clock.nextMs(), await Promise.race([waiting, Promise.resolve('still')])]).toEqual([undefined, 'still']);
  });
});

describe('the limits of a run', () => {
  const USABLE_MS = 60_000 - MARGIN_MS;
  const limits = (
    own: [number | null, number | null],
    message: [number | null, number | null] = [null, null],
    leftMs = 60_000,
  ): Limits =>
    limitsOf({ timeLimit: message }, { timeLimitSeconds: own[0], softTimeLimitSeconds: own[1] }, NOW, NOW + leftMs);

  it.each<[string, Parameters<typeof limits>, Limits]>([
    ['none: to the end of its invocation', [[null, null]], { softMs: null, hardMs: USABLE_MS, byDeadline: true }],
    ['its own', [[30, 20]], { softMs: 20_000, hardMs: 30_000, byDeadline: false }],
    [
      "its message's",
      [
        [30, 20],
        [10, 5],
      ],
      { softMs: 5000, hardMs: 10_000, byDeadline: false },
    ],
    ['as long as its invocation', [[58, null]], { softMs: null, hardMs: USABLE_MS, byDeadline: false }],
    ['longer than that', [[58.001, 59]], { softMs: USABLE_MS, hardMs: USABLE_MS, byDeadline: true }],
    ['soft alone', [[null, 20]], { softMs: 20_000, hardMs: USABLE_MS, byDeadline: true }],
    ['of an invocation that is over', [[30, 20], [null, null], 100], { softMs: 0, hardMs: 0, byDeadline: true }],
    ['of one without end', [[null, 20], [null, null], Infinity], { softMs: 20_000, hardMs: null, byDeadline: true }],
  ])('%s', (_what, given, expected) => {
    expect(limits(...given)).toEqual(expected);
  });
});

describe('a run', () => {
  function running(
    limits: Partial<Limits>,
    run: () => unknown,
    watch?: (stop: (ending: Ending) => void) => () => void,
  ) {
    const clock = new ManualClock(NOW);
    const abort = new AbortController();
    const began: unknown[] = [];
    const definition = { run, hooks: { beforeStart: (...given: unknown[]) => void began.push(given) } };
    const ended = runTask(
      definition as unknown as TaskDefinition,
      { request: { id: 'id' } } as unknown as TaskContext,
      [1],
      {
        abort,
        limits: { softMs: null, hardMs: null, byDeadline: false, ...limits },
        ...(watch === undefined ? {} : { watch }),
      },
      clock,
    );
    return { clock, abort, ended, began };
  }

  it('ends with its value, or its error, and nothing is left to wait for', async () => {
    const done = running({ softMs: 5, hardMs: 10 }, () => 7);
    expect([await done.ended, done.began]).toEqual([{ ok: true, value: 7 }, [['id', [1]]]]);
    const error = new Error('x');
    const failed = running({ hardMs: 10 }, () => Promise.reject(error));
    expect(await failed.ended).toEqual({ ok: false, error });
    for (const { clock, abort } of [done, failed])
      expect([clock.nextMs(), abort.signal.aborted]).toEqual([undefined, false]);
  });

  it('without limits waits for nothing', () => {
    expect(running({}, () => never).clock.nextMs()).toBeUndefined();
  });

  it('hears of its soft limit, and goes on', async () => {
    const { clock, abort, ended } = running(
      { softMs: 1500 },
      () => new Promise((done) => abort.signal.addEventListener('abort', () => done('cleaned up'))),
    );
    // It has begun to listen.
    await clock.nextTurn();
    clock.moveTo(NOW + 1499);
    expect(abort.signal.aborted).toBe(false);
    clock.moveTo(NOW + 1500);
    expect(abort.signal.reason).toMatchObject({
      name: 'SoftTimeLimitExceeded',
      message: expect.stringContaining('1.5 s'),
    });
    expect(await ended).toEqual({ ok: true, value: 'cleaned up' });
  });

  it.each([
    [false, /time limit of 2.5 s/],
    [true, /Lambda's timeout/],
  ])('ends at its hard limit, by the deadline: %s', async (byDeadline, message) => {
    const { clock, abort, ended } = running({ hardMs: 2500, byDeadline }, () => never);
    clock.moveTo(NOW + 2500);
    const ending = await ended;
    expect(ending).toMatchObject({
      ok: false,
      error: { name: 'TimeLimitExceeded', message: expect.stringMatching(message) },
    });
    expect(abort.signal.reason).toBe('error' in ending && ending.error);
  });

  it('ends where whoever watches it says so, who is told when it is over', async () => {
    let over = 0;
    let stop: ((ending: Ending) => void) | undefined;
    const watch = (given: (ending: Ending) => void) => {
      stop = given;
      return () => void (over += 1);
    };
    const { ended } = running({}, () => never, watch);
    stop?.({ ok: false, error: 'stopped' });
    expect([await ended, over]).toEqual([{ ok: false, error: 'stopped' }, 1]);
  });
});
