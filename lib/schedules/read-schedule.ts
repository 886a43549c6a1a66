/** Schedules from outside: stored documents, fixtures, calls without types. */
import { shown } from '../base/checks.ts';
import { InvalidSchedule } from '../base/errors.ts';
import { clocked } from './clocked.ts';
import { crontab } from './crontab.ts';
import { every } from './interval.ts';
import type { Duration } from '../base/duration.ts';
import type { CrontabSchedule, IntervalSchedule, Schedule, SolarEvent } from './schedule.ts';
import { solar } from './solar.ts';

/**
 * A schedule from plain data, checked as if it were declared again; a bare duration goes to `otherwise`.
 *
 * @throws InvalidSchedule
 */
export function readSchedule(value: unknown, otherwise: (duration: Duration) => Schedule): Schedule {
  if (typeof value === 'number' || typeof value === 'string') return otherwise(value as Duration);
  if (typeof value !== 'object' || value === null || !('type' in value)) throw refused(value);
  const data = value as Partial<Record<string, unknown>>;
  switch (data['type']) {
    case 'crontab':
      return readCrontab(data as unknown as CrontabSchedule);
    case 'interval':
      return readInterval(data as unknown as IntervalSchedule);
    case 'solar':
      return solar(data['event'] as SolarEvent, data['latitude'] as number, data['longitude'] as number);
    case 'clocked':
      return clocked(data['at'] as string);
    default:
      throw refused(value);
  }
}

function readCrontab(data: CrontabSchedule): CrontabSchedule {
  const { minute, hour, dayOfMonth, monthOfYear, dayOfWeek, timezone, dst } = data;
  return crontab(
    { minute, hour, dayOfMonth, monthOfYear, dayOfWeek },
    { ...(timezone === undefined ? {} : { timezone }), ...(dst === undefined ? {} : { dst }) },
  );
}

function readInterval({ seconds, relative, timezone }: IntervalSchedule): IntervalSchedule {
  return every(seconds, { relative, ...(timezone === undefined ? {} : { timezone }) });
}

function refused(value: unknown): InvalidSchedule {
  return new InvalidSchedule(
    `schedule: ${shown(value)} given; crontab(...), every(...), solar(...), clocked(...) or a duration such as '10s' is allowed.`,
  );
}
