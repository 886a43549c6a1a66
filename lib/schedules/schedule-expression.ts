/** Schedules as they are written. */
import type { Schedule } from './schedule.ts';

/** One line for people: `crontab 30 7 * * 1 America/New_York`, `every 10 s`. */
export function scheduleExpression(schedule: Schedule): string {
  switch (schedule.type) {
    case 'crontab': {
      const { minute, hour, dayOfMonth, monthOfYear, dayOfWeek, timezone } = schedule;
      return `crontab ${minute} ${hour} ${dayOfMonth} ${monthOfYear} ${dayOfWeek}${timezone === undefined ? '' : ` ${timezone}`}`;
    }
    case 'interval':
      return `every ${shownSeconds(schedule.seconds)}${schedule.relative ? ', relative' : ''}`;
    case 'solar':
      return `${schedule.event} at ${schedule.latitude}, ${schedule.longitude}`;
    case 'clocked':
      return `once at ${schedule.at}`;
    default:
      return schedule satisfies never;
  }
}

const UNITS = [
  [86_400, 'd'],
  [3600, 'h'],
  [60, 'min'],
] as const;

/** In the largest unit that has no rest. */
export function shownSeconds(seconds: number): string {
  const unit = UNITS.find(([size]) => seconds % size === 0);
  return unit === undefined ? `${seconds} s` : `${seconds / unit[0]} ${unit[1]}`;
}
