/** What a rate limit may say. */
import { Celeriac, type RateLimitOptions } from 'celeriac';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { type Rate, resolveRateLimit } from '../../lib/options/rate-limit.ts';

const resolve = (value: unknown): ReturnType<typeof resolveRateLimit> =>
  resolveRateLimit(value as RateLimitOptions, "rateLimit of task 'a'");

describe('rateLimit', () => {
  it.each<[Rate, number]>([
    [10, 100_000],
    ['10', 100_000],
    ['10/s', 100_000],
    ['100/m', 600_000],
    ['1000/h', 3_600_000],
    ['1/d', 86_400_000_000],
    ['0.5/s', 2_000_000],
    [0.5, 2_000_000],
    // Never more than it says: seven in a second are a little less.
    ['7/s', 142_858],
    [1_000_000, 1],
    ['1000000/s', 1],
    [0.000001, 1_000_000_000_000],
  ])('%j: a start each %d microseconds', (rate, paceMicros) => {
    expect(resolve(rate)).toMatchObject({ paceMicros, burst: 1, graceSeconds: 10, text: String(rate) });
  });

  it.each([0, '0', '0/m', null, undefined])('%j: no limit', (rate) => {
    expect(resolve(rate)).toBeUndefined();
  });

  it.each([
    [-1, "rateLimit of task 'a': -1 given; starts in a time are allowed, such as 10 (in a second), '10/s', '100/m'"],
    ['', "rateLimit of task 'a': '' given"],
    ['10/w', "rateLimit of task 'a': '10/w' given"],
    ['ten', "rateLimit of task 'a': 'ten' given"],
    [Number.NaN, "rateLimit of task 'a': NaN given"],
    [Infinity, "rateLimit of task 'a': Infinity given"],
    [1_000_001, "rateLimit of task 'a': 1000001 given"],
    ['60000001/m', "rateLimit of task 'a': '60000001/m' given"],
    ['0.01/d', "rateLimit of task 'a': '0.01/d' given"],
    [true, "rateLimit of task 'a': true given"],
    [{}, "limit of rateLimit of task 'a': "],
    [
      { limit: '10/s', burst: 0 },
      "burst of rateLimit of task 'a': 0 given; a whole number from 1 to 10000 is allowed.",
    ],
    [{ limit: '10/s', burst: 10_001 }, "burst of rateLimit of task 'a': 10001 given"],
    [{ limit: '10/s', burst: 1.5 }, "burst of rateLimit of task 'a': 1.5 given"],
    [{ limit: '10/s', grace: 0.5 }, "grace of rateLimit of task 'a': 0.5 is no duration"],
    [{ limit: '10/s', grace: '2h' }, "grace of rateLimit of task 'a': 7200 s given; 3600 s at most is allowed."],
    [
      { limit: '10/s', key: 'tenant' },
      "key of rateLimit of task 'a': 'tenant' given; a function of the task's arguments",
    ],
    [
      { limit: '10/s', period: 1 },
      "rateLimit of task 'a': 'period' is no option. Allowed are burst, grace, key, limit.",
    ],
    [
      { limit: 0, burst: 2 },
      "limit of rateLimit of task 'a': 0 is no limit, and key and burst mean nothing without one.",
    ],
    [{ limit: null, key: () => 'a' }, "limit of rateLimit of task 'a': null"],
  ])('%j is refused', (value, text) => {
    expect(() => resolve(value)).toThrow(text);
  });

  it('bounds are taken', () => {
    expect(resolve({ limit: 1, burst: 10_000, grace: 3600 })).toMatchObject({ burst: 10_000, graceSeconds: 3600 });
    expect(resolve({ limit: 1, burst: 1, grace: 1 })).toMatchObject({ burst: 1, graceSeconds: 1 });
  });

  it('so many starts take their time at least, and at most a microsecond each more', () => {
    const rate = fc.tuple(fc.integer({ min: 1, max: 1_000_000 }), fc.constantFrom('s', 'm', 'h', 'd'));
    const seconds = { s: 1, m: 60, h: 3600, d: 86_400 } as const;
    fc.assert(
      fc.property(rate, ([starts, unit]) => {
        const { paceMicros = 0 } = resolve(`${starts}/${unit}`) ?? {};
        const periodMicros = seconds[unit as keyof typeof seconds] * 1_000_000;
        expect(paceMicros * starts).toBeGreaterThanOrEqual(periodMicros);
        expect((paceMicros - 1) * starts).toBeLessThan(periodMicros);
      }),
    );
  });

  it('of the app is the default of each task, which may have none', () => {
    const app = new Celeriac('app', { rateLimit: '100/m' });
    app.task('default', () => 1);
    app.task('own', { rateLimit: '1/h' }, () => 1);
    app.task('free', { rateLimit: null }, () => 1);
    const { tasks } = app.manifest();
    expect(Object.fromEntries(Object.entries(tasks).map(([name, { rateLimit }]) => [name, rateLimit]))).toEqual({
      default: '100/m',
      own: '1/h',
      free: undefined,
    });
  });
});
