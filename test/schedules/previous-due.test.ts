/** The last instant that a crontab was due is the one that no other comes after. */
import { clocked, crontab, every, nextDueMs } from 'celeriac';
import fc from 'fast-check';
import { expect, it } from 'vitest';

import { previousDueMs } from '../../lib/schedules/previous-due.ts';

const DAY_MS = 86_400_000;
const NOW = Date.UTC(2030, 5, 15, 12, 34, 56);

const field = (least: number, most: number): fc.Arbitrary<string | number> =>
  fc.oneof(
    fc.constant('*'),
    fc.integer({ min: 2, max: 20 }).map((step) => `*/${step}`),
    fc.integer({ min: least, max: most }),
  );

it('is due, and nothing is due between it and now', () => {
  fc.assert(
    fc.property(
      field(0, 59),
      field(0, 23),
      field(1, 28),
      fc.nat({ max: 400 * DAY_MS }),
      (minute, hour, dayOfMonth, backMs) => {
        const schedule = crontab({ minute, hour, dayOfMonth }, { timezone: 'Europe/Berlin' });
        const untilMs = NOW - backMs;
        const last = previousDueMs(schedule, untilMs);
        // At least once a month, as the fields are.
        if (last === undefined) throw new Error('there is one');
        expect(last).toBeLessThanOrEqual(untilMs);
        expect(nextDueMs(schedule, last - 1)).toBe(last);
        expect(nextDueMs(schedule, last)).toBeGreaterThan(untilMs);
      },
    ),
    { numRuns: 50 },
  );
});

it('a leap day may be too long ago; of what is no crontab nobody knows', () => {
  expect(previousDueMs(crontab({ minute: 0, hour: 0, dayOfMonth: 29, monthOfYear: 2 }), NOW)).toBeUndefined();
  expect(previousDueMs(crontab({ minute: 0, hour: 0, dayOfMonth: 1, monthOfYear: 7 }), NOW)).toBe(Date.UTC(2029, 6, 1));
  expect(previousDueMs(every('1m'), NOW)).toBeUndefined();
  expect(previousDueMs(clocked(new Date(NOW - 1)), NOW)).toBeUndefined();
});
