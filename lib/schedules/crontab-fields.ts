/** The grammar of Celery's crontab fields (celery/schedules.py, crontab_parser). */
import { shown } from '../base/checks.ts';
import { InvalidSchedule } from '../base/errors.ts';

/** A field of a crontab, in camelCase of Celery's names. */
export type CrontabField = 'minute' | 'hour' | 'dayOfMonth' | 'monthOfYear' | 'dayOfWeek';

/** `*`, `n`, `a-b`, `a-b/s`, a step, names, lists with commas; a number; an array of numbers and texts. */
export type CrontabValue = string | number | readonly (string | number)[];

interface FieldRule {
  readonly minimum: number;
  readonly maximum: number;
  readonly names: readonly string[];
  readonly hint: string;
}

const MONTHS = [
  'january',
  'february',
  'march',
  'april',
  'may',
  'june',
  'july',
  'august',
  'september',
  'october',
  'november',
  'december',
];
const WEEKDAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];

export const CRONTAB_FIELDS: Readonly<Record<CrontabField, FieldRule>> = {
  minute: { minimum: 0, maximum: 59, names: [], hint: '' },
  hour: { minimum: 0, maximum: 23, names: [], hint: '' },
  dayOfMonth: { minimum: 1, maximum: 31, names: [], hint: '' },
  monthOfYear: { minimum: 1, maximum: 12, names: MONTHS, hint: ' or names such as mar' },
  dayOfWeek: { minimum: 0, maximum: 6, names: WEEKDAYS, hint: ' from Sunday, or names such as mon' },
};

const GRAMMAR = 'Write *, a number, a range a-b, a step */s or a-b/s, or a list of these with commas.';
// The longest sensible list is shorter: every minute by itself takes 169 characters.
const MAX_FIELD_CHARACTERS = 400;

/** The field as text in Celery's grammar. Does not look into it. */
export function fieldText(value: unknown, field: CrontabField): string {
  const parts: readonly unknown[] = Array.isArray(value) ? value : [value];
  const texts = parts.map((part) => {
    if (typeof part === 'string') return part.trim().replaceAll(/\s*,\s*/g, ',');
    if (typeof part === 'number' && Number.isInteger(part)) return String(part);
    throw refused(field, value, GRAMMAR);
  });
  if (texts.length === 0) throw refused(field, value, 'An empty list would never be due; leave the field out for *.');
  const text = texts.join(',');
  if (text.length > MAX_FIELD_CHARACTERS)
    throw refused(field, `${text.slice(0, 20)}...`, `At most ${MAX_FIELD_CHARACTERS} characters are allowed.`);
  return text;
}

/** All values that a field allows, ascending. @throws InvalidSchedule */
export function parseField(text: string, field: CrontabField): number[] {
  const values = new Set<number>();
  for (const part of text.split(',')) for (const value of parsePart(part, text, field)) values.add(value);
  return [...values].toSorted((left, right) => left - right);
}

function parsePart(part: string, text: string, field: CrontabField): number[] {
  const match = /^(?:(\*)|([A-Za-z0-9]+)(?:-([A-Za-z0-9]+))?)(?:\/([0-9]+))?$/.exec(part);
  if (match === null) throw refused(field, text, hintFor(part));
  const [, star, from, to, step] = match;
  if (step !== undefined && star === undefined && to === undefined)
    throw refused(field, text, `A step needs a range: write ${from}-${CRONTAB_FIELDS[field].maximum}/${step}.`);
  if (step !== undefined && Number(step) === 0) throw refused(field, text, 'A step is at least 1.');
  const values = star === undefined ? rangeOf(from ?? '', to, text, field) : allOf(field);
  // Steps count from the beginning of the range, after it has wrapped.
  return step === undefined ? values : values.filter((_, index) => index % Number(step) === 0);
}

function rangeOf(from: string, to: string | undefined, text: string, field: CrontabField): number[] {
  const first = numberOf(from, text, field);
  const last = to === undefined ? first : numberOf(to, text, field);
  const all = allOf(field);
  return last >= first
    ? all.filter((value) => value >= first && value <= last)
    : [...all.filter((value) => value >= first), ...all.filter((value) => value <= last)];
}

function allOf(field: CrontabField): number[] {
  const { minimum, maximum } = CRONTAB_FIELDS[field];
  return Array.from({ length: maximum - minimum + 1 }, (_, index) => minimum + index);
}

function numberOf(word: string, text: string, field: CrontabField): number {
  const { minimum, maximum, names, hint } = CRONTAB_FIELDS[field];
  const allowed = `${minimum} to ${maximum} is allowed${hint}`;
  if (/^\d+$/.test(word)) {
    const value = Number(word);
    if (value >= minimum && value <= maximum) return value;
    const sunday = field === 'dayOfWeek' && value === 7 ? ' Sunday is 0.' : '';
    throw refused(field, text, `${value} is out of range: ${allowed}.${sunday}`);
  }
  // The first three letters decide, as in Celery; what follows must be the rest of the name.
  const index = word.length < 3 ? -1 : names.findIndex((name) => name.startsWith(word.toLowerCase()));
  if (index >= 0) return index + minimum;
  throw refused(field, text, `'${word}' is no value: ${allowed}.`);
}

function hintFor(part: string): string {
  if (part === '') return 'There is nothing between two commas.';
  if (/[?LW#]/.test(part)) return `'${part}': ?, L, W and # belong to other crons. ${GRAMMAR}`;
  if (part.startsWith('-')) return `'${part}': negative numbers are not supported. ${GRAMMAR}`;
  return `'${part}' cannot be read. ${GRAMMAR}`;
}

function refused(field: CrontabField, value: unknown, why: string): InvalidSchedule {
  return new InvalidSchedule(`crontab ${field}: ${shown(value)} given. ${why}`);
}
