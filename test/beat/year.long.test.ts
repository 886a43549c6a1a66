/** A whole year of swept entries and rules, on virtual time: half a million sweeps. */
import { crontab, every, nextDueMs, type Schedule, solar } from 'celeriac';
import { describe, expect, it } from 'vitest';

import { beatWorld, START } from '../support/beat-world.ts';

const DAY = 86_400_000;
const at = (iso: string): number => Date.parse(iso) - START;

/** Every due instant of a year, by the one question alone. */
function walk(schedule: Schedule, untilMs: number): number[] {
  const due: number[] = [];
  for (let next = nextDueMs(schedule, START, START); next !== undefined && next <= untilMs;) {
    due.push(next - START);
    next = nextDueMs(schedule, next, START);
  }
  return due;
}

describe('a year', () => {
  it('over several zones, every tick at its own instant and none besides', async () => {
    const schedules: Readonly<Record<string, Schedule>> = {
      newYork: crontab({ minute: 30, hour: 7, dayOfWeek: 1 }, { timezone: 'America/New_York' }),
      berlin: crontab({ minute: 30, hour: 2 }, { timezone: 'Europe/Berlin' }),
      lordHowe: crontab({ minute: '*/15', hour: '1-2' }, { timezone: 'Australia/Lord_Howe' }),
      kolkata: crontab({ minute: 0, hour: '*/6' }, { timezone: 'Asia/Kolkata' }),
      friday13: crontab({ minute: 0, hour: 12, dayOfMonth: 13, dayOfWeek: 5 }, { timezone: 'Europe/London' }),
      midnight: every('1d', { relative: true, timezone: 'America/Sao_Paulo' }),
      sunset: solar('sunset', 52.5, 13.4),
      ruleDaily: crontab({ minute: 0, hour: 4 }, { timezone: 'UTC' }),
      ruleRate: every('6h'),
    };
    const { app, world, timesOf } = beatWorld((note) =>
      Object.fromEntries(Object.entries(schedules).map(([name, schedule]) => [name, { task: note.s(), schedule }])),
    );
    const ways = Object.fromEntries(app.manifest().beat.map(({ name, firedBy }) => [name, firedBy]));
    expect(Object.keys(ways).filter((name) => ways[name] === 'rule')).toEqual(['ruleDaily', 'ruleRate']);

    await world.advance('365d');
    for (const [name, schedule] of Object.entries(schedules)) {
      expect(timesOf(name), name).toEqual(walk(schedule, START + 365 * DAY));
    }
    const counts = Object.fromEntries(Object.keys(schedules).map((name) => [name, timesOf(name).length]));
    expect(counts).toMatchObject({ newYork: 52, berlin: 365, kolkata: 1460, ruleDaily: 365, ruleRate: 1460 });
    // Hand-reckoned: 02:30 in Berlin does not exist on 31 March, and is there twice on 27 October.
    expect(timesOf('berlin')).toContain(at('2030-03-31T01:00:00Z'));
    expect(
      timesOf('berlin').filter((ms) => ms >= at('2030-10-27T00:00:00Z') && ms < at('2030-10-28T00:00:00Z')),
    ).toEqual([at('2030-10-27T00:30:00Z')]);
    expect(timesOf('newYork')).toContain(at('2030-01-07T12:30:00Z'));
    expect(timesOf('newYork')).toContain(at('2030-07-01T11:30:00Z'));
    expect(timesOf('friday13').map((ms) => new Date(START + ms).toISOString())).toEqual([
      '2030-09-13T11:00:00.000Z',
      '2030-12-13T12:00:00.000Z',
    ]);
  });
});
