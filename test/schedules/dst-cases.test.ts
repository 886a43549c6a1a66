/** Known changes of the clocks, written out. */
import { describe, expect, it } from 'vitest';

import { crontab } from '../../lib/schedules/crontab.ts';
import type { DstPolicy } from '../../lib/schedules/schedule.ts';
import { dueBetween } from '../support/due-between.ts';

function due(text: string, timezone: string, from: string, until: string, dst: DstPolicy = 'shift'): string[] {
  return dueBetween(crontab(text, { timezone, dst }), Date.parse(from) - 1, Date.parse(until) - 1, 1000).map((ms) =>
    new Date(ms).toISOString().replace(':00.000Z', 'Z'),
  );
}

describe('fixed times', () => {
  const newYork = 'America/New_York';
  it('a time in a gap is due once, at its end', () => {
    expect(due('30 2 * * *', newYork, '2024-03-09T12:00Z', '2024-03-11T12:00Z')).toEqual([
      '2024-03-10T07:00Z',
      '2024-03-11T06:30Z',
    ]);
  });
  it("or not at all, with dst 'skip'", () => {
    expect(due('30 2 * * *', newYork, '2024-03-09T12:00Z', '2024-03-11T12:00Z', 'skip')).toEqual(['2024-03-11T06:30Z']);
  });
  it('several times in a gap are one run, also with the time of its end', () => {
    expect(due('0,15,30,45 2,3 * * *', newYork, '2024-03-10T00:00Z', '2024-03-11T00:00Z')).toEqual([
      '2024-03-10T07:00Z',
      '2024-03-10T07:15Z',
      '2024-03-10T07:30Z',
      '2024-03-10T07:45Z',
    ]);
  });
  it('a time in a fold is due once, at the first occurrence', () => {
    expect(due('30 1 * * *', newYork, '2024-11-02T12:00Z', '2024-11-04T12:00Z')).toEqual([
      '2024-11-03T05:30Z',
      '2024-11-04T06:30Z',
    ]);
  });
  it('the borders of gap and fold are ordinary', () => {
    expect(due('0 2 * * *', newYork, '2024-11-03T00:00Z', '2024-11-04T00:00Z')).toEqual(['2024-11-03T07:00Z']);
    expect(due('59 1 * * *', newYork, '2024-03-10T00:00Z', '2024-03-11T00:00Z')).toEqual(['2024-03-10T06:59Z']);
    expect(due('0 3 * * *', newYork, '2024-03-10T00:00Z', '2024-03-11T00:00Z')).toEqual(['2024-03-10T07:00Z']);
  });
  it('Lord Howe: half an hour', () => {
    const zone = 'Australia/Lord_Howe';
    expect(due('15 2 * * *', zone, '2024-10-05T00:00Z', '2024-10-06T00:00Z')).toEqual(['2024-10-05T15:30Z']);
    expect(due('45 1 * * *', zone, '2024-04-06T00:00Z', '2024-04-07T00:00Z')).toEqual(['2024-04-06T14:45Z']);
  });
  it('Cairo: a gap at midnight', () => {
    expect(due('30 0 * * *', 'Africa/Cairo', '2024-04-25T00:00Z', '2024-04-26T00:00Z')).toEqual(['2024-04-25T22:00Z']);
  });
  it('Nuuk: gap and fold end at midnight', () => {
    const zone = 'America/Nuuk';
    expect(due('30 23 30 3 *', zone, '2024-03-30T00:00Z', '2024-04-01T00:00Z')).toEqual(['2024-03-31T01:00Z']);
    expect(due('30 23 30 3 *', zone, '2024-03-30T00:00Z', '2024-04-01T00:00Z', 'skip')).toEqual([]);
    expect(due('30 23 * * *', zone, '2024-10-26T12:00Z', '2024-10-27T12:00Z')).toEqual(['2024-10-27T00:30Z']);
    expect(due('0 0 * * *', zone, '2024-10-26T12:00Z', '2024-10-27T12:00Z')).toEqual(['2024-10-27T02:00Z']);
  });
  it('Samoa: a day that did not come', () => {
    const zone = 'Pacific/Apia';
    const [from, until] = ['2011-12-29T00:00Z', '2012-01-01T12:00Z'];
    expect(due('0 12 * * *', zone, from, until)).toEqual([
      '2011-12-29T22:00Z',
      '2011-12-30T10:00Z',
      '2011-12-30T22:00Z',
      '2011-12-31T22:00Z',
    ]);
    expect(due('0 12 30 12 *', zone, from, until)).toEqual(['2011-12-30T10:00Z']);
    expect(due('0 12 30 12 *', zone, from, until, 'skip')).toEqual([]);
    expect(due('0 12 * * fri', zone, from, until)).toEqual(['2011-12-30T10:00Z']);
    expect(due('0 */12 * * *', zone, from, until)).toEqual([
      '2011-12-29T10:00Z',
      '2011-12-29T22:00Z',
      '2011-12-30T10:00Z',
      '2011-12-30T22:00Z',
      '2011-12-31T10:00Z',
      '2011-12-31T22:00Z',
      '2012-01-01T10:00Z',
    ]);
  });
  it('changes in the first and last hours of a year', () => {
    expect(due('30 23 * * *', 'Africa/Casablanca', '1985-12-31T12:00Z', '1986-01-01T12:00Z')).toEqual([
      '1985-12-31T22:30Z',
    ]);
    expect(due('30 1 * * *', 'Africa/Sao_Tome', '2017-12-31T12:00Z', '2018-01-01T12:00Z')).toEqual([
      '2018-01-01T01:00Z',
    ]);
    expect(due('30 1 * * *', 'Africa/Sao_Tome', '2018-12-31T12:00Z', '2019-01-01T12:00Z')).toEqual([
      '2019-01-01T00:30Z',
    ]);
  });
  it('Casablanca: the clocks go back for Ramadan and forth after it', () => {
    const zone = 'Africa/Casablanca';
    expect(due('30 2 * * *', zone, '2024-03-10T00:00Z', '2024-03-11T00:00Z')).toEqual(['2024-03-10T01:30Z']);
    expect(due('30 2 * * *', zone, '2024-04-14T00:00Z', '2024-04-15T00:00Z')).toEqual(['2024-04-14T02:00Z']);
  });
});

