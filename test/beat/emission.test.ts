import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { crontab } from '../../lib/schedules/crontab.ts';
import { ruleExpression } from '../../lib/schedules/eventbridge.ts';
import { every } from '../../lib/schedules/interval.ts';
import { nextDueMs } from '../../lib/schedules/next-due.ts';
import type { CrontabSchedule } from '../../lib/schedules/schedule.ts';
import { dueBetween } from '../support/due-between.ts';
import { runs } from '../support/runs.ts';
import { AwsCron, DAY_MS, MINUTE_MS, Refused, rateSeconds } from './aws-cron.ts';

const START = Date.parse('2028-01-01T00:00:00Z');
const END = Date.parse('2029-01-01T00:00:00Z');

// ------------------------------------------------------- the evaluator itself

describe('the evaluator of AWS expressions', () => {
  it.each<[string, string, boolean]>([
    ['cron(0 10 * * ? *)', '2028-02-29T10:00:00Z', true],
    ['cron(0 10 * * ? *)', '2028-02-29T10:01:00Z', false],
    ['cron(15 12 * * ? *)', '2028-06-01T12:15:00Z', true],
    ['cron(0 18 ? * MON-FRI *)', '2028-01-07T18:00:00Z', true], // A Friday.
    ['cron(0 18 ? * MON-FRI *)', '2028-01-08T18:00:00Z', false], // A Saturday.
    ['cron(0 8 1 * ? *)', '2028-03-01T08:00:00Z', true],
    ['cron(0/15 * * * ? *)', '2028-03-01T08:45:00Z', true],
    ['cron(1/10 * * * ? *)', '2028-03-01T08:11:00Z', true],
    ['cron(1/10 * * * ? *)', '2028-03-01T08:10:00Z', false],
    ['cron(0/10 * ? * MON-FRI *)', '2028-01-03T00:20:00Z', true],
    ['cron(0 9 ? * 1 *)', '2028-01-02T09:00:00Z', true], // 1 is Sunday.
    ['cron(0 9 ? * 7 *)', '2028-01-01T09:00:00Z', true],
    ['cron(0 9 ? JAN,FEB,MAR SUN *)', '2028-03-05T09:00:00Z', true],
    ['cron(0 9 ? JAN,FEB,MAR SUN *)', '2028-04-02T09:00:00Z', false],
    ['cron(0 9 29 2 ? 2028)', '2028-02-29T09:00:00Z', true],
    ['cron(0 9 29 2 ? 2029-2199)', '2028-02-29T09:00:00Z', false],
  ])('%s at %s: %s', (expression, instant, fires) => {
    expect(new AwsCron(expression).matches(Date.parse(instant))).toBe(fires);
  });

  it.each([
    'cron(0 10 * * *)',
    'cron(0 10 * * ? * *)',
    'cron(0 10 * * * *)',
    'cron(0 10 ? * ? *)',
    'cron(0 10 1 * MON *)',
    'cron(? 10 * * ? *)',
    'cron(60 10 * * ? *)',
    'cron(0 24 * * ? *)',
    'cron(0 10 0 * ? *)',
    'cron(0 10 32 * ? *)',
    'cron(0 10 * 13 ? *)',
    'cron(0 10 ? * 0 *)',
    'cron(0 10 ? * 8 *)',
    'cron(0 10 ? * MON/2 *)',
    'cron(0 10 ? * Monday *)',
    'cron(0 10 * * ? 1969)',
    'cron(0 10 * * ? 2200)',
    'cron(*/5 10 * * ? *)',
    'cron(0-30/5 10 * * ? *)',
    'cron(30-10 10 * * ? *)',
    'cron(0/0 10 * * ? *)',
    'cron(0/60 10 * * ? *)',
    'cron(0, 10 * * ? *)',
    'cron(0,* 10 * * ? *)',
    'cron(0  10 * * ? *)',
    'cron(-1 10 * * ? *)',
    'cron(0 10 L * ? *)',
    'cron(0 10 ? * 3#2 *)',
    '0 10 * * ? *',
    `cron(${Array.from({ length: 100 }, () => '10').join(',')} 0 * * ? *)`,
  ])('refuses %s', (expression) => {
    expect(() => new AwsCron(expression)).toThrow(Refused);
  });

  it('reads rates: one minute, more minutes', () => {
    expect(rateSeconds('rate(1 minute)')).toBe(60);
    expect(rateSeconds('rate(5 minutes)')).toBe(300);
    expect(rateSeconds('rate(1 hour)')).toBe(3600);
    expect(rateSeconds('rate(7 days)')).toBe(604_800);
    for (const wrong of ['rate(1 minutes)', 'rate(5 minute)', 'rate(0 minutes)', 'rate(1.5 hours)', 'rate(30 seconds)'])
      expect(() => rateSeconds(wrong)).toThrow(Refused);
  });
});

