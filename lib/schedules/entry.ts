/** Schedule entries: what people write, checked, as plain data that can be stored. */
import type { ApplyOptions } from '../apply-options.ts';
import { type Duration, durationSeconds, instantMs, shown } from '../duration.ts';
import { InvalidOption, InvalidSchedule } from '../errors.ts';
import { encodeJson } from '../json.ts';
import { toSignatureOptions } from '../signature-options.ts';
import { type Signature, signature } from '../signature.ts';
import { checkedTaskName } from '../task-options.ts';
import { every } from './interval.ts';
import { nextDueMs } from './next-due.ts';
import { readSchedule } from './read-schedule.ts';
import { inZone, type Schedule } from './schedule.ts';

/** Options of each tick. `countdown` and `expires` count from the tick's scheduled time. */
export type TickOptions = Omit<ApplyOptions, 'eta' | 'taskId'>;

/** An entry as people write it (Celery's `beat_schedule`, and django-celery-beat's PeriodicTask). */
export interface BeatEntry {
  /** A signature such as `task.s(1)`, or a task's name. */
  readonly task: Signature | string;
  /** A schedule, or an interval: seconds, or text such as `'10s'`. */
  readonly schedule: Schedule | Duration;
  /** Arguments, when `task` is a name. */
  readonly args?: readonly unknown[];
  /** Keyword arguments, when `task` is a name. */
  readonly kwargs?: Readonly<Record<string, unknown>>;
  readonly options?: TickOptions;
  /** Default true. */
  readonly enabled?: boolean;
  /** Disabled after its first tick. Default false; a clocked entry has only one. */
  readonly oneOff?: boolean;
  /** No tick before. An interval fires first at this very instant. */
  readonly startTime?: Date | string | number | null;
  /** No tick at or after it; the entry is then disabled. */
  readonly expires?: Date | string | number | null;
  /** After an outage: `'one'` overdue tick (the newest), as in Celery, or `'all'` of them. Default `'one'`. */
  readonly catchUp?: 'one' | 'all';
  /** An overdue tick that is older than this is left out (Celery's `beat_cron_starting_deadline`). Default: none is. */
  readonly startingDeadline?: Duration | null;
  /** The task is not registered here: another service's, or Python's. Default false: an unknown name is refused. */
  readonly customTask?: boolean;
  readonly description?: string;
}

/** An entry with every default filled in. Plain JSON data. */
export interface ScheduleEntry {
  readonly name: string;
  /** What is sent at each tick, options included. */
  readonly signature: Signature;
  readonly schedule: Schedule;
  readonly enabled: boolean;
  readonly oneOff: boolean;
  readonly startMs: number | null;
  readonly expiresMs: number | null;
  readonly catchUp: 'one' | 'all';
  readonly startingDeadlineSeconds: number | null;
  readonly customTask: boolean;
  readonly description: string;
}

const ENTRY_KEYS: ReadonlySet<string> = new Set<keyof BeatEntry>([
  'task',
  'schedule',
  'args',
  'kwargs',
  'options',
  'enabled',
  'oneOff',
  'startTime',
  'expires',
  'catchUp',
  'startingDeadline',
  'customTask',
  'description',
]);
/** django-celery-beat's length. */
export const MAX_ENTRY_NAME_CHARACTERS = 200;
const MAX_DESCRIPTION_CHARACTERS = 2000;

/** @throws InvalidSchedule, InvalidOption, NotSerializable; each names the entry. */
export function resolveEntry(name: string, entry: BeatEntry, timezone: string): ScheduleEntry {
  checkedEntryName(name);
  try {
    return resolve(name, entry, timezone);
  } catch (error) {
    if (error instanceof InvalidSchedule) throw new InvalidSchedule(`entry '${name}': ${error.message}`);
    if (error instanceof InvalidOption) throw new InvalidOption(`entry '${name}': ${error.message}`);
    throw error;
  }
}

export function checkedEntryName(name: unknown): string {
  if (typeof name === 'string' && name.trim() !== '' && name.length <= MAX_ENTRY_NAME_CHARACTERS) return name;
  throw new InvalidSchedule(
    `entry name: ${shown(name)} given; text of 1 to ${MAX_ENTRY_NAME_CHARACTERS} characters is allowed.`,
  );
}

