/** A zone asks the platform, which is slow, once for a year. */
import { expect, it, vi } from 'vitest';

import { scheduleExpression } from '../../lib/schedules/schedule-expression.ts';
import { every } from '../../lib/schedules/interval.ts';
import { Zone } from '../../lib/schedules/zone.ts';

it('finds the stretches of a year once', () => {
  const asked = vi.spyOn(Intl.DateTimeFormat.prototype as { format: unknown }, 'format', 'get');
  try {
    const zone = new Zone('Europe/Berlin');
    const first = zone.segmentAt(Date.UTC(2031, 0, 1));
    const asks = asked.mock.calls.length;
    expect(asks).toBeGreaterThan(300);
    expect(zone.segmentAt(Date.UTC(2031, 5, 1)).offsetMs).toBe(2 * 3_600_000);
    expect(zone.segmentAt(Date.UTC(2031, 0, 1))).toBe(first);
    expect(asked.mock.calls.length).toBe(asks);
    zone.segmentAt(Date.UTC(2032, 5, 1));
    expect(asked.mock.calls.length).toBeGreaterThan(asks + 300);
  } finally {
    asked.mockRestore();
  }
});

it.each([
  [1.5, 'every 1.5 s'],
  [59, 'every 59 s'],
  [60, 'every 1 min'],
  [90, 'every 90 s'],
  [5400, 'every 90 min'],
  [7200, 'every 2 h'],
  [86_400, 'every 1 d'],
  [90_000, 'every 25 h'],
])('%d seconds are told in the largest unit that has no rest: %s', (seconds, text) => {
  expect(scheduleExpression(every(seconds))).toBe(text);
  expect(scheduleExpression(every(seconds, { relative: true }))).toBe(`${text}, relative`);
});
