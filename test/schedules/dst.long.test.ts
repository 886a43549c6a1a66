/** All changes of all zones against an oracle by brute force. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { crontab } from '../../lib/schedules/crontab.ts';
import { nextDueMs } from '../../lib/schedules/next-due.ts';
import type { CrontabSchedule, DstPolicy } from '../../lib/schedules/schedule.ts';
import { dueBetween } from '../support/due-between.ts';
import { fieldsArbitrary } from './expressions.ts';
import { type Change, changesBetween, DAY, type Fields, HOUR, MINUTE, Window, zoneGroups } from './oracle.ts';

const POLICIES: readonly DstPolicy[] = ['shift', 'skip'];
const ALL: Fields = { minute: '*', hour: '*', dayOfMonth: '*', monthOfYear: '*', dayOfWeek: '*' };

interface Clock {
  readonly minute: string;
  readonly hour: string;
  readonly dayOfMonth: string;
  readonly monthOfYear: string;
  readonly dayOfWeek: string;
}

function clockAt(localMs: number): Clock {
  const date = new Date(localMs);
  return {
    minute: String(date.getUTCMinutes()),
    hour: String(date.getUTCHours()),
    dayOfMonth: String(date.getUTCDate()),
    monthOfYear: String(date.getUTCMonth() + 1),
    dayOfWeek: String(date.getUTCDay()),
  };
}

/** Entries that a change could get wrong: times around and inside of its gap or fold, and what repeats. */
function classesFor({ atMs, before, after }: Change): Fields[] {
  const low = atMs + Math.min(before, after) * MINUTE;
  const high = atMs + Math.max(before, after) * MINUTE;
  const [from, middle, until, last] = [low, (low + high) / 2, high, high - MINUTE].map(clockAt) as [
    Clock,
    Clock,
    Clock,
    Clock,
  ];
  const borders = [low - MINUTE, low, low + MINUTE, (low + high) / 2, high - MINUTE, high, high + MINUTE].map(clockAt);
  const fixed = borders.map(({ minute, hour }) => ({ ...ALL, minute, hour }));
  const hours = `${from.hour}-${until.hour}`;
  const day = (clock: Clock): Fields => ({ ...clock, monthOfYear: '*', dayOfWeek: '*' });
  const weekday = (clock: Clock): Fields => ({ ...clock, dayOfMonth: '*', monthOfYear: '*' });
  return [
    ...fixed,
    { ...ALL, minute: '0,30', hour: hours },
    { ...ALL, minute: '10-50', hour: hours },
    { ...ALL, minute: `${last.minute},${from.minute}`, hour: '0-23' },
    { ...ALL, minute: '0', hour: '0,6,12,18' },
    day(from),
    day(middle),
    day(last),
    day(until),
    weekday(middle),
    { ...weekday(until), minute: '0,20,40' },
    middle,
    { ...middle, minute: '*' },
    { ...ALL, minute: '0' },
    { ...ALL, minute: '*/15' },
    { ...ALL, minute: '50-20/10', hour: from.hour },
    { ...ALL, minute: '0', hour: '*/2' },
    { ...ALL, minute: '30', hour: '1-23/2' },
    { ...ALL, minute: middle.minute, hour: '*/6' },
    { ...ALL, hour: hours },
    { ...ALL, minute: '*/7', dayOfMonth: until.dayOfMonth },
    { ...ALL, minute: '0', dayOfWeek: last.dayOfWeek },
  ];
}

const comparisons = { lists: 0, instants: 0 };

function scheduleOf(fields: Fields, timezone: string, dst: DstPolicy): CrontabSchedule {
  return crontab({ ...fields }, { timezone, dst });
}

/** The same list, and the same next one from where a change is easily got wrong. */
function compare(
  schedule: CrontabSchedule,
  expected: readonly number[],
  fromMs: number,
  untilMs: number,
  probes: readonly number[],
): void {
  const actual = dueBetween(schedule, fromMs, untilMs, expected.length + 10);
  comparisons.lists += 1;
  comparisons.instants += expected.length;
  const same = actual.length === expected.length && actual.every((ms, index) => ms === expected[index]);
  if (!same) expect({ schedule, due: actual.map(iso) }).toEqual({ schedule, due: expected.map(iso) });
  for (const probe of probes) {
    const next = nextDueMs(schedule, probe);
    const wanted = expected.find((ms) => ms > probe);
    const right = wanted === undefined ? next === undefined || next > untilMs : next === wanted;
    if (!right)
      expect({ schedule, probe: iso(probe), next: next && iso(next) }).toEqual({
        schedule,
        probe: iso(probe),
        next: wanted && iso(wanted),
      });
  }
}

