/** Schedule entries: what people write, checked, as plain data that can be stored. */
import { type ApplyOptions, resolveApplyOptions } from '../options/apply-options.ts';
import { type Duration, durationSeconds, instantMs } from '../base/duration.ts';
import { shown } from '../base/checks.ts';
import { CeleriacError, InvalidOption, InvalidSchedule } from '../base/errors.ts';
import { decodeJson, encodeJson } from '../wire/json.ts';
import { MAX_DESCRIPTION_CHARACTERS, MAX_ENTRY_NAME_CHARACTERS } from '../base/limits.ts';
import { didYouMean } from '../base/nearest.ts';
import { checkedLinks } from './check-links.ts';
import { signatureOptionName, toSignatureOptions } from '../options/signature-options.ts';
import { type Signature, signature, type SignatureOptions, withParts } from '../wire/signature.ts';
import { checkedTaskName } from '../options/task-options.ts';
import { every } from '../schedules/interval.ts';
import { nextTickMs } from '../schedules/next-due.ts';
import { readSchedule } from '../schedules/read-schedule.ts';
import { scheduleExpression } from '../schedules/schedule-expression.ts';
import { inZone, type Schedule } from '../schedules/schedule.ts';

/**
 * Options of each tick. `countdown` and `expires` count from the tick's scheduled time. They are laid over those that the
 * signature has, and `null` removes one of these.
 */
export type TickOptions = {
  readonly [K in keyof Omit<ApplyOptions, 'eta' | 'taskId' | 'kwargs'>]: ApplyOptions[K] | null;
};

