import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { InvalidSchedule } from '../../lib/base/errors.ts';
import { nextDueMs } from '../../lib/schedules/next-due.ts';
import { SOLAR_EVENTS, type SolarEvent } from '../../lib/schedules/schedule.ts';
import { solar } from '../../lib/schedules/solar.ts';

const HOUR = 3_600_000;

/** Source: PyEphem 4.2.1, horizons of celery/schedules.py. Event, latitude, longitude, after, due. */
const ROWS = `
dawn_astronomical 52.52 13.405 2024-03-20T00:00Z 2024-03-20T03:11:43Z
dawn_nautical 52.52 13.405 2025-06-21T00:00Z 2025-06-21T00:29:25Z
dawn_civil 52.52 13.405 2027-12-21T12:00Z 2027-12-22T06:33:35Z
sunrise 52.52 13.405 2030-10-05T18:00Z 2030-10-06T05:15:58Z
solar_noon 52.52 13.405 2024-03-20T00:00Z 2024-03-20T11:13:41Z
sunset 52.52 13.405 2025-06-21T00:00Z 2025-06-21T19:33:16Z
dusk_civil 52.52 13.405 2027-12-21T12:00Z 2027-12-21T15:35:29Z
dusk_nautical 52.52 13.405 2030-10-05T18:00Z 2030-10-06T17:45:33Z
dusk_astronomical 52.52 13.405 2024-03-20T00:00Z 2024-03-20T19:17:16Z
dawn_astronomical -0.18 -78.47 2025-06-21T00:00Z 2025-06-21T09:57:19Z
dawn_nautical -0.18 -78.47 2027-12-21T12:00Z 2027-12-22T10:19:34Z
dawn_civil -0.18 -78.47 2030-10-05T18:00Z 2030-10-06T10:37:50Z
sunrise -0.18 -78.47 2024-03-20T00:00Z 2024-03-20T11:17:52Z
solar_noon -0.18 -78.47 2025-06-21T00:00Z 2025-06-21T17:15:47Z
sunset -0.18 -78.47 2027-12-21T12:00Z 2027-12-21T23:15:59Z
dusk_civil -0.18 -78.47 2030-10-05T18:00Z 2030-10-05T23:26:16Z
dusk_nautical -0.18 -78.47 2024-03-20T00:00Z 2024-03-20T00:09:19Z
dusk_astronomical -0.18 -78.47 2025-06-21T00:00Z 2025-06-21T00:34:01Z
dawn_astronomical -33.87 151.21 2027-12-21T12:00Z 2027-12-21T16:56:35Z
dawn_nautical -33.87 151.21 2030-10-05T18:00Z 2030-10-05T18:31:20Z
dawn_civil -33.87 151.21 2024-03-20T00:00Z 2024-03-20T19:34:11Z
sunrise -33.87 151.21 2025-06-21T00:00Z 2025-06-21T21:00:14Z
solar_noon -33.87 151.21 2027-12-21T12:00Z 2027-12-22T01:53:22Z
sunset -33.87 151.21 2030-10-05T18:00Z 2030-10-06T08:01:17Z
dusk_civil -33.87 151.21 2024-03-20T00:00Z 2024-03-20T08:31:11Z
dusk_nautical -33.87 151.21 2025-06-21T00:00Z 2025-06-21T07:52:49Z
dusk_astronomical -33.87 151.21 2027-12-21T12:00Z 2027-12-22T10:50:10Z
dawn_astronomical 60 -150 2030-10-05T18:00Z 2030-10-06T13:58:21Z
dawn_nautical 60 -150 2024-03-20T00:00Z 2024-03-20T14:27:35Z
dawn_civil 60 -150 2025-06-21T00:00Z 2025-06-21T10:49:17Z
sunrise 60 -150 2027-12-21T12:00Z 2027-12-21T19:01:59Z
solar_noon 60 -150 2030-10-05T18:00Z 2030-10-05T21:48:16Z
sunset 60 -150 2024-03-20T00:00Z 2024-03-20T04:14:11Z
dusk_civil 60 -150 2025-06-21T00:00Z 2025-06-21T09:14:24Z
dusk_nautical 60 -150 2027-12-21T12:00Z 2027-12-22T02:48:57Z
dusk_astronomical 60 -150 2030-10-05T18:00Z 2030-10-06T05:38:54Z
dawn_astronomical -36.85 174.76 2024-03-20T00:00Z 2024-03-20T16:58:05Z
dawn_nautical -36.85 174.76 2025-06-21T00:00Z 2025-06-21T18:32:27Z
dawn_civil -36.85 174.76 2027-12-21T12:00Z 2027-12-21T16:27:34Z
sunrise -36.85 174.76 2030-10-05T18:00Z 2030-10-06T17:48:44Z
solar_noon -36.85 174.76 2024-03-20T00:00Z 2024-03-20T00:28:24Z
sunset -36.85 174.76 2025-06-21T00:00Z 2025-06-21T05:11:39Z
dusk_civil -36.85 174.76 2027-12-21T12:00Z 2027-12-22T08:10:43Z
dusk_nautical -36.85 174.76 2030-10-05T18:00Z 2030-10-06T07:25:51Z
dusk_astronomical -36.85 174.76 2024-03-20T00:00Z 2024-03-20T07:58:54Z
`;