// ------------------------------------------------- random texts and their sets

/** A field in Celery's grammar, and the values that it was made to mean. */
interface Field {
  readonly text: string;
  readonly values: ReadonlySet<number>;
}

const MONTH_NAMES = ['jan', 'feb', 'mar', 'april', 'may', 'June', 'JUL', 'august', 'sep', 'oct', 'nov', 'December'];
const DAY_NAMES = ['sun', 'Monday', 'tue', 'WED', 'thu', 'friday', 'sat'];

function partArbitrary(minimum: number, maximum: number, names: readonly string[]): fc.Arbitrary<Field> {
  const size = maximum - minimum + 1;
  const number = fc.integer({ min: minimum, max: maximum });
  const named = fc.tuple(number, fc.boolean()).map(([value, byName]) => ({
    value,
    word: byName ? (names[value - minimum] ?? String(value)) : String(value),
  }));
  const run = (first: number, count: number, step: number): ReadonlySet<number> =>
    new Set(
      Array.from(
        { length: Math.ceil(count / step) },
        (_, index) => minimum + ((first - minimum + index * step) % size),
      ),
    );
  const step = fc.integer({ min: 1, max: size });
  const length = (from: number, to: number): number => ((to - from + size) % size) + 1;
  return fc.oneof(
    { weight: 4, arbitrary: named.map(({ value, word }) => ({ text: word, values: new Set([value]) })) },
    {
      weight: 4,
      arbitrary: fc.tuple(named, named).map(([from, to]) => ({
        text: `${from.word}-${to.word}`,
        values: run(from.value, length(from.value, to.value), 1),
      })),
    },
    { weight: 3, arbitrary: step.map((each) => ({ text: `*/${each}`, values: run(minimum, size, each) })) },
    {
      weight: 3,
      arbitrary: fc.tuple(named, named, step).map(([from, to, each]) => ({
        text: `${from.word}-${to.word}/${each}`,
        values: run(from.value, length(from.value, to.value), each),
      })),
    },
  );
}

function fieldArbitrary(
  minimum: number,
  maximum: number,
  starWeight: number,
  names: readonly string[] = [],
): fc.Arbitrary<Field> {
  const all = new Set(Array.from({ length: maximum - minimum + 1 }, (_, index) => minimum + index));
  const parts = fc.array(partArbitrary(minimum, maximum, names), { minLength: 1, maxLength: 4 });
  return fc.oneof(
    {
      weight: starWeight,
      arbitrary: fc.constantFrom('*', '*/1', `${minimum}-${maximum}`).map((text) => ({ text, values: all })),
    },
    {
      weight: 4,
      arbitrary: parts.map((list) => ({
        text: list.map(({ text }) => text).join(','),
        values: new Set(list.flatMap(({ values }) => [...values])),
      })),
    },
  );
}

const LONGEST = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

const crontabArbitrary = fc
  .record({
    minute: fieldArbitrary(0, 59, 1),
    hour: fieldArbitrary(0, 23, 2),
    dayOfMonth: fieldArbitrary(1, 31, 8),
    monthOfYear: fieldArbitrary(1, 12, 8, MONTH_NAMES),
    dayOfWeek: fieldArbitrary(0, 6, 4, DAY_NAMES),
  })
  .filter(({ dayOfMonth, monthOfYear }) =>
    [...monthOfYear.values].some((month) => Math.min(...dayOfMonth.values) <= (LONGEST[month - 1] ?? 0)),
  )
  .map((fields) => ({
    fields,
    schedule: crontab(
      {
        minute: fields.minute.text,
        hour: fields.hour.text,
        dayOfMonth: fields.dayOfMonth.text,
        monthOfYear: fields.monthOfYear.text,
        dayOfWeek: fields.dayOfWeek.text,
      },
      { timezone: 'UTC' },
    ),
  }));