/** An entry as people write it (Celery's `beat_schedule`, and django-celery-beat's PeriodicTask). */
export interface BeatEntry {
  /** A signature such as `task.s(1)`, or a task's name. */
  readonly task: Signature | string;
  /** A schedule, or an interval: seconds, or text such as `'10s'`. */
  readonly schedule: Schedule | Duration;
  /** Arguments, when `task` is a name. Default: none. */
  readonly args?: readonly unknown[];
  /** Keyword arguments, when `task` is a name. Default: none. */
  readonly kwargs?: Readonly<Record<string, unknown>>;
  /** Options of each tick, laid over those of the signature. null: none, those of the signature removed too. */
  readonly options?: TickOptions | null;
  /** Whether it fires. Default true. */
  readonly enabled?: boolean;
  /** Disabled after its first tick. Default false; a clocked entry has only one. */
  readonly oneOff?: boolean;
  /**
   * No tick before: Date, ISO 8601 text (no offset: UTC), or epoch seconds. An interval fires first at this very
   * instant.
   */
  readonly startTime?: Date | string | number | null;
  /** No tick at or after it; the entry is then disabled. Written like `startTime`. Default: never. */
  readonly expires?: Date | string | number | null;
  /** After an outage: `'one'` overdue tick (the newest), as in Celery, or `'all'` of them. Default `'one'`. */
  readonly catchUp?: 'one' | 'all';
  /** An overdue tick that is older than this is left out (Celery's `beat_cron_starting_deadline`). Default: none is. */
  readonly startingDeadline?: Duration | null;
  /** The task is not registered here: another service's, or Python's. Default false: an unknown name is refused. */
  readonly customTask?: boolean;
  /** Text for people, at most 2,000 characters. Default: empty. */
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

/** @throws InvalidSchedule, InvalidOption, NotSerializable; each names the entry. */
export function resolveEntry(name: string, entry: BeatEntry, timezone: string): ScheduleEntry {
  checkedEntryName(name);
  try {
    return resolve(name, entry, timezone);
  } catch (error) {
    throw named(name, error);
  }
}

/** An error that says of which entry it speaks. */
export function named(name: string, error: unknown): unknown {
  const prefix = `entry '${name}': `;
  if (!CeleriacError.is(error) || error.message.startsWith(prefix)) return error;
  const { message, stack } = error;
  error.message = prefix + message;
  // The stack's first line is what people see of an error that nobody catches.
  if (stack !== undefined) error.stack = stack.replace(message, () => error.message);
  return error;
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
    throw new InvalidSchedule(
      `'${stray}' is no field. Allowed are ${[...ENTRY_KEYS].toSorted().join(', ')}.${didYouMean(stray, ENTRY_KEYS)}`,
    );
  const schedule = inZone(
    readSchedule(entry.schedule, (duration) => every(duration)),
    timezone,
  );
  const startMs = instantOrNull(entry.startTime, 'startTime');
  const expiresMs = instantOrNull(entry.expires, 'expires');
  if (startMs !== null && expiresMs !== null && startMs >= expiresMs)
    throw new InvalidSchedule(
      `startTime: ${shown(new Date(startMs))} is not before expires, ${shown(new Date(expiresMs))}: it would never be due. Correct one of them.`,
    );
  const resolved: ScheduleEntry = {
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
  refuseNever(resolved);
  return resolved;
}

/** What is never due whatever the clock says. That its time has passed is no mistake of the entry's. */
function refuseNever(entry: ScheduleEntry): void {
  const { schedule, startMs } = entry;
  const fromMs = startMs ?? (schedule.type === 'clocked' ? Date.parse(schedule.at) : undefined);
  if (fromMs === undefined || nextTickMs(entry, fromMs - 1, fromMs) !== undefined) return;
  throw new InvalidSchedule(
    `schedule: ${scheduleExpression(schedule)} is never due between startTime and expires. Correct one of them.`,
  );
}

function signatureOf(entry: BeatEntry): Signature {
  const { task } = entry;
  const given = entry.options === null ? {} : optionsOf(entry.options);
  if (typeof task === 'object' && task !== null && typeof task.task === 'string') {
    if (entry.args !== undefined || entry.kwargs !== undefined)
      throw new InvalidSchedule('args and kwargs go with a task name; a signature has its own. Leave them out.');
    return checked({ ...task, options: entry.options === null ? {} : merged(task.options, given) });
  }
  if (typeof task !== 'string')
    throw new InvalidSchedule(`task: ${shown(task)} given; a signature such as task.s(1) or a task's name is allowed.`);
  const { args = [], kwargs = {} } = entry;
  return checked({ ...signature(task), args, kwargs, options: merged({}, given) });
}

function merged(options: SignatureOptions, change: SignatureOptions): SignatureOptions {
  return Object.fromEntries(Object.entries({ ...options, ...change }).filter(([, value]) => value !== null));
}

const LINKS: ReadonlySet<string> = new Set<keyof TickOptions>(['link', 'linkError']);

/** In Celery's names, null where one is to be removed. */
function optionsOf(given: TickOptions = {}): SignatureOptions {
  const options: unknown = given;
  if (typeof options !== 'object' || options === null || Array.isArray(options))
    throw new InvalidOption(`options: ${shown(options)} given; an object such as { expires: 60 } is allowed.`);
  const fixed = ['eta', 'taskId'].find((key) => key in options);
  if (fixed !== undefined)
    throw new InvalidOption(`options: '${fixed}' cannot be set: every tick has its own. Use countdown to run later.`);
  if ('kwargs' in options)
    throw new InvalidOption('options: kwargs go beside args, as a field of the entry, or into the signature.');
  const removed = Object.keys(options).filter((key) => options[key as keyof typeof options] === null);
  const set = Object.fromEntries(
    Object.entries(options).flatMap(([key, value]) =>
      value === null ? [] : [[key, LINKS.has(key) ? checkedLinks(value, key) : value]],
    ),
  ) as ApplyOptions;
  resolveApplyOptions(set, 0);
  return { ...toSignatureOptions(set), ...Object.fromEntries(removed.map((key) => [signatureOptionName(key), null])) };
}

/** As it will be when read back: an entry is stored as JSON. */
function checked(sig: Signature): Signature {
  checkedTaskName(sig.task);
  if (!Array.isArray(sig.args))
    throw new InvalidSchedule(`args: ${shown(sig.args)} given; an array of arguments is allowed.`);
  if (typeof sig.kwargs !== 'object' || sig.kwargs === null || Array.isArray(sig.kwargs))
    throw new InvalidSchedule(`kwargs: ${shown(sig.kwargs)} given; an object is allowed.`);
  const fixed = ['eta', 'task_id'].find((key) => (sig.options[key] ?? null) !== null);
  if (fixed !== undefined)
    throw new InvalidOption(
      `options: '${fixed}' of the signature cannot be set: every tick has its own. Use countdown to run later.`,
    );
  return withParts(sig, {
    args: decodeJson(encodeJson(sig.args, 'args')) as readonly unknown[],
    kwargs: decodeJson(encodeJson(sig.kwargs, 'kwargs')) as Record<string, unknown>,
    options: decodeJson(encodeJson(sig.options, 'options')) as Record<string, unknown>,
  });
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
  const given = typeof value === 'string' ? `text of ${value.length} characters` : shown(value);
  throw new InvalidSchedule(
    `description: ${given} given; text of at most ${MAX_DESCRIPTION_CHARACTERS} characters is allowed.`,
  );
}
