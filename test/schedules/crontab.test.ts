import { describe, expect, it } from 'vitest';

import { InvalidSchedule } from '../../lib/base/errors.ts';
import { compiled, crontab, type CrontabFields, type CrontabOptions } from '../../lib/schedules/crontab.ts';
import { nextDueMs } from '../../lib/schedules/next-due.ts';
import { dueBetween } from '../support/due-between.ts';

const range = (first: number, last: number): number[] =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index);

function due(fields: CrontabFields | string, options: CrontabOptions, from: string, until: string): string[] {
  return dueBetween(crontab(fields, options), Date.parse(from) - 1, Date.parse(until) - 1, 1000).map((ms) =>
    new Date(ms).toISOString().replace(':00.000Z', 'Z'),
  );
}

function message(make: () => unknown): string {
  try {
    make();
  } catch (error) {
    expect(error).toBeInstanceOf(InvalidSchedule);
    return (error as Error).message;
  }
  return 'accepted';
}

describe('grammar', () => {
  it.each([
    [{}, range(0, 59)],
    [{ minute: '*' }, range(0, 59)],
    [{ minute: '7' }, [7]],
    [{ minute: '07' }, [7]],
    [{ minute: 0 }, [0]],
    [{ minute: '10-13' }, [10, 11, 12, 13]],
    [{ minute: '50-10' }, [...range(0, 10), ...range(50, 59)]],
    [{ minute: '5-5' }, [5]],
    [{ minute: '*/15' }, [0, 15, 30, 45]],
    [{ minute: '*/100' }, [0]],
    [{ minute: '3-20/5' }, [3, 8, 13, 18]],
    [{ minute: '50-10/7' }, [4, 50, 57]],
    [{ minute: '1,13,30-35,50-59/2' }, [1, 13, 30, 31, 32, 33, 34, 35, 50, 52, 54, 56, 58]],
    [{ minute: '5,5,5-6' }, [5, 6]],
    [{ minute: ' 0 , 30 ' }, [0, 30]],
    [{ minute: [0, 30] }, [0, 30]],
    [{ minute: [0, '40-42', '*/30'] }, [0, 30, 40, 41, 42]],
  ])('minute %j', (fields, expected) => {
    expect(compiled(crontab(fields)).minutes).toEqual(expected);
  });

  it.each([
    ['*', range(0, 6)],
    ['*/2', [0, 2, 4, 6]],
    ['mon-fri', [1, 2, 3, 4, 5]],
    ['fri-mon', [0, 1, 5, 6]],
    ['fri-mon/2', [0, 5]],
    ['SUN,Tuesday,wedn', [0, 2, 3]],
    [6, [6]],
    [
      ['sat', 0],
      [0, 6],
    ],
  ])('dayOfWeek %j', (dayOfWeek, expected) => {
    expect(compiled(crontab({ dayOfWeek })).weekdays).toEqual(expected);
  });

  it.each([
    ['*/3', [1, 4, 7, 10]],
    ['2-12/2', [2, 4, 6, 8, 10, 12]],
    ['jan,MAR,September', [1, 3, 9]],
    ['nov-feb', [1, 2, 11, 12]],
    [12, [12]],
  ])('monthOfYear %j', (monthOfYear, expected) => {
    expect(compiled(crontab({ monthOfYear })).months).toEqual(expected);
  });

  it('steps count from the beginning of the range: odd days, even hours', () => {
    const { days, hours } = compiled(crontab({ dayOfMonth: '*/2', hour: '*/2' }));
    expect(days).toEqual(range(1, 31).filter((day) => day % 2 === 1));
    expect(hours).toEqual(range(0, 23).filter((hour) => hour % 2 === 0));
  });

  it('a text has five fields in the usual order', () => {
    expect(crontab(' 30  7 1,15 jan-mar mon ', { timezone: 'Europe/Berlin', dst: 'skip' })).toEqual({
      type: 'crontab',
      minute: '30',
      hour: '7',
      dayOfMonth: '1,15',
      monthOfYear: 'jan-mar',
      dayOfWeek: 'mon',
      timezone: 'Europe/Berlin',
      dst: 'skip',
    });
    expect(crontab('* * * * *')).toEqual(crontab());
  });

  it('a schedule is frozen plain data', () => {
    const schedule = crontab({ minute: [0, 30] });
    expect(Object.isFrozen(schedule)).toBe(true);
    expect(schedule.minute).toBe('0,30');
    expect(JSON.parse(JSON.stringify(schedule))).toEqual(schedule);
  });
});

