/** ISO 8601 as Python writes and reads it. */
import { NotSerializable } from './errors.ts';

// Python's datetime has the years 1 to 9999 only.
const EARLIEST_MS = Date.parse('0001-01-01T00:00:00Z');
const LATEST_MS = Date.parse('9999-12-31T23:59:59.999Z');

const ISO_TIME =
  /^(\d{4})-?(\d{2})-?(\d{2})(?:[T ](\d{2}):?(\d{2})(?::?(\d{2})(?:[.,](\d{1,9}))?)?(Z|[+-]\d{2}(?::?\d{2}(?::?\d{2})?)?)?)?$/i;

/** ISO 8601 to milliseconds since the epoch, undefined where it is none. Without an offset it is UTC, as in Celery. */
export function parseIsoTime(text: string): number | undefined {
  const match = ISO_TIME.exec(text);
  if (match === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map((part) => Number(part ?? 0));
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  const time = new Date(0);
  time.setUTCFullYear(year, month - 1, day);
  // A date that does not exist rolls over into the next month.
  if (time.getUTCMonth() !== month - 1 || time.getUTCDate() !== day) return undefined;
  time.setUTCHours(hour, minute, second, Number((match[7] ?? '').slice(0, 3).padEnd(3, '0')));
  const offsetMs = parseOffset(match[8] ?? 'Z');
  if (offsetMs === undefined) return undefined;
  const ms = time.getTime() - offsetMs;
  return ms >= EARLIEST_MS && ms <= LATEST_MS ? ms : undefined;
}

function parseOffset(text: string): number | undefined {
  if (text.toUpperCase() === 'Z') return 0;
  const digits = text.slice(1).replaceAll(':', '').padEnd(6, '0');
  const hours = Number(digits.slice(0, 2));
  const minutes = Number(digits.slice(2, 4));
  const seconds = Number(digits.slice(4));
  if (hours > 23 || minutes > 59 || seconds > 59) return undefined;
  return (text.startsWith('-') ? -1000 : 1000) * (hours * 3600 + minutes * 60 + seconds);
}

/** As Python's `isoformat()` writes UTC: six digits of fraction, or none. @throws NotSerializable */
export function formatIsoTime(ms: number, path: string): string {
  if (!(ms >= EARLIEST_MS && ms <= LATEST_MS)) {
    const given = Number.isNaN(ms) ? 'an invalid time' : `${ms} ms since the epoch`;
    throw new NotSerializable(path, `${path} is ${given}; times of the years 1 to 9999 are allowed.`);
  }
  const text = new Date(ms).toISOString();
  return text.endsWith('.000Z') ? `${text.slice(0, -5)}+00:00` : `${text.slice(0, -1)}000+00:00`;
}
