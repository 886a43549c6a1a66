/** When a crontab entry is next due. */
import { type CompiledCrontab, compiled } from './crontab.ts';
import type { CrontabSchedule } from './schedule.ts';
import { type Segment, type Zone, zoneOf } from './zone.ts';

const MINUTE_MS = 60_000;
const HOUR_MINUTES = 60;
const DAY_MS = 86_400_000;
// February 29th on a given weekday comes after 40 years at the latest (across 2100).
const LONGEST_WAIT_MS = 41 * 366 * DAY_MS;

/**
 * The first due instant after a given one.
 *
 * Time is walked by stretches of constant offset. Inside of one, local time is plain arithmetic. At the
 * border of two, a fixed time that lies in the gap is due at the gap's end, and what the clocks show for
 * the second time is not due again; entries with a wildcard are due at every match that passes.
 */
export function nextCrontabMs(schedule: CrontabSchedule, afterMs: number): number | undefined {
  const fields = compiled(schedule);
  const zone = zoneOf(schedule.timezone ?? 'UTC');
  const endMs = afterMs + LONGEST_WAIT_MS;
  let segment = zone.segmentAt(afterMs + 1);
  for (let fromMs = afterMs + 1; fromMs < endMs; fromMs = segment.fromMs) {
    const dueMs = nextInSegment(schedule, fields, zone, segment, fromMs);
    if (dueMs !== undefined) return dueMs;
    segment = zone.segmentAt(segment.untilMs);
  }
  return undefined;
}

function nextInSegment(
  schedule: CrontabSchedule,
  fields: CompiledCrontab,
  zone: Zone,
  segment: Segment,
  fromMs: number,
): number | undefined {
  const fromLocal = fromMs + segment.offsetMs;
  const untilLocal = segment.untilMs + segment.offsetMs;
  const shownLocal = fields.fixed ? zone.shownBefore(segment) : Number.NEGATIVE_INFINITY;
  if (fields.fixed && fromMs === segment.fromMs && schedule.dst === 'shift' && shownLocal < fromLocal) {
    const skippedLocal = nextMatch(fields, shownLocal, fromLocal);
    if (skippedLocal !== undefined) return segment.fromMs;
  }
  const dueLocal = nextMatch(fields, Math.max(fromLocal, shownLocal), untilLocal);
  return dueLocal === undefined ? undefined : dueLocal - segment.offsetMs;
}

/** First whole minute in [from, until) of local time whose fields all match. */
function nextMatch(fields: CompiledCrontab, fromLocal: number, untilLocal: number): number | undefined {
  let minutes = Math.ceil(fromLocal / MINUTE_MS);
  while (minutes * MINUTE_MS < untilLocal) {
    const date = new Date(minutes * MINUTE_MS);
    const dayMs = Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate());
    if (!fields.months.includes(date.getUTCMonth() + 1)) {
      minutes = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1) / MINUTE_MS;
      continue;
    }
    const time = matchesDay(fields, date) ? nextTime(fields, minutes - dayMs / MINUTE_MS) : undefined;
    if (time !== undefined) {
      const foundLocal = dayMs + time * MINUTE_MS;
      return foundLocal < untilLocal ? foundLocal : undefined;
    }
    minutes = (dayMs + DAY_MS) / MINUTE_MS;
  }
  return undefined;
}

function matchesDay(fields: CompiledCrontab, date: Date): boolean {
  return fields.days.includes(date.getUTCDate()) && fields.weekdays.includes(date.getUTCDay());
}

/** First matching minute of a day that is not before `fromMinute`. */
function nextTime(fields: CompiledCrontab, fromMinute: number): number | undefined {
  const fromHour = Math.floor(fromMinute / HOUR_MINUTES);
  for (const hour of fields.hours) {
    if (hour < fromHour) continue;
    const fromMinuteOfHour = hour === fromHour ? fromMinute % HOUR_MINUTES : 0;
    const minute = fields.minutes.find((candidate) => candidate >= fromMinuteOfHour);
    if (minute !== undefined) return hour * HOUR_MINUTES + minute;
  }
  return undefined;
}