/** Source as above, going on from one anti-transit to the next as Celery does. The sun is up or down for weeks before. */
const POLAR_ROWS = `
sunrise 69.65 18.96 2024-12-01T00:00Z 2025-01-15T10:24:32Z
sunset 69.65 18.96 2024-06-01T00:00Z 2024-07-25T22:22:46Z
dawn_civil 69.65 18.96 2024-12-01T00:00Z 2024-12-01T07:50:59Z
dusk_astronomical 69.65 18.96 2024-05-20T00:00Z 2024-09-16T22:08:51Z
sunrise 69.65 18.96 2024-06-01T00:00Z 2024-07-25T23:19:30Z
sunrise 78.22 15.65 2024-12-01T00:00Z 2025-02-15T10:40:55Z
sunset 78.22 15.65 2024-06-01T00:00Z 2024-08-24T22:09:58Z
dawn_civil 78.22 15.65 2024-12-01T00:00Z 2025-01-30T10:22:26Z
dusk_astronomical 78.22 15.65 2024-05-20T00:00Z 2024-10-08T22:12:09Z
sunrise 78.22 15.65 2024-06-01T00:00Z 2024-08-24T23:51:14Z
sunrise -77.85 166.67 2024-12-01T00:00Z 2025-02-19T13:54:55Z
sunset -77.85 166.67 2024-06-01T00:00Z 2024-08-19T01:50:59Z
dawn_civil -77.85 166.67 2024-12-01T00:00Z 2025-03-05T13:59:04Z
dusk_astronomical -77.85 166.67 2024-05-20T00:00Z 2024-05-20T06:18:37Z
sunrise -77.85 166.67 2024-06-01T00:00Z 2024-08-19T00:04:56Z
`;

function rowsOf(table: string): [SolarEvent, number, number, string, string][] {
  return table
    .trim()
    .split('\n')
    .map((line) => {
      const [event = '', latitude, longitude, after = '', due = ''] = line.split(' ');
      return [event as SolarEvent, Number(latitude), Number(longitude), after, due];
    });
}

function secondsOff([event, latitude, longitude, after, due]: [SolarEvent, number, number, string, string]): number {
  const actual = nextDueMs(solar(event, latitude, longitude), Date.parse(after)) ?? Number.NaN;
  return Math.abs(actual - Date.parse(due)) / 1000;
}

