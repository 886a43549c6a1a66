/** Calls that come together run once: what `debounce` says, checked. */
import { refuseUnknownKeys, shown } from '../base/checks.ts';
import type { Duration } from '../base/duration.ts';
import { InvalidOption } from '../base/errors.ts';
import { checkedMarkKey, markSeconds, type MarkKey, requireObject } from './unique.ts';

/** Calls of a key run once, with the arguments of the last. */
export interface DebounceOptions {
  /** What tells calls apart. Default: one key for all calls of the task. */
  readonly key?: MarkKey;
  /** It runs so long after the last call; 1 s to 400 days. */
  readonly wait: Duration;
  /** And at the latest so long after the first; not shorter than `wait`. Default: however long calls go on. */
  readonly maxWait?: Duration;
}

/** `debounce`, checked. */
export interface Debounce {
  /** What tells calls apart. */
  readonly key: MarkKey;
  /** Time after the last call. */
  readonly waitSeconds: number;
  /** Longest time after the first; undefined for no bound. */
  readonly maxWaitSeconds: number | undefined;
}

const KEYS: ReadonlySet<string> = new Set<keyof DebounceOptions>(['key', 'wait', 'maxWait']);

/** @throws InvalidOption */
export function resolveDebounce(value: DebounceOptions, field: string): Debounce {
  requireObject(value, field, "{ wait: '10s', maxWait: '5m' }");
  refuseUnknownKeys(value, KEYS, field);
  const { key, wait, maxWait } = value;
  const waitSeconds = markSeconds(wait, `wait of ${field}`);
  const maxWaitSeconds = maxWait === undefined ? undefined : markSeconds(maxWait, `maxWait of ${field}`);
  if (maxWaitSeconds !== undefined && maxWaitSeconds < waitSeconds)
    throw new InvalidOption(
      `maxWait of ${field}: ${shown(maxWait)} is shorter than wait, ${shown(wait)}: the last call would not count. Give a longer maxWait, or leave it out.`,
    );
  return { key: checkedMarkKey(key, field, ''), waitSeconds, maxWaitSeconds };
}
