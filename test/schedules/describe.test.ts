/** Schedules in words: for people, and never another meaning than the one that is run. */
import fc from 'fast-check';
import { clocked, crontab, describeSchedule, every, type Schedule, solar } from 'celeriac';
import { expect, expectTypeOf, it } from 'vitest';

import { fieldsArbitrary } from './expressions.ts';

it.each<[Schedule, string]>([
  [crontab({ minute: 30, hour: 2 }, { timezone: 'Europe/Berlin' }), 'At 02:30, every day (Europe/Berlin)'],
  [crontab('*/15 * * * *'), 'Every 15 minutes, every hour, every day'],
  // Both day fields together, where cron takes either.
  [crontab('0 0 13 * fri'), 'At 00:00, on day 13 of the month, only on Friday'],
  [crontab('0 9 * * 0'), 'At 09:00, only on Sunday'],
  [every('10s'), 'Every 10 s'],
  [every(5400, { timezone: 'Europe/Berlin' }), 'Every 90 min'],
  [every('1d', { relative: true, timezone: 'Europe/Berlin' }), 'Every 1 d, on the full day (Europe/Berlin)'],
  [every(90, { relative: true }), 'Every 90 s, on the full minute'],
  [solar('dusk_civil', 52.52, 13.4), 'At dusk civil, at 52.52, 13.4'],
  [clocked('2030-12-31T23:00:00Z'), 'Once, at 2030-12-31T23:00:00.000Z'],
])('%j is: %s', (schedule, words) => {
  expect(describeSchedule(schedule)).toBe(words);
});

it('whatever a crontab says has words in one line, which end with its zone', () => {
  fc.assert(
    fc.property(fieldsArbitrary, (fields) => {
      const words = describeSchedule(crontab(fields, { timezone: 'Asia/Tokyo' }));
      expect(words).toMatch(/^\S.* \(Asia\/Tokyo\)$/);
      expect(words).not.toMatch(/undefined|null|NaN/);
    }),
  );
});

it('takes what entries have', () => {
  expectTypeOf(describeSchedule).toEqualTypeOf<(schedule: Schedule) => string>();
  // @ts-expect-error a duration is no schedule yet: every() makes it one
  void (() => describeSchedule('10s'));
});