describe('solar', () => {
  it('all nine events are in the table', () => {
    expect(new Set(rowsOf(ROWS).map(([event]) => event))).toEqual(new Set(SOLAR_EVENTS));
  });
  it.each(rowsOf(ROWS))('%s at %f, %f after %s is %s, to ten seconds', (...row) => {
    expect(secondsOff(row)).toBeLessThanOrEqual(10);
  });
  it.each(rowsOf(POLAR_ROWS))('%s at %f, %f after %s comes at %s, to a minute', (...row) => {
    expect(secondsOff(row)).toBeLessThanOrEqual(60);
  });

  it('sunrise and sunset take turns, also around a polar day', () => {
    for (const latitude of [-89, -78, -66.6, 0, 60, 66.5, 67, 69.65, 78, 85, 89]) {
      let atMs = Date.UTC(2024, 0);
      const events = new Map([true, false].map((up) => [up, solar(up ? 'sunrise' : 'sunset', latitude, 19)]));
      const next = (up: boolean, after: number): number =>
        nextDueMs(events.get(up) ?? solar('sunrise', 0, 0), after) ?? 0;
      let up = next(true, atMs) < next(false, atMs);
      while (atMs < Date.UTC(2026, 0)) {
        const dueMs = next(up, atMs);
        expect(dueMs).toBeGreaterThan(atMs);
        expect(next(up, dueMs)).toBeGreaterThan(next(!up, dueMs));
        atMs = dueMs;
        up = !up;
      }
    }
  });
  it('at a pole the sun rises once a year', () => {
    const rise = nextDueMs(solar('sunrise', 90, 0), Date.UTC(2024, 5)) ?? 0;
    expect(new Date(rise).toISOString()).toMatch(/^2025-03-1[78]/);
    expect(nextDueMs(solar('sunrise', -90, 0), Date.UTC(2024, 5))).toBeLessThan(Date.UTC(2024, 8, 23));
  });
  it('is the same instant wherever one asks from, and nothing lies between', () => {
    const instants = fc.integer({ min: Date.UTC(2000, 0), max: Date.UTC(2060, 0) });
    const latitudes = fc.oneof(
      fc.double({ min: -90, max: 90, noNaN: true }),
      fc.constantFrom(-90, -66.56, 60, 66.5, 90),
    );
    const longitudes = fc.oneof(fc.double({ min: -180, max: 180, noNaN: true }), fc.constantFrom(-180, 180));
    fc.assert(
      fc.property(
        fc.constantFrom(...SOLAR_EVENTS),
        latitudes,
        longitudes,
        instants,
        fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
        (event, latitude, longitude, atMs, part) => {
          const schedule = solar(event, latitude, longitude);
          const dueMs = nextDueMs(schedule, atMs) ?? 0;
          expect(dueMs).toBeGreaterThan(atMs);
          expect(nextDueMs(schedule, Math.min(dueMs - 1, Math.floor(atMs + (dueMs - atMs) * part)))).toBe(dueMs);
          expect(nextDueMs(schedule, dueMs)).toBeGreaterThan(
            dueMs + (event === 'solar_noon' || Math.abs(latitude) < 60 ? 22 * HOUR : 0),
          );
        },
      ),
      { numRuns: 500 },
    );
  });

  it.each([
    [() => solar('noon' as never, 0, 0), "solar event: 'noon' given. Allowed are dawn_astronomical"],
    [() => solar('sunset', 90.1, 0), 'solar latitude: 90.1 given; -90 to 90'],
    [() => solar('sunset', Number.NaN, 0), 'solar latitude: NaN given'],
    [() => solar('sunset', '52' as never, 0), "solar latitude: '52' given"],
    [() => solar('sunset', 0, -181), 'solar longitude: -181 given; -180 to 180'],
    [() => solar('sunset', 0, undefined as never), 'solar longitude: undefined given'],
  ])('refusal %#', (make, message) => {
    expect(make).toThrow(InvalidSchedule);
    expect(make).toThrow(message);
  });
  it('is frozen plain data', () => {
    const schedule = solar('sunset', 52.52, 13.4);
    expect(Object.isFrozen(schedule)).toBe(true);
    expect(schedule).toEqual({ type: 'solar', event: 'sunset', latitude: 52.52, longitude: 13.4 });
  });
});
