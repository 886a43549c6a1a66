/**
 * A crontab by brute force, written without the library: every minute that passes is turned into local time,
 * its fields are tested one by one, and the policy for DST is applied to what came out.
 */

export interface Fields {
  readonly minute: string;
  readonly hour: string;
  readonly dayOfMonth: string;
  readonly monthOfYear: string;
  readonly dayOfWeek: string;
}

export interface Change {
  /** First instant with the new offset. */
  readonly atMs: number;
  /** Local time minus UTC, in minutes. */
  readonly before: number;
  readonly after: number;
}

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

const formats = new Map<string, Intl.DateTimeFormat>();

/** Local time minus UTC in minutes, as Intl names it: GMT+05:30. */
export function offsetMinutes(zone: string, atMs: number): number {
  let format = formats.get(zone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-US', { timeZone: zone, timeZoneName: 'longOffset' });
    formats.set(zone, format);
  }
  const [, sign, hours, minutes] = /GMT(?:([+-])(\d\d):(\d\d))?$/.exec(format.format(atMs)) ?? [];
  if (sign === undefined) return 0;
  return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
}

/** Changes of offset in (from, until], looked for at every step and then by halving. */
export function changesBetween(zone: string, fromMs: number, untilMs: number, stepMs = 7 * DAY): Change[] {
  const changes: Change[] = [];
  let before = offsetMinutes(zone, fromMs);
  for (let low = fromMs; low < untilMs; low += stepMs) {
    const high = Math.min(low + stepMs, untilMs);
    const after = offsetMinutes(zone, high);
    if (after === before) continue;
    let [left, right] = [low / MINUTE, high / MINUTE];
    while (right - left > 1) {
      const middle = Math.floor((left + right) / 2);
      if (offsetMinutes(zone, middle * MINUTE) === before) left = middle;
      else right = middle;
    }
    changes.push({ atMs: right * MINUTE, before, after });
    before = after;
  }
  return changes;
}

const MONTHS = 'janfebmaraprmayjunjulaugsepoctnovdec';
const WEEKDAYS = 'sunmontuewedthufrisat';

function valueOf(word: string, names: string, minimum: number): number {
  return /^\d/.test(word) ? Number(word) : names.indexOf(word.slice(0, 3).toLowerCase()) / 3 + minimum;
}

/** Is the value allowed by one of the parts? By distance from where the part begins, around the clock. */
function allows(text: string, value: number, minimum: number, size: number, names: string): boolean {
  return text.split(',').some((part) => {
    const [range = '', step = '1'] = part.split('/');
    const [from, to] = range === '*' ? ['', undefined] : range.split('-');
    const first = range === '*' ? minimum : valueOf(from ?? '', names, minimum);
    const last = range === '*' ? minimum + size - 1 : to === undefined ? first : valueOf(to, names, minimum);
    const distance = (value - first + size) % size;
    return distance <= (last - first + size) % size && distance % Number(step) === 0;
  });
}

const tables = new Map<string, readonly boolean[]>();

/** Which values a field's text allows, by value. */
export function allowed(text: string, minimum: number, maximum: number, names = ''): readonly boolean[] {
  const key = `${text} ${minimum} ${maximum}`;
  let table = tables.get(key);
  if (table === undefined) {
    const size = maximum - minimum + 1;
    table = Array.from(
      { length: maximum + 1 },
      (_, value) => value >= minimum && allows(text, value, minimum, size, names),
    );
    tables.set(key, table);
  }
  return table;
}

interface Local {
  readonly minute: number;
  readonly hour: number;
  readonly day: number;
  readonly month: number;
  readonly weekday: number;
}

function localOf(localMs: number): Local {
  const date = new Date(localMs);
  return {
    minute: date.getUTCMinutes(),
    hour: date.getUTCHours(),
    day: date.getUTCDate(),
    month: date.getUTCMonth() + 1,
    weekday: date.getUTCDay(),
  };
}

interface Passed {
  readonly atMs: number;
  readonly local: Local;
  /** The clocks showed this local time, or a later one, before. */
  readonly again: boolean;
  /** Local minutes that the clocks jumped over to come here. */
  readonly skipped: readonly Local[];
}

// No fold since 1970 is longer than three hours.
const LOOK_BACK = 6 * HOUR;

/** All minutes in (from, until] of a zone, to be asked for many expressions. */
export class Window {
  readonly #minutes: readonly Passed[];

  constructor(zone: string, fromMs: number, untilMs: number) {
    const startMs = Math.floor((fromMs - LOOK_BACK) / MINUTE) * MINUTE;
    const changes = changesBetween(zone, startMs, untilMs + HOUR, HOUR);
    const minutes: Passed[] = [];
    let offset = offsetMinutes(zone, startMs) * MINUTE;
    let latest = startMs + offset;
    for (let atMs = startMs + MINUTE; atMs <= untilMs; atMs += MINUTE) {
      if (atMs === changes[0]?.atMs) offset = (changes.shift()?.after ?? 0) * MINUTE;
      const localMs = atMs + offset;
      const skipped: Local[] = [];
      for (let missed = latest + MINUTE; missed < localMs; missed += MINUTE) skipped.push(localOf(missed));
      if (atMs > fromMs) minutes.push({ atMs, local: localOf(localMs), again: localMs <= latest, skipped });
      latest = Math.max(latest, localMs);
    }
    this.#minutes = minutes;
  }

  due(fields: Fields, dst: 'shift' | 'skip'): number[] {
    const minutes = allowed(fields.minute, 0, 59);
    const hours = allowed(fields.hour, 0, 23);
    const days = allowed(fields.dayOfMonth, 1, 31);
    const months = allowed(fields.monthOfYear, 1, 12, MONTHS);
    const weekdays = allowed(fields.dayOfWeek, 0, 6, WEEKDAYS);
    const matches = (local: Local): boolean =>
      minutes[local.minute] === true &&
      hours[local.hour] === true &&
      days[local.day] === true &&
      months[local.month] === true &&
      weekdays[local.weekday] === true;
    const repeating = ['*', '/'].some((sign) => fields.minute.includes(sign) || fields.hour.includes(sign));
    return this.#minutes
      .filter(({ local, again, skipped }) => {
        if (repeating) return matches(local);
        return (!again && matches(local)) || (dst === 'shift' && skipped.some(matches));
      })
      .map(({ atMs }) => atMs);
  }
}

/** Zones of the platform, one list for each distinct history of changes between two instants. */
export function zoneGroups(fromMs: number, untilMs: number): { zones: string[]; changes: Change[] }[] {
  const groups = new Map<string, { zones: string[]; changes: Change[] }>();
  for (const zone of Intl.supportedValuesOf('timeZone')) {
    const changes = changesBetween(zone, fromMs, untilMs);
    const key = JSON.stringify([offsetMinutes(zone, fromMs), changes]);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { zones: [zone], changes });
    else group.zones.push(zone);
  }
  return [...groups.values()];
}