/** EventBridge takes one of the two day fields. */
function hasBothDays({
  dayOfMonth,
  dayOfWeek,
}: Readonly<Record<'dayOfMonth' | 'dayOfWeek', { readonly values: ReadonlySet<number> }>>): boolean {
  return dayOfMonth.values.size < 31 && dayOfWeek.values.size < 7;
}

// ---------------------------------------------------------------- one year

const DAYS = Array.from({ length: (END - START) / DAY_MS }, (_, index) => START + index * DAY_MS);
const FULL_WALK = 600;

/**
 * Every due instant of the year where they are few. Where they are many: the first one after each day's
 * beginning and the one after each day's last, and all of a few days.
 */
function expectSameYear(schedule: CrontabSchedule, cron: AwsCron, days: readonly number[], fullWalk = FULL_WALK): void {
  const minutes = cron.minutesOfDay();
  const [first = 0, last = 0] = [minutes[0], minutes.at(-1)];
  const matching = DAYS.filter((dayMs) => cron.matchesDay(dayMs));
  const instants = (dayMs: number): number[] => minutes.map((minute) => dayMs + minute * MINUTE_MS);
  if (matching.length * minutes.length <= fullWalk) {
    expect(dueBetween(schedule, START - 1, END - 1, Number.MAX_SAFE_INTEGER)).toEqual(matching.flatMap(instants));
    return;
  }
  const firsts = matching.map((dayMs) => dayMs + first * MINUTE_MS);
  let upcoming = 0;
  for (const dayMs of DAYS) {
    const matches = dayMs === matching[upcoming];
    if (nextDueMs(schedule, dayMs - 1) !== firsts[upcoming] && upcoming < firsts.length)
      expect.fail(`${new Date(dayMs).toISOString()}: not due when AWS fires`);
    if (!matches) continue;
    upcoming += 1;
    if (nextDueMs(schedule, dayMs + last * MINUTE_MS) !== firsts[upcoming] && upcoming < firsts.length)
      expect.fail(`${new Date(dayMs).toISOString()}: due again where AWS does not fire`);
  }
  const afterLast = nextDueMs(schedule, (matching.at(-1) ?? START) + last * MINUTE_MS);
  expect(afterLast === undefined || afterLast >= END).toBe(true);
  for (const index of days) {
    const dayMs = matching[index % matching.length] ?? START;
    expect(dueBetween(schedule, dayMs - 1, dayMs + DAY_MS - 1, 1440)).toEqual(instants(dayMs));
  }
}

