/** When an entry is due, in words, and what a form says of it. Pure. */
import { fieldsOf, scheduleWords as words } from '../../../schedules/describe-schedule.ts';
import type { ScheduleView } from '../../answers.ts';
import { planned } from './words.ts';

type Schedule = ScheduleView['schedule'];

/** `At 02:30`, `Every 10 s`, `At sunset, at 52.52, 13.4`. */
export function scheduleWords(schedule: Schedule, nowMs: number): string {
  // In the style of the times beside it; the rest is told as everywhere.
  return schedule.type === 'clocked' ? `Once, ${planned(schedule.at, nowMs, 'UTC')} UTC` : words(schedule);
}

/** Below the words: the expression itself. */
export function scheduleExpression(schedule: Schedule): string {
  switch (schedule.type) {
    case 'crontab':
      return fieldsOf(schedule);
    case 'interval':
      return `every ${schedule.seconds} s${schedule.relative ? ', relative' : ''}`;
    case 'solar':
      return schedule.event;
    case 'clocked':
      return schedule.at;
    default:
      return schedule satisfies never;
  }
}

export function zoneOf(schedule: Schedule): string | undefined {
  return 'timezone' in schedule ? schedule.timezone : undefined;
}

export type FormKind = 'crontab' | 'interval' | 'clocked';

/** What is typed into the form of an entry. */
export interface ScheduleForm {
  readonly name: string;
  readonly task: string;
  readonly kind: FormKind;
  /** Five fields. */
  readonly cron: readonly string[];
  readonly seconds: string;
  readonly at: string;
  readonly timezone: string;
  readonly args: string;
  readonly kwargs: string;
  readonly description: string;
}

export const EMPTY_FORM: ScheduleForm = {
  name: '',
  task: '',
  kind: 'crontab',
  cron: ['0', '*', '*', '*', '*'],
  seconds: '60',
  at: '',
  timezone: 'UTC',
  args: '[]',
  kwargs: '{}',
  description: '',
};

/** undefined for a kind that the form cannot show: that of the sun. */
export function formOf(entry: ScheduleView): ScheduleForm | undefined {
  const { schedule } = entry;
  if (schedule.type === 'solar') return undefined;
  const common = {
    ...EMPTY_FORM,
    name: entry.name,
    task: entry.task,
    kind: schedule.type,
    timezone: zoneOf(schedule) ?? '',
    args: JSON.stringify(entry.args),
    kwargs: JSON.stringify(entry.kwargs),
    description: entry.description,
  };
  if (schedule.type === 'crontab') return { ...common, cron: fieldsOf(schedule).split(' ') };
  return schedule.type === 'interval'
    ? { ...common, seconds: String(schedule.seconds) }
    : { ...common, at: schedule.at };
}

/** As the API takes it. What is half typed it refuses, in its own words. */
export function scheduleFrom(form: ScheduleForm, before?: Schedule): unknown {
  const zone = form.timezone.trim() === '' ? {} : { timezone: form.timezone.trim() };
  if (form.kind === 'clocked') return { type: 'clocked', at: form.at };
  if (form.kind === 'interval') {
    const relative = before?.type === 'interval' && before.relative;
    return { type: 'interval', seconds: Number(form.seconds), relative, ...zone };
  }
  const [minute = '*', hour = '*', dayOfMonth = '*', monthOfYear = '*', dayOfWeek = '*'] = form.cron.map((field) =>
    field.trim(),
  );
  const dst = before?.type === 'crontab' ? before.dst : 'shift';
  return { type: 'crontab', minute, hour, dayOfMonth, monthOfYear, dayOfWeek, dst, ...zone };
}