function resolve(name: string, entry: BeatEntry, timezone: string): ScheduleEntry {
  if (typeof entry !== 'object' || entry === null)
    throw new InvalidSchedule(`${shown(entry)} given; an object with task and schedule is allowed.`);
  const stray = Object.keys(entry).find((key) => !ENTRY_KEYS.has(key));
  if (stray !== undefined)
    throw new InvalidSchedule(`'${stray}' is no field. Allowed are ${[...ENTRY_KEYS].toSorted().join(', ')}.`);
  const schedule = inZone(
    readSchedule(entry.schedule, (duration) => every(duration)),
    timezone,
  );
  const startMs = instantOrNull(entry.startTime, 'startTime');
  const expiresMs = instantOrNull(entry.expires, 'expires');
  if (startMs !== null && expiresMs !== null && startMs >= expiresMs)
    throw new InvalidSchedule('startTime is not before expires: it would never be due. Correct one of them.');
  return {
    name,
    signature: signatureOf(entry),
    schedule,
    enabled: flag(entry.enabled, true, 'enabled'),
    oneOff: flag(entry.oneOff, schedule.type === 'clocked', 'oneOff'),
    startMs,
    expiresMs,
    catchUp: catchUpOf(entry.catchUp),
    startingDeadlineSeconds:
      (entry.startingDeadline ?? null) === null ? null : durationSeconds(entry.startingDeadline, 'startingDeadline', 1),
    customTask: flag(entry.customTask, false, 'customTask'),
    description: descriptionOf(entry.description),
  };
}

function signatureOf(entry: BeatEntry): Signature {
  const { task } = entry;
  const options = entry.options ?? {};
  const fixed = ['eta', 'taskId'].find((key) => key in options);
  if (fixed !== undefined)
    throw new InvalidOption(`options: '${fixed}' cannot be set: every tick has its own. Use countdown to run later.`);
  if (typeof task === 'object' && task !== null && typeof task.task === 'string') {
    if (entry.args !== undefined || entry.kwargs !== undefined)
      throw new InvalidSchedule('args and kwargs go with a task name; a signature has its own. Leave them out.');
    return checked({ ...task, options: { ...task.options, ...toSignatureOptions(options) } });
  }
  if (typeof task !== 'string')
    throw new InvalidSchedule(`task: ${shown(task)} given; a signature such as task.s(1) or a task's name is allowed.`);
  return checked(
    signature(checkedTaskName(task), {
      ...(entry.args === undefined ? {} : { args: entry.args }),
      ...(entry.kwargs === undefined ? {} : { kwargs: entry.kwargs }),
      options: toSignatureOptions(options),
    }),
  );
}

/** As it will be when read back: an entry is stored as JSON. */
function checked(sig: Signature): Signature {
  encodeJson(sig.args, 'args');
  encodeJson(sig.kwargs, 'kwargs');
  encodeJson(sig.options, 'options');
  return sig;
}

function instantOrNull(value: unknown, field: string): number | null {
  return value === undefined || value === null ? null : instantMs(value, field);
}

function flag(value: unknown, otherwise: boolean, field: string): boolean {
  if (value === undefined) return otherwise;
  if (typeof value === 'boolean') return value;
  throw new InvalidSchedule(`${field}: ${shown(value)} given; true or false is allowed.`);
}

function catchUpOf(value: unknown): 'one' | 'all' {
  if (value === undefined || value === 'one' || value === 'all') return value ?? 'one';
  throw new InvalidSchedule(`catchUp: ${shown(value)} given; 'one' or 'all' is allowed.`);
}

function descriptionOf(value: unknown): string {
  if (value === undefined) return '';
  if (typeof value === 'string' && value.length <= MAX_DESCRIPTION_CHARACTERS) return value;
  throw new InvalidSchedule(`description: text of at most ${MAX_DESCRIPTION_CHARACTERS} characters is allowed.`);
}

/**
 * The entry's first due instant after a given one, with its start and end.
 *
 * @param anchorMs where its intervals count from.
 */
export function nextTickMs(entry: ScheduleEntry, afterMs: number, anchorMs: number): number | undefined {
  const { startMs, expiresMs, schedule } = entry;
  let dueMs: number | undefined;
  if (startMs !== null && startMs > afterMs) {
    // django-celery-beat: an interval fires at the very start; a crontab at its first match from there on.
    dueMs = schedule.type === 'interval' ? startMs : nextDueMs(schedule, startMs - 1, anchorMs);
  } else {
    dueMs = nextDueMs(schedule, afterMs, startMs ?? anchorMs);
  }
  return dueMs === undefined || (expiresMs !== null && dueMs >= expiresMs) ? undefined : dueMs;
}