function iso(ms: number): string {
  return new Date(ms).toISOString();
}

function checkChange(zone: string, change: Change): void {
  const { atMs } = change;
  const [fromMs, untilMs] = [atMs - 26 * HOUR, atMs + 26 * HOUR];
  const window = new Window(zone, fromMs, untilMs);
  const probes = [atMs - HOUR, atMs - MINUTE, atMs - 1, atMs, atMs + 1, atMs + MINUTE, atMs + HOUR];
  for (const fields of classesFor(change))
    for (const dst of POLICIES)
      compare(scheduleOf(fields, zone, dst), window.due(fields, dst), fromMs, untilMs, probes);
}

describe('every change of every zone, 2024 to 2035', () => {
  const groups = zoneGroups(Date.UTC(2024, 0, 1), Date.UTC(2036, 0, 1)).filter(({ changes }) => changes.length > 0);

  it('there are as many histories as expected', () => {
    expect(groups.length).toBeGreaterThan(25);
    expect(groups.flatMap(({ changes }) => changes).length).toBeGreaterThan(500);
  });
  it.each(groups.map(({ zones, changes }) => ({ zone: zones[0] ?? '', count: changes.length, changes })))(
    '$zone: $count changes',
    ({ zone, changes }) => {
      for (const change of changes) checkChange(zone, change);
    },
  );
  it('that were many comparisons', () => {
    expect(comparisons.lists).toBeGreaterThan(25_000);
  });
});

describe('uncommon changes', () => {
  it.each([
    ['Pacific/Apia', 2010, 2013],
    ['Pacific/Kwajalein', 1992, 1994],
    ['Australia/Lord_Howe', 1981, 2000],
    ['Africa/Casablanca', 2010, 2024],
    ['America/Nuuk', 2022, 2025],
    ['America/St_Johns', 1987, 1989],
    ['America/Caracas', 2006, 2017],
    ['Asia/Pyongyang', 2014, 2019],
    ['Antarctica/Casey', 2009, 2024],
    ['Antarctica/Troll', 2005, 2008],
    ['Europe/Istanbul', 2013, 2017],
    ['America/Argentina/San_Luis', 2007, 2010],
  ])('%s, %i to %i', (zone, first, last) => {
    const changes = changesBetween(zone, Date.UTC(first, 0), Date.UTC(last, 0));
    expect(changes.length).toBeGreaterThan(0);
    for (const change of changes) checkChange(zone, change);
  });
});

describe('random expressions', () => {
  const zones = Intl.supportedValuesOf('timeZone');
  const histories = new Map<string, Change[]>();
  const historyOf = (zone: string): Change[] => {
    const known = histories.get(zone) ?? changesBetween(zone, Date.UTC(1995, 0), Date.UTC(2038, 0));
    histories.set(zone, known);
    return known;
  };

  it('are due when the oracle says, near changes and away from them', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.nat(),
        fc.integer({ min: -40 * 60, max: 10 * 60 }),
        fc.integer({ min: 1, max: 60_000 }),
        fc.array(fieldsArbitrary, { minLength: 1, maxLength: 4 }),
        (zone, pick, startMinutes, restMs, expressions) => {
          const changes = historyOf(zone);
          const aboutMs =
            changes[pick % Math.max(1, changes.length)]?.atMs ?? Date.UTC(1995, 0) + (pick % 15_000) * DAY;
          const fromMs = aboutMs + startMinutes * MINUTE + restMs;
          const untilMs = fromMs + 30 * HOUR;
          const window = new Window(zone, fromMs, untilMs);
          for (const fields of expressions)
            for (const dst of POLICIES)
              compare(
                scheduleOf(fields, zone, dst),
                window.due(fields, dst),
                fromMs,
                untilMs,
                [fromMs, aboutMs].filter((ms) => ms >= fromMs),
              );
        },
      ),
      { numRuns: 1500 },
    );
  });
});
