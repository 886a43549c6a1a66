/** From a schedule to an EventBridge rule expression, or the reason why none says the same. */
import { compiled } from './crontab.ts';
import { CRONTAB_FIELDS, type CrontabField } from './crontab-fields.ts';
import type { CrontabSchedule, IntervalSchedule, Schedule } from './schedule.ts';

export type RuleExpression =
  | { readonly ok: true; readonly expression: string }
  | { readonly ok: false; readonly reason: string };

const UTC_ZONES: ReadonlySet<string> = new Set([
  'UTC',
  'Etc/UTC',
  'Etc/UCT',
  'UCT',
  'Etc/Zulu',
  'Zulu',
  'GMT',
  'Etc/GMT',
]);
// EventBridge counts days from 1 = Sunday where cron counts from 0: names cannot be misread.
const WEEKDAY_NAMES = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];
// Source: EventBridge API reference, PutRule, ScheduleExpression.
const MAX_EXPRESSION_CHARACTERS = 256;
const RATE_UNITS = [
  [86_400, 'day'],
  [3600, 'hour'],
  [60, 'minute'],
] as const;

/** Only what a rule says *exactly*: UTC, whole minutes, one of the two day fields. */
export function ruleExpression(schedule: Schedule): RuleExpression {
  switch (schedule.type) {
    case 'crontab':
      return cronExpression(schedule);
    case 'interval':
      return rateExpression(schedule);
    case 'solar':
      return { ok: false, reason: 'the sun' };
    case 'clocked':
      return { ok: false, reason: 'a single instant' };
    default:
      return schedule satisfies never;
  }
}

function rateExpression({ seconds, relative }: IntervalSchedule): RuleExpression {
  if (relative) return { ok: false, reason: 'relative' };
  const unit = RATE_UNITS.find(([size]) => seconds % size === 0);
  if (unit === undefined) return { ok: false, reason: 'seconds' };
  const count = seconds / unit[0];
  return { ok: true, expression: `rate(${count} ${unit[1]}${count === 1 ? '' : 's'})` };
}

function cronExpression(schedule: CrontabSchedule): RuleExpression {
  const zone = schedule.timezone ?? 'UTC';
  if (!UTC_ZONES.has(zone)) return { ok: false, reason: `time zone ${zone}` };
  const { minutes, hours, days, months, weekdays } = compiled(schedule);
  const allDays = isAll(days, 'dayOfMonth');
  const allWeekdays = isAll(weekdays, 'dayOfWeek');
  if (!allDays && !allWeekdays) return { ok: false, reason: 'day of month and day of week' };
  const expression = `cron(${[
    numbers(minutes, 'minute'),
    numbers(hours, 'hour'),
    // EventBridge takes exactly one of the two day fields; the other is a question mark.
    allWeekdays ? numbers(days, 'dayOfMonth') : '?',
    numbers(months, 'monthOfYear'),
    allWeekdays ? '?' : listOf(weekdays, (day) => WEEKDAY_NAMES[day] ?? ''),
    '*',
  ].join(' ')})`;
  return expression.length <= MAX_EXPRESSION_CHARACTERS
    ? { ok: true, expression }
    : { ok: false, reason: `an expression of over ${MAX_EXPRESSION_CHARACTERS} characters` };
}

function isAll(values: readonly number[], field: CrontabField): boolean {
  const { minimum, maximum } = CRONTAB_FIELDS[field];
  return values.length === maximum - minimum + 1;
}

/** `*`, AWS's `start/step` where that is all of it, or a list with ranges. */
function numbers(values: readonly number[], field: CrontabField): string {
  if (isAll(values, field)) return '*';
  const [first = 0, second] = values;
  const { maximum } = CRONTAB_FIELDS[field];
  if (second !== undefined && values.length > 2) {
    const step = second - first;
    const steps = Math.floor((maximum - first) / step) + 1;
    if (steps === values.length && values.every((value, index) => value === first + index * step))
      return `${first}/${step}`;
  }
  return listOf(values, String);
}

/** Ascending values as a list, three or more neighbours as a range. */
function listOf(values: readonly number[], name: (value: number) => string): string {
  const parts: string[] = [];
  for (let index = 0; index < values.length;) {
    let end = index;
    while (values[end + 1] === (values[end] ?? 0) + 1) end += 1;
    const [from = 0, to = 0] = [values[index], values[end]];
    if (end - index >= 2) parts.push(`${name(from)}-${name(to)}`);
    else parts.push(...values.slice(index, end + 1).map(name));
    index = end + 1;
  }
  return parts.join(',');
}

/** Name of an input template's one variable; its path in the event is `$.time`. */
export const TIME_VARIABLE = 'time';

/** What EventBridge makes of a template at a firing. */
export function fillTemplate(template: string, firedMs: number): string {
  const time = new Date(firedMs).toISOString().replace(/\.\d{3}Z$/, 'Z');
  return template.replaceAll(`<${TIME_VARIABLE}>`, time);
}