describe('crontabs as cron(...)', () => {
  it('what is emitted fires exactly when the schedule is due; what is not has both day fields', () => {
    fc.assert(
      fc.property(
        crontabArbitrary,
        fc.array(fc.nat(365), { minLength: 2, maxLength: 2 }),
        ({ fields, schedule }, days) => {
          const result = ruleExpression(schedule);
          if (hasBothDays(fields)) {
            expect(result).toEqual({ ok: false, reason: 'day of month and day of week' });
            return;
          }
          if (!result.ok) expect.fail(`not emitted: ${result.reason}`);
          expect(result.expression.length).toBeLessThanOrEqual(256);
          expect(result.expression.split(' ')[4]).toMatch(/^(?:\?|[A-Z,-]+)$/);
          const cron = new AwsCron(result.expression);
          // The generator is a third opinion.
          const { minute, hour } = fields;
          expect(cron.minutesOfDay()).toHaveLength(minute.values.size * hour.values.size);
          expectSameYear(schedule, cron, days);
        },
      ),
      { numRuns: runs(500, 3000) },
    );
    // By themselves: of the property as many are tried as a busy machine has the time for.
    const drawn = fc.sample(crontabArbitrary, 200);
    expect(drawn.filter(({ fields }) => !hasBothDays(fields)).length).toBeGreaterThan(100);
  });

  it.each(['* * * * *', '*/7 * * * *', '1-59/2 */3 * * *', '0,59 * * * sun', '*/2 8-17 * 2 *', '3 * 29-31 * *'])(
    'every instant of the year: %s',
    (text) => {
      const schedule = crontab(text, { timezone: 'UTC' });
      const result = ruleExpression(schedule);
      expectSameYear(schedule, new AwsCron(result.ok ? result.expression : ''), [], Number.MAX_SAFE_INTEGER);
    },
  );

  it('the longest expression stays below the limit', () => {
    // Pairs of neighbours: no ranges, no steps.
    const pairs = (from: number, to: number): number[] =>
      Array.from({ length: to - from + 1 }, (_, index) => from + index).filter((value) => value % 3 !== from % 3);
    const result = ruleExpression(
      crontab({ minute: pairs(0, 59), hour: pairs(0, 23), dayOfMonth: pairs(1, 31), monthOfYear: pairs(1, 12) }),
    );
    if (!result.ok) expect.fail(result.reason);
    expect(result.expression.length).toBeGreaterThan(200);
    expect(() => new AwsCron(result.expression)).not.toThrow();
  });

  it.each([
    ['30 7 * * 1', 'cron(30 7 ? * MON *)'],
    ['0 0 * * 0', 'cron(0 0 ? * SUN *)'],
    ['*/15 * * * *', 'cron(0/15 * * * ? *)'],
    ['*/30 * * * *', 'cron(0,30 * * * ? *)'],
    ['0 0 */2 * *', 'cron(0 0 1/2 * ? *)'],
    ['0 0 * */3 *', 'cron(0 0 * 1/3 ? *)'],
    ['0 0 * * fri-mon', 'cron(0 0 ? * SUN,MON,FRI,SAT *)'],
    ['50-10 * * * *', 'cron(0-10,50-59 * * * ? *)'],
    ['0 22-2 * * mon-fri', 'cron(0 0-2,22,23 ? * MON-FRI *)'],
    ['0 4 1 * *', 'cron(0 4 1 * ? *)'],
    ['* * * * *', 'cron(* * * * ? *)'],
  ])('%s is %s', (text, expression) => {
    expect(ruleExpression(crontab(text))).toEqual({ ok: true, expression });
  });

  it('a time zone that is not UTC is swept, whatever the fields are', () => {
    fc.assert(
      fc.property(
        crontabArbitrary,
        fc.constantFrom('Europe/Berlin', 'America/New_York', 'Asia/Kolkata', 'Europe/London', 'Etc/GMT+1'),
        ({ schedule }, timezone) => {
          expect(ruleExpression({ ...schedule, timezone })).toEqual({ ok: false, reason: `time zone ${timezone}` });
        },
      ),
      { numRuns: 200 },
    );
    for (const timezone of ['UTC', 'Etc/UTC', 'GMT'])
      expect(ruleExpression(crontab({}, { timezone }))).toEqual({ ok: true, expression: 'cron(* * * * ? *)' });
  });
});

describe('intervals as rate(...)', () => {
  it('whole minutes are a rate of the same length, in the largest unit; all else is swept', () => {
    const seconds = fc.oneof(
      fc.integer({ min: 1, max: 100_000 }),
      fc.integer({ min: 1, max: 2000 }).map((count) => count * 60),
      fc.integer({ min: 1, max: 400 }).map((count) => count * 3600),
      fc.integer({ min: 1, max: 400 }).map((count) => count * 86_400),
      fc.integer({ min: 1000, max: 200_000 }).map((count) => count / 1000),
    );
    fc.assert(
      fc.property(seconds, fc.boolean(), (interval, relative) => {
        const result = ruleExpression(every(interval, { relative }));
        if (relative) expect(result).toEqual({ ok: false, reason: 'relative' });
        else if (interval % 60 !== 0) expect(result).toEqual({ ok: false, reason: 'seconds' });
        else if (result.ok) expect(rateSeconds(result.expression)).toBe(interval);
        else expect.fail(result.reason);
      }),
      { numRuns: 5000 },
    );
  });

  it.each([
    [60, 'rate(1 minute)'],
    ['90m', 'rate(90 minutes)'],
    ['1h', 'rate(1 hour)'],
    ['2h', 'rate(2 hours)'],
    ['24h', 'rate(1 day)'],
    ['1w', 'rate(7 days)'],
  ] as const)('every %s is %s', (interval, expression) => {
    expect(ruleExpression(every(interval))).toEqual({ ok: true, expression });
  });

  it('the sun and single instants are swept', () => {
    expect(ruleExpression({ type: 'solar', event: 'sunset', latitude: 52, longitude: 13 })).toEqual({
      ok: false,
      reason: 'the sun',
    });
    expect(ruleExpression({ type: 'clocked', at: '2030-01-01T00:00:00Z' })).toEqual({
      ok: false,
      reason: 'a single instant',
    });
  });
});
