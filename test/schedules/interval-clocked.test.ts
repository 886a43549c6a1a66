import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { InvalidSchedule } from '../../lib/base/errors.ts';
import { clocked } from '../../lib/schedules/clocked.ts';
import { crontab } from '../../lib/schedules/crontab.ts';
import { every, type EveryOptions } from '../../lib/schedules/interval.ts';
import { nextDueMs } from '../../lib/schedules/next-due.ts';
import type { Schedule } from '../../lib/schedules/schedule.ts';
import { dueBetween } from '../support/due-between.ts';
import { fieldsArbitrary } from './expressions.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

function iso(ms: number | undefined): string {
  return ms === undefined ? 'never' : new Date(ms).toISOString().replace('.000Z', 'Z');
}

describe('every', () => {
  it.each([
    [10, 10],
    ['10s', 10],
    ['5m', 300],
    ['2h', 7200],
    ['1.5h', 5400],
    ['1d', 86_400],
    ['1w', 604_800],
    [1, 1],
    [1.005, 1.005],
    [2.5, 2.5],
    [4.35, 4.35],
  ] as const)('%j is %d seconds', (interval, seconds) => {
    const schedule = every(interval);
    expect(schedule).toEqual({ type: 'interval', seconds, relative: false });
    expect(Object.isFrozen(schedule)).toBe(true);
    expect(nextDueMs(schedule, 0, 0)).toBe(Math.round(seconds * 1000));
  });

  it('every number of whole milliseconds is taken', () => {
    for (let ms = 1000; ms < 70_000; ms += 1) expect(nextDueMs(every(ms / 1000), 5, 5)).toBe(5 + ms);
  });

  it.each<[unknown, EveryOptions, string]>([
    [0, {}, 'every: 0 given; 1 second to 100 years'],
    [0.5, {}, 'every: 0.5 given; 1 second'],
    ['0.9s', {}, "every: '0.9s' given; 1 second"],
    [-1, {}, 'every: -1 is no duration'],
    [1.0005, {}, 'whole milliseconds'],
    ['200000000h', {}, '100 years'],
    [Number.POSITIVE_INFINITY, {}, 'every: Infinity is no duration'],
    ['10', {}, "every: '10' is no duration"],
    ['soon', {}, "every: 'soon' is no duration"],
    [undefined, {}, 'every: undefined is no duration'],
    [10, { relative: 'yes' as never }, "every relative: 'yes' given; true or false"],
    [10, { timezone: 'Mars/Base' }, "timezone: 'Mars/Base' is not in the time zone database"],
    [10, { offset: 3 } as never, "every: 'offset' is no option. Allowed are relative and timezone"],
  ])('%j %j is refused', (interval, options, message) => {
    const make = (): unknown => every(interval as number, options);
    expect(make).toThrow(InvalidSchedule);
    expect(make).toThrow(message);
  });

  it('counts from the last run without an anchor, on its grid with one', () => {
    const schedule = every('10s');
    expect(nextDueMs(schedule, 1234)).toBe(11_234);
    expect(nextDueMs(schedule, 123_456, 1000)).toBe(131_000);
    expect(nextDueMs(schedule, 131_000, 1000)).toBe(141_000);
    expect(nextDueMs(schedule, 130_999, 1000)).toBe(131_000);
  });
  it('is first due one interval after the anchor', () => {
    expect(nextDueMs(every('10s'), 0, 50_000)).toBe(60_000);
    expect(nextDueMs(every('10s'), 50_000, 50_000)).toBe(60_000);
  });
  it('keeps its grid over a hundred years', () => {
    expect(nextDueMs(every(1.1), 3_155_760_000_000, 0)).toBe((Math.floor(3_155_760_000_000 / 1100) + 1) * 1100);
  });
});

