/** Schedules in words for people. */
import cronstrue from 'cronstrue';

import type { CrontabSchedule, Schedule } from './schedule.ts';
import { shownSeconds } from './schedule-expression.ts';

/** With its zone, where that decides when it is due: `At 02:30, every day (Europe/Berlin)`, `Every 10 s`. */
export function describeSchedule(schedule: Schedule): string {
  const words = scheduleWords(schedule);
  const isLocal = schedule.type === 'crontab' || (schedule.type === 'interval' && schedule.relative);
  return isLocal && schedule.timezone !== undefined ? `${words} (${schedule.timezone})` : words;
}

/** Without its zone, for whoever shows that apart. */
export function scheduleWords(schedule: Schedule): string {
  switch (schedule.type) {
    case 'crontab':
      return cronWords(fieldsOf(schedule));
    case 'interval':
      return `Every ${shownSeconds(schedule.seconds)}${schedule.relative ? `, on the full ${fullUnit(schedule.seconds)}` : ''}`;
    case 'solar':
      return `At ${schedule.event.replaceAll('_', ' ')}, at ${schedule.latitude}, ${schedule.longitude}`;
    case 'clocked':
      return `Once, at ${schedule.at}`;
    default:
      return schedule satisfies never;
  }
}

const UNITS = [
  [86_400, 'day'],
  [3600, 'hour'],
  [60, 'minute'],
] as const;

/** To which a relative interval is rounded down. */
function fullUnit(seconds: number): string {
  return UNITS.find(([size]) => seconds >= size)?.[1] ?? 'second';
}

export function fieldsOf({ minute, hour, dayOfMonth, monthOfYear, dayOfWeek }: CrontabSchedule): string {
  return [minute, hour, dayOfMonth, monthOfYear, dayOfWeek].join(' ');
}

/** The library reads what cron reads; Celery's own forms, and what is half typed, stay as they are. */
export function cronWords(expression: string): string {
  try {
    // Celery and we take both day fields together, where cron takes either.
    return cronstrue.toString(expression, { use24HourTimeFormat: true, logicalAndDayFields: true, verbose: true });
  } catch {
    return expression;
  }
}