describe('a wildcard or a step in minutes or hours', () => {
  it('every half hour that passes, seven in a fold', () => {
    expect(due('*/30 * * * *', 'America/New_York', '2024-11-03T05:00Z', '2024-11-03T08:30Z')).toEqual([
      '2024-11-03T05:00Z',
      '2024-11-03T05:30Z',
      '2024-11-03T06:00Z',
      '2024-11-03T06:30Z',
      '2024-11-03T07:00Z',
      '2024-11-03T07:30Z',
      '2024-11-03T08:00Z',
    ]);
  });
  it('both passes of an hour in a fold, none in a gap', () => {
    expect(due('*/30 1 * * *', 'America/New_York', '2024-11-03T00:00Z', '2024-11-04T00:00Z')).toHaveLength(4);
    expect(due('*/30 2 * * *', 'America/New_York', '2024-03-10T00:00Z', '2024-03-11T00:00Z')).toEqual([]);
    expect(due('*/30 2 * * *', 'America/New_York', '2024-03-10T00:00Z', '2024-03-11T00:00Z', 'skip')).toEqual([]);
  });
  it('an hourly job runs 23, 24 and 25 times a day', () => {
    const daily = (from: string, until: string): number => due('5 * * * *', 'Europe/Berlin', from, until).length;
    expect(daily('2024-03-30T23:00Z', '2024-03-31T22:00Z')).toBe(23);
    expect(daily('2024-06-01T22:00Z', '2024-06-02T22:00Z')).toBe(24);
    expect(daily('2024-10-26T22:00Z', '2024-10-27T23:00Z')).toBe(25);
  });
});
