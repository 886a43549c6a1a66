/** One task of a key at a time, or in a time: what `unique` and `throttle` say, checked. */
import { refuseUnknownKeys, shown } from '../base/checks.ts';
import { type Duration, durationSeconds } from '../base/duration.ts';
import { InvalidOption } from '../base/errors.ts';
import {
  DEFAULT_UNIQUE_TTL_SECONDS,
  MAX_FLOW_KEY_CHARACTERS,
  MAX_MARK_SECONDS,
  MIN_MARK_SECONDS,
} from '../base/limits.ts';

/**
 * What tells calls apart: a function of the task's arguments that gives text of 1 to 256 characters, such a text itself, or
 * `'args'` for the arguments as a whole.
 */
export type MarkKey = ((...args: never[]) => string) | string;

/** One task of a key stands at a time; a call while it stands is told its id, and sends nothing. */
export interface UniqueOptions {
  /** What tells calls apart. `'args'` compares the arguments as they are sent. */
  readonly key: MarkKey;
  /** Until when a task stands: its run begins, it has ended, or for so long from its ETA. Default `'finished'`. */
  readonly until?: 'started' | 'finished' | Duration;
  /** So long from its ETA a task stands at most, should nobody tell its end; 1 s to 400 days. Default 1 day. */
  readonly ttl?: Duration;
}

/** One call of a key in a time: each other one is told the first one's id, and sends nothing. */
export interface ThrottleOptions {
  /** What tells calls apart. Default: one key for all calls of the task. */
  readonly key?: MarkKey;
  /** How long a call keeps others away, from its ETA; 1 s to 400 days. */
  readonly per: Duration;
}

/** Until when a task stands: `'time'` for no longer and no shorter than its time. */
export type Until = 'started' | 'finished' | 'time';

/** `unique` or `throttle`, checked. */
export interface Unique {
  /** What tells calls apart. */
  readonly key: MarkKey;
  /** Until when a task stands. */
  readonly until: Until;
  /** And no longer than so. */
  readonly seconds: number;
}

const UNIQUE_KEYS: ReadonlySet<string> = new Set<keyof UniqueOptions>(['key', 'until', 'ttl']);
const THROTTLE_KEYS: ReadonlySet<string> = new Set<keyof ThrottleOptions>(['key', 'per']);

/** @throws InvalidOption */
export function resolveUnique(value: UniqueOptions, field: string): Unique {
  requireObject(value, field, "{ key: (id) => id, until: 'finished' }");
  refuseUnknownKeys(value, UNIQUE_KEYS, field);
  const { key, until = 'finished', ttl } = value;
  if (key === undefined)
    throw new InvalidOption(
      `key of ${field}: none given. Give a function of the arguments, a text, or 'args' for all of them; key: 'all' is one key for every call.`,
    );
  const checkedKey = checkedMarkKey(key, field);
  if (until !== 'started' && until !== 'finished') {
    if (typeof until === 'string' && !/^\s*\d/.test(until))
      throw new InvalidOption(
        `until of ${field}: ${shown(until)} given; 'started', 'finished' or a time such as '1h' is allowed.`,
      );
    if (ttl !== undefined)
      throw new InvalidOption(
        `ttl of ${field}: ${shown(ttl)} given together with until: ${shown(until)}, which is a time already. Leave one of them out.`,
      );
    return { key: checkedKey, until: 'time', seconds: markSeconds(until, `until of ${field}`) };
  }
  return { key: checkedKey, until, seconds: markSeconds(ttl ?? DEFAULT_UNIQUE_TTL_SECONDS, `ttl of ${field}`) };
}

/** @throws InvalidOption */
export function resolveThrottle(value: ThrottleOptions, field: string): Unique {
  requireObject(value, field, "{ per: '1h' }");
  refuseUnknownKeys(value, THROTTLE_KEYS, field);
  const { key, per } = value;
  return { key: checkedMarkKey(key, field, ''), until: 'time', seconds: markSeconds(per, `per of ${field}`) };
}

/** @throws InvalidOption */
export function requireObject(value: unknown, field: string, example: string): void {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return;
  throw new InvalidOption(`${field}: ${shown(value)} given; an object such as ${example} is allowed.`);
}

/** @param otherwise where none is given. @throws InvalidOption */
export function checkedMarkKey(key: unknown, field: string, otherwise?: MarkKey): MarkKey {
  if (key === undefined && otherwise !== undefined) return otherwise;
  if (typeof key === 'function') return key as MarkKey;
  if (typeof key === 'string' && key !== '' && key.length <= MAX_FLOW_KEY_CHARACTERS && key.isWellFormed()) return key;
  throw new InvalidOption(
    `key of ${field}: ${shown(key)} given; a function of the task's arguments, or text of 1 to ${MAX_FLOW_KEY_CHARACTERS} characters, is allowed.`,
  );
}

/** @throws InvalidOption */
export function markSeconds(value: unknown, field: string): number {
  const seconds = durationSeconds(value, field, MIN_MARK_SECONDS);
  if (seconds <= MAX_MARK_SECONDS) return seconds;
  throw new InvalidOption(`${field}: ${seconds} s given; ${MIN_MARK_SECONDS} s to ${MAX_MARK_SECONDS} s are allowed.`);
}