describe('every, relative', () => {
  it.each<[number | string, string | undefined, string, string]>([
    ['1d', undefined, '2024-05-05T15:30:20.500Z', '2024-05-06T00:00:00Z'],
    ['1d', undefined, '2024-05-05T00:00:00Z', '2024-05-06T00:00:00Z'],
    ['3d', undefined, '2024-05-05T15:30:20Z', '2024-05-08T00:00:00Z'],
    ['36h', undefined, '2024-05-05T15:30:20Z', '2024-05-07T00:00:00Z'],
    ['1h', undefined, '2024-05-05T15:30:20Z', '2024-05-05T16:00:00Z'],
    ['90m', undefined, '2024-05-05T15:30:20Z', '2024-05-05T17:00:00Z'],
    ['1m', undefined, '2024-05-05T15:30:20Z', '2024-05-05T15:31:00Z'],
    [90, undefined, '2024-05-05T15:30:50Z', '2024-05-05T15:32:00Z'],
    ['30s', undefined, '2024-05-05T15:30:20.700Z', '2024-05-05T15:30:50Z'],
    ['1d', 'Europe/Berlin', '2024-05-05T15:30:20Z', '2024-05-05T22:00:00Z'],
    ['1h', 'Asia/Kolkata', '2024-05-05T15:40:00Z', '2024-05-05T16:30:00Z'],
    ['1h', 'Asia/Kolkata', '2024-12-31T23:40:00Z', '2025-01-01T00:30:00Z'],
    ['1m', 'Asia/Kolkata', '2024-12-31T23:59:30Z', '2025-01-01T00:00:00Z'],
    // Midnights over changes of the clocks: days of 23 and 25 hours, a day that did not come.
    ['1d', 'Europe/Berlin', '2024-03-30T23:00:00Z', '2024-03-31T22:00:00Z'],
    ['1d', 'Europe/Berlin', '2024-10-26T22:00:00Z', '2024-10-27T23:00:00Z'],
    ['7d', 'Europe/Berlin', '2024-03-30T12:00:00Z', '2024-04-05T22:00:00Z'],
    ['1d', 'Pacific/Apia', '2011-12-29T20:00:00Z', '2011-12-30T10:00:00Z'],
    ['1d', 'Pacific/Apia', '2011-12-30T10:00:00Z', '2011-12-31T10:00:00Z'],
    ['1d', 'Africa/Cairo', '2024-04-25T12:00:00Z', '2024-04-25T22:00:00Z'],
    ['1d', 'America/Nuuk', '2024-10-27T00:30:00Z', '2024-10-27T02:00:00Z'],
    // The clocks went back from 00:01 to 23:01: midnight came twice.
    ['1d', 'America/St_Johns', '2010-11-07T03:00:00Z', '2010-11-07T03:30:00Z'],
    // Half an hour: the full hour 02:00 is jumped over.
    ['1h', 'Australia/Lord_Howe', '2024-10-05T14:30:00Z', '2024-10-05T15:30:00Z'],
    ['1h', 'Australia/Lord_Howe', '2024-10-05T15:30:00Z', '2024-10-05T16:00:00Z'],
  ])('%s in %s after %s is %s', (interval, timezone, after, due) => {
    const schedule = every(interval as number, { relative: true, ...(timezone === undefined ? {} : { timezone }) });
    expect(iso(nextDueMs(schedule, Date.parse(after)))).toBe(due);
  });
});

describe('clocked', () => {
  it('is due once', () => {
    const schedule = clocked('2027-01-01T00:00:00Z');
    const atMs = Date.UTC(2027, 0);
    expect(schedule).toEqual({ type: 'clocked', at: '2027-01-01T00:00:00.000Z' });
    expect(nextDueMs(schedule, atMs - 1)).toBe(atMs);
    expect(nextDueMs(schedule, atMs)).toBeUndefined();
    expect(nextDueMs(schedule, atMs + 1)).toBeUndefined();
    expect(dueBetween(schedule, 0, atMs, 10)).toEqual([atMs]);
  });
  it.each([
    ['2027-01-01 10:00', '2027-01-01T10:00:00.000Z'],
    ['2027-01-01', '2027-01-01T00:00:00.000Z'],
    ['2027-01-01T10:00:00+02:00', '2027-01-01T08:00:00.000Z'],
    ['2027-01-01T10:00:00.250-0330', '2027-01-01T13:30:00.250Z'],
    [1_800_000_000, '2027-01-15T08:00:00.000Z'],
    [new Date(5), '1970-01-01T00:00:00.005Z'],
  ])('%j is %s; text without an offset is UTC', (at, expected) => {
    expect(clocked(at).at).toBe(expected);
  });
  it.each([['tomorrow'], ['2027-13-01'], [1_800_000_000_000], [Number.NaN], [new Date(Number.NaN)], [undefined]])(
    '%j is refused',
    (at) => {
      expect(() => clocked(at as string)).toThrow(InvalidSchedule);
      expect(() => clocked(at as string)).toThrow('clocked: ');
    },
  );
});

