/** Celery's crontab: fields ANDed, in a time zone of its own. */
import { shown } from '../base/checks.ts';
import { InvalidSchedule } from '../base/errors.ts';
import { CRONTAB_FIELDS, type CrontabField, type CrontabValue, fieldText, parseField } from './crontab-fields.ts';
import type { CrontabSchedule, DstPolicy } from './schedule.ts';
import { checkZone } from './check-zone.ts';

/** Fields by name; what is left out is `*`. */
export type CrontabFields = Readonly<Partial<Record<CrontabField, CrontabValue>>>;

/** Zone of a crontab, and what it does when clocks are put forward. */
export interface CrontabOptions {
  /** IANA zone. Default: the app's `timezone`. */
  readonly timezone?: string;
  /**
   * What a fixed time in a DST gap does: `'shift'` runs it at the end of the gap, `'skip'` leaves it out.
   * Entries with `*` or a step in minutes or hours run at every match that really passes, whatever this says.
   * Default `'shift'`.
   */
  readonly dst?: DstPolicy;
}

const FIELD_NAMES: ReadonlySet<string> = new Set(Object.keys(CRONTAB_FIELDS));
const OPTION_NAMES: ReadonlySet<string> = new Set(['timezone', 'dst']);
const DAYS_IN_MONTH = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/**
 * A schedule in Celery's crontab grammar: fields by name, or one text in the usual order
 * `minute hour day-of-month month day-of-week`.
 *
 * @example
 * ```ts
 * crontab({ minute: '*\/15' });
 * crontab({ minute: 30, hour: 7, dayOfWeek: 'mon-fri' }, { timezone: 'America/New_York' });
 * crontab('0 4 1 * *');
 * ```
 * @throws InvalidSchedule naming the field, the value and what is allowed; also for a date that never comes.
 */
export function crontab(fields: CrontabFields | string = {}, options: CrontabOptions = {}): CrontabSchedule {
  const named = typeof fields === 'string' ? fieldsOf(fields) : fields;
  if (typeof named !== 'object' || named === null || Array.isArray(named))
    throw new InvalidSchedule(`crontab: ${shown(fields)} given; fields by name or one text of five are allowed.`);
  refuseUnknownFields(named, FIELD_NAMES, 'field');
  refuseUnknownFields(options, OPTION_NAMES, 'option');
  const dst = options.dst ?? 'shift';
  if (dst !== 'shift' && dst !== 'skip')
    throw new InvalidSchedule(`crontab dst: ${shown(dst)} given; 'shift' or 'skip' is allowed.`);
  if (options.timezone !== undefined) checkZone(options.timezone);
  const text = (field: CrontabField): string => fieldText(named[field] ?? '*', field);
  const schedule: CrontabSchedule = Object.freeze({
    type: 'crontab',
    minute: text('minute'),
    hour: text('hour'),
    dayOfMonth: text('dayOfMonth'),
    monthOfYear: text('monthOfYear'),
    dayOfWeek: text('dayOfWeek'),
    ...(options.timezone === undefined ? {} : { timezone: options.timezone }),
    dst,
  });
  refuseImpossible(schedule);
  return schedule;
}

function fieldsOf(text: string): CrontabFields {
  const parts = text.trim().split(/\s+/);
  const [minute, hour, dayOfMonth, monthOfYear, dayOfWeek] = parts;
  if (
    parts.length !== 5 ||
    minute === undefined ||
    hour === undefined ||
    dayOfMonth === undefined ||
    monthOfYear === undefined ||
    dayOfWeek === undefined
  ) {
    throw new InvalidSchedule(
      `crontab: ${shown(text)} has ${parts.length} fields; five are allowed: minute hour day-of-month month day-of-week.`,
    );
  }
  return { minute, hour, dayOfMonth, monthOfYear, dayOfWeek };
}

function refuseUnknownFields(given: object, allowed: ReadonlySet<string>, what: string): void {
  const stray = Object.keys(given).find((key) => !allowed.has(key));
  if (stray !== undefined)
    throw new InvalidSchedule(`crontab: '${stray}' is no ${what}. Allowed are ${[...allowed].join(', ')}.`);
}

function refuseImpossible(schedule: CrontabSchedule): void {
  const { months, days } = compiled(schedule);
  if (months.some((month) => days.some((day) => day <= (DAYS_IN_MONTH[month - 1] ?? 0)))) return;
  throw new InvalidSchedule(
    `crontab dayOfMonth '${schedule.dayOfMonth}' and monthOfYear '${schedule.monthOfYear}': no such date ever comes. Correct one of them.`,
  );
}

/** The values of every field, and how the entry takes DST. */
export interface CompiledCrontab {
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly days: readonly number[];
  readonly months: readonly number[];
  readonly weekdays: readonly number[];
  /** Neither minutes nor hours have a wildcard or a step: the entry names times of a day. */
  readonly fixed: boolean;
}

const COMPILED = new WeakMap<CrontabSchedule, CompiledCrontab>();

/** @throws InvalidSchedule */
export function compiled(schedule: CrontabSchedule): CompiledCrontab {
  let result = COMPILED.get(schedule);
  if (result === undefined) {
    result = {
      minutes: parseField(schedule.minute, 'minute'),
      hours: parseField(schedule.hour, 'hour'),
      days: parseField(schedule.dayOfMonth, 'dayOfMonth'),
      months: parseField(schedule.monthOfYear, 'monthOfYear'),
      weekdays: parseField(schedule.dayOfWeek, 'dayOfWeek'),
      fixed: !/[*/]/.test(schedule.minute) && !/[*/]/.test(schedule.hour),
    };
    COMPILED.set(schedule, result);
  }
  return result;
}
