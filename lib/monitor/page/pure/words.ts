/** Numbers and times in words, the same in every view. Pure. */

const WHOLE = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
const SHARP = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 2 });

/** What is not known is a dash, never 0. */
export const UNKNOWN = '–';

export function count(value: number | null | undefined): string {
  return value === null || value === undefined ? UNKNOWN : WHOLE.format(value);
}

/** `1 task`, `3 tasks`. */
export function counted(value: number, one: string, many = `${one}s`): string {
  return `${WHOLE.format(value)} ${value === 1 ? one : many}`;
}

/** `12.4 %` of 0.124. */
export function share(value: number): string {
  const percent = value * 100;
  if (percent > 0 && percent < 0.01) return 'under 0.01 %';
  const digits = percent < 1 ? 2 : percent < 100 ? 1 : 0;
  return `${new Intl.NumberFormat('en-US', { maximumFractionDigits: digits }).format(percent)} %`;
}

const UNITS: readonly { readonly seconds: number; readonly sign: string }[] = [
  { seconds: 86_400, sign: 'd' },
  { seconds: 3600, sign: 'h' },
  { seconds: 60, sign: 'min' },
];
// A second unit where the first alone is too rough: 1 h 24 min, but 11 min.
const ROUGH_BELOW = 10;

/** `120 ms`, `4.1 s`, `11 min`, `1 h 24 min`. */
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return UNKNOWN;
  const positive = Math.max(0, seconds);
  if (positive === 0) return '0 s';
  if (positive < 0.9995) return `${positive < 0.01 ? SHARP.format(positive * 1000) : WHOLE.format(positive * 1000)} ms`;
  if (positive < 9.95) return `${positive.toFixed(1).replace(/\.0$/, '')} s`;
  if (positive < 59.5) return `${WHOLE.format(positive)} s`;
  const rounded = Math.round(positive);
  const index = UNITS.findIndex((unit) => rounded >= unit.seconds);
  const unit = UNITS[index] ?? { seconds: 60, sign: 'min' };
  const whole = Math.floor(rounded / unit.seconds);
  const smaller = UNITS[index + 1] ?? { seconds: 1, sign: 's' };
  const rest = Math.floor((rounded % unit.seconds) / smaller.seconds);
  const isRough = whole >= ROUGH_BELOW || rest === 0;
  return isRough ? `${WHOLE.format(whole)} ${unit.sign}` : `${whole} ${unit.sign} ${rest} ${smaller.sign}`;
}

/** One unit, as lists show it: `42 s ago`, `in 14 min`, `now`. */
export function fromNow(atMs: number, nowMs: number): string {
  const seconds = (nowMs - atMs) / 1000;
  const size = Math.abs(seconds);
  if (size < 1) return 'now';
  const unit = UNITS.find((each) => size >= each.seconds) ?? { seconds: 1, sign: 's' };
  const text = `${WHOLE.format(Math.floor(size / unit.seconds))} ${unit.sign}`;
  return seconds > 0 ? `${text} ago` : `in ${text}`;
}

/** Of ISO text; NaN where it is none. */
export function instant(iso: string): number {
  return Date.parse(iso);
}

/** All of it, in UTC: titles have it. */
export function exactUtc(iso: string): string {
  const ms = instant(iso);
  if (Number.isNaN(ms)) return iso;
  const text = new Date(ms).toISOString();
  return `${text.slice(0, 10)} ${text.slice(11, 23)} UTC`;
}

/** `12:04:50`, with the day where that is another than now's; in the viewer's zone unless one is given. */
export function clockTime(iso: string, nowMs: number, timeZone?: string): string {
  const ms = instant(iso);
  if (Number.isNaN(ms)) return UNKNOWN;
  const zone = timeZone === undefined ? {} : { timeZone };
  const day = new Intl.DateTimeFormat('en-CA', zone);
  const isToday = day.format(ms) === day.format(nowMs);
  const time = new Intl.DateTimeFormat('en-GB', { ...zone, hour: '2-digit', minute: '2-digit', second: '2-digit' });
  return isToday ? time.format(ms) : `${dayText(ms, nowMs, timeZone)} ${time.format(ms)}`;
}

/** On the axis of a plot that is so long: `11:45`, or `Mon 23` where days are compared. */
export function axisTime(ms: number, rangeSeconds: number): string {
  const options = rangeSeconds > 172_800 ? DAY_OPTIONS : MINUTE_OPTIONS;
  return new Intl.DateTimeFormat('en-GB', options).format(ms);
}
const MINUTE_OPTIONS = { hour: '2-digit', minute: '2-digit' } as const;
const DAY_OPTIONS = { weekday: 'short', day: 'numeric' } as const;

/** `Mon 23 Nov`, with the year where that is another. */
export function dayText(ms: number, nowMs: number, timeZone?: string): string {
  const zone = timeZone === undefined ? {} : { timeZone };
  const year = new Intl.DateTimeFormat('en-GB', { ...zone, year: 'numeric' });
  const isThisYear = year.format(ms) === year.format(nowMs);
  return new Intl.DateTimeFormat('en-GB', {
    ...zone,
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    ...(isThisYear ? {} : { year: 'numeric' }),
  })
    .format(ms)
    .replaceAll(',', '');
}

/** `Mon 23 Nov 02:30`, for times that are planned. */
export function planned(iso: string, nowMs: number, timeZone?: string): string {
  const ms = instant(iso);
  if (Number.isNaN(ms)) return UNKNOWN;
  const zone = timeZone === undefined ? {} : { timeZone };
  const hasSeconds = Math.round(ms / 1000) % 60 !== 0;
  const time = new Intl.DateTimeFormat('en-GB', {
    ...zone,
    hour: '2-digit',
    minute: '2-digit',
    ...(hasSeconds ? { second: '2-digit' } : {}),
  });
  return `${dayText(ms, nowMs, timeZone)} ${time.format(ms)}`;
}

/** The beginning of an id: enough to tell tasks of a page apart. */
export function shortId(id: string): string {
  return id.length > 10 ? id.slice(0, 8) : id;
}

/** Names of more than three are counted. */
export function listed(names: readonly string[], shown = 3): string {
  const rest = names.length - shown;
  return rest > 0 ? `${names.slice(0, shown).join(', ')} and ${rest} more` : names.join(', ');
}