describe('refusals name the field, the value and what to do', () => {
  it.each<[CrontabFields, string[]]>([
    [{ dayOfWeek: 7 }, ["crontab dayOfWeek: '7' given", '0 to 6', 'Sunday is 0']],
    [{ dayOfWeek: 'mon-7' }, ["crontab dayOfWeek: 'mon-7' given", '0 to 6', 'Sunday is 0']],
    [{ dayOfWeek: 'mar' }, ["crontab dayOfWeek: 'mar' given", "'mar' is no value", 'names such as mon']],
    [{ monthOfYear: 'sun' }, ["crontab monthOfYear: 'sun' given", "'sun' is no value", 'names such as mar']],
    [{ minute: 'jan' }, ["crontab minute: 'jan' given", '0 to 59']],
    [{ dayOfWeek: 'mo' }, ["crontab dayOfWeek: 'mo' given", "'mo' is no value"]],
    [{ dayOfWeek: 'monkey' }, ["crontab dayOfWeek: 'monkey' given", "'monkey' is no value"]],
    [{ dayOfMonth: '?' }, ["crontab dayOfMonth: '?' given", 'belong to other crons', 'Write *']],
    [{ dayOfMonth: 'L' }, ["crontab dayOfMonth: 'L' given", '1 to 31']],
    [{ dayOfMonth: '15W' }, ["crontab dayOfMonth: '15W' given", '1 to 31']],
    [{ dayOfWeek: 'fri#2' }, ["crontab dayOfWeek: 'fri#2' given", 'belong to other crons', 'Write *']],
    [{ minute: '5/15' }, ["crontab minute: '5/15' given", 'write 5-59/15']],
    [{ minute: '*/0' }, ["crontab minute: '*/0' given", 'A step is at least 1']],
    [{ minute: '1-30/0' }, ["crontab minute: '1-30/0' given", 'A step is at least 1']],
    [{ minute: '*/' }, ["crontab minute: '*/' given", 'Write *']],
    [{ minute: '1-' }, ["crontab minute: '1-' given", 'Write *']],
    [{ minute: '1-5-9' }, ["crontab minute: '1-5-9' given", 'Write *']],
    [{ minute: '*5' }, ["crontab minute: '*5' given", 'Write *']],
    [{ minute: '' }, ["crontab minute: '' given", 'nothing']],
    [{ minute: '1,,2' }, ["crontab minute: '1,,2' given", 'nothing']],
    [{ minute: '1,' }, ["crontab minute: '1,' given", 'nothing']],
    [{ minute: [] }, ['crontab minute: [] given', 'leave the field out']],
    [{ minute: 60 }, ["crontab minute: '60' given", '0 to 59']],
    [{ minute: -5 }, ["crontab minute: '-5' given", 'negative']],
    [{ minute: 1.5 }, ['crontab minute: 1.5 given', 'Write *']],
    [{ minute: [0, Number.NaN] }, ['crontab minute: [0,null] given', 'Write *']],
    [{ hour: 24 }, ["crontab hour: '24' given", '0 to 23']],
    [{ dayOfMonth: 0 }, ["crontab dayOfMonth: '0' given", '1 to 31']],
    [{ dayOfMonth: '1-32' }, ["crontab dayOfMonth: '1-32' given", '1 to 31']],
    [{ monthOfYear: 13 }, ["crontab monthOfYear: '13' given", '1 to 12']],
    [{ dayOfMonth: 31, monthOfYear: 2 }, ["dayOfMonth '31' and monthOfYear '2'", 'no such date', 'Correct']],
    [{ dayOfMonth: '31', monthOfYear: 'feb,apr,jun' }, ["dayOfMonth '31'", 'no such date']],
    [{ minute: {} as never }, ['crontab minute: {} given', 'Write *']],
    [{ minute: true as never }, ['crontab minute: true given', 'Write *']],
    [{ day_of_week: 1 } as never, ["'day_of_week' is no field", 'dayOfWeek']],
    [5 as never, ['crontab: 5 given', 'fields by name']],
    [['0', '4'] as never, ['crontab: ["0","4"] given', 'fields by name']],
  ])('%j', (fields, parts) => {
    const text = message(() => crontab(fields));
    for (const part of parts) expect(text).toContain(part);
  });

  it('a field of more than 400 characters', () => {
    expect(message(() => crontab({ minute: '1,'.repeat(300) }))).toMatch(/crontab minute: '1,1.*400 characters/);
  });

  it.each([
    ['0 4 * *', 'has 4 fields; five are allowed'],
    ['0 0 4 * * *', 'has 6 fields; five are allowed'],
    ['0 4 31 2 *', 'no such date'],
    ['0 4 * * 7', 'Sunday is 0'],
    ['@daily', 'has 1 fields; five are allowed'],
  ])('text %j', (text, part) => {
    expect(message(() => crontab(text))).toContain(part);
  });

  it.each<[CrontabOptions, string]>([
    [{ timezone: 'Europe/Atlantis' }, "'Europe/Atlantis' is not in the time zone database. Give an IANA name"],
    [{ timezone: '' }, "timezone: ''"],
    [{ timezone: 7 as never }, 'timezone: 7'],
    [{ dst: 'twice' as never }, "crontab dst: 'twice' given; 'shift' or 'skip'"],
    [{ zone: 'UTC' } as never, "'zone' is no option. Allowed are timezone, dst"],
  ])('options %j', (options, part) => {
    expect(message(() => crontab({}, options))).toContain(part);
  });
});

describe('all fields must match', () => {
  it('day of month and day of week together: Friday the 13th', () => {
    expect(due('0 0 13 * fri', {}, '2024-01-01', '2026-01-01')).toEqual([
      '2024-09-13T00:00Z',
      '2024-12-13T00:00Z',
      '2025-06-13T00:00Z',
    ]);
  });
  it('first and third Monday', () => {
    expect(
      due({ minute: 5, hour: 9, dayOfWeek: 'mon', dayOfMonth: '1-7,15-21' }, {}, '2024-09-01', '2024-10-08'),
    ).toEqual(['2024-09-02T09:05Z', '2024-09-16T09:05Z', '2024-10-07T09:05Z']);
  });
  it('a leap day on a Thursday comes after 28 years', () => {
    const schedule = crontab('0 0 29 2 thu');
    expect(nextDueMs(schedule, Date.UTC(2024, 1, 29))).toBe(Date.UTC(2052, 1, 29));
  });
  it('a leap day on any weekday comes, after 40 years at the latest', () => {
    const leapDays = range(2024, 2250)
      .map((year) => Date.UTC(year, 1, 29))
      .filter((ms) => new Date(ms).getUTCDate() === 29);
    const waits = range(0, 6).flatMap((weekday) => {
      const expected = leapDays.filter((ms) => new Date(ms).getUTCDay() === weekday);
      expect(dueBetween(crontab(`0 0 29 2 ${weekday}`), Date.UTC(2024, 0), Date.UTC(2250, 0), 1000)).toEqual(expected);
      return expected.map(
        (ms, index) => new Date(ms).getUTCFullYear() - new Date(expected[index - 1] ?? ms).getUTCFullYear(),
      );
    });
    expect(Math.max(...waits)).toBe(40);
  });
  it('the next one is strictly after', () => {
    const schedule = crontab('0 4 * * *');
    expect(nextDueMs(schedule, Date.UTC(2024, 0, 1, 4) - 1)).toBe(Date.UTC(2024, 0, 1, 4));
    expect(nextDueMs(schedule, Date.UTC(2024, 0, 1, 4))).toBe(Date.UTC(2024, 0, 2, 4));
  });
  it('is read in its own zone; without one in UTC', () => {
    expect(due('30 7 * * mon', { timezone: 'Asia/Kolkata' }, '2024-01-01', '2024-01-08')).toEqual([
      '2024-01-01T02:00Z',
    ]);
    expect(due('30 7 * * mon', {}, '2024-01-01', '2024-01-08')).toEqual(['2024-01-01T07:30Z']);
  });
});