describe('every schedule', () => {
  const zones = fc.constantFrom(
    'UTC',
    'Europe/Berlin',
    'America/St_Johns',
    'Australia/Lord_Howe',
    'Asia/Beirut',
    'Pacific/Apia',
  );
  const policies = fc.constantFrom('shift' as const, 'skip' as const);
  const instants = fc.integer({ min: Date.UTC(2005, 0), max: Date.UTC(2035, 0) });
  const intervals = fc.oneof(
    fc.integer({ min: 1, max: 200_000 }),
    fc.integer({ min: 1000, max: 200_000 }).map((ms) => ms / 1000),
  );
  const relatives = fc
    .tuple(fc.oneof(intervals, fc.constantFrom(60, 3600, 86_400, 7 * 86_400)), zones)
    .map(([seconds, timezone]) => every(seconds, { relative: true, timezone }));
  const steady: fc.Arbitrary<Schedule> = fc.oneof(
    fc
      .tuple(fieldsArbitrary, zones, policies)
      .map(([fields, timezone, dst]) => crontab({ ...fields }, { timezone, dst })),
    intervals.map((seconds) => every(seconds)),
    instants.map((ms) => clocked(new Date(ms))),
    fc
      .tuple(fc.constantFrom(60, 3600, 86_400), fc.constantFrom('UTC', 'Asia/Kolkata'))
      .map(([seconds, timezone]) => every(seconds, { relative: true, timezone })),
  );

  it('is next due later, with nothing between, and never earlier when asked later', () => {
    fc.assert(
      fc.property(
        steady,
        instants,
        instants,
        fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
        (schedule, fromMs, anchorMs, part) => {
          const dueMs = nextDueMs(schedule, fromMs, anchorMs);
          if (dueMs === undefined) return;
          expect(dueMs).toBeGreaterThan(fromMs);
          const betweenMs = Math.min(dueMs - 1, Math.floor(fromMs + (dueMs - fromMs) * part));
          expect(nextDueMs(schedule, betweenMs, anchorMs)).toBe(dueMs);
          expect(dueBetween(schedule, fromMs, dueMs - 1, 5, anchorMs)).toEqual([]);
          expect(dueBetween(schedule, fromMs, dueMs, 5, anchorMs)).toEqual([dueMs]);
          expect(nextDueMs(schedule, dueMs, anchorMs) ?? Number.POSITIVE_INFINITY).toBeGreaterThan(dueMs);
        },
      ),
      { numRuns: 2000 },
    );
  });
  it('relative: always later, within the interval and a change of the clocks', () => {
    fc.assert(
      fc.property(relatives, instants, (schedule, fromMs) => {
        const dueMs = nextDueMs(schedule, fromMs) ?? 0;
        expect(dueMs).toBeGreaterThan(fromMs);
        expect(dueMs).toBeLessThanOrEqual(fromMs + schedule.seconds * 1000 + 2 * HOUR);
        expect(dueMs % 1000).toBe(0);
      }),
      { numRuns: 3000 },
    );
  });
  it('relative days around a midnight that comes twice are always later', () => {
    const schedule = every('1d', { relative: true, timezone: 'America/St_Johns' });
    for (let atMs = Date.UTC(2010, 10, 7); atMs < Date.UTC(2010, 10, 8); atMs += MINUTE / 2)
      expect(nextDueMs(schedule, atMs)).toBeGreaterThan(atMs);
  });
  it('a list stops at its limit and at its end, which belongs to it', () => {
    expect(dueBetween(every('1d'), 0, 3 * DAY, 10)).toEqual([DAY, 2 * DAY, 3 * DAY]);
    expect(dueBetween(every('1d'), 0, 3 * DAY, 2)).toEqual([DAY, 2 * DAY]);
    expect(dueBetween(every('1d'), 0, DAY - 1, 2)).toEqual([]);
  });
});
