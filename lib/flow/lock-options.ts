/** What people say of a lock, checked. */
import { refuseUnknownKeys, shown } from '../base/checks.ts';
import { type Duration, durationSeconds } from '../base/duration.ts';
import { InvalidOption } from '../base/errors.ts';
import {
  MAX_LOCK_INFO_CHARACTERS,
  MAX_LOCK_KEY_CHARACTERS,
  MAX_LOCK_SECONDS,
  MAX_LOCK_WAIT_SECONDS,
  MIN_LOCK_SECONDS,
} from '../base/limits.ts';

/** How a lock is taken. */
export interface LockOptions {
  /**
   * When it lapses unless it is renewed, 3 s to 30 days: how long others wait where its owner has died. Default 2 h; of `with()`,
   * which renews it, 1 minute.
   */
  readonly ttl?: Duration;
  /** How long to wait while somebody else has it, up to 15 minutes. Default 0: not at all. */
  readonly wait?: Duration;
  /** For people who look at `list()`, up to 1,024 characters. Default: the task that runs, by name and id. */
  readonly info?: string;
}

export interface ResolvedLock {
  readonly ttlSeconds: number;
  readonly waitSeconds: number;
  readonly info: string | undefined;
}

const KEYS: ReadonlySet<string> = new Set<keyof LockOptions>(['ttl', 'wait', 'info']);

/** @throws InvalidOption */
export function lockOptions(options: LockOptions, defaultSeconds: number): ResolvedLock {
  if (typeof options !== 'object' || options === null)
    throw new InvalidOption(`options of a lock: ${shown(options)} given; an object such as { ttl: '30s' } is allowed.`);
  refuseUnknownKeys(options, KEYS, 'options of a lock');
  const { ttl = defaultSeconds, wait = 0, info } = options;
  const waitSeconds = durationSeconds(wait, 'wait');
  if (waitSeconds > MAX_LOCK_WAIT_SECONDS)
    throw new InvalidOption(
      `wait: ${shown(wait)} given; up to ${MAX_LOCK_WAIT_SECONDS} seconds are allowed. Retry the task instead: one that waits is paid for.`,
    );
  if (info !== undefined && (typeof info !== 'string' || info.length > MAX_LOCK_INFO_CHARACTERS))
    throw new InvalidOption(
      `info: ${shown(info)} given; text of up to ${MAX_LOCK_INFO_CHARACTERS} characters is allowed.`,
    );
  return { ttlSeconds: lockSeconds(ttl, 'ttl'), waitSeconds, info };
}

/** @throws InvalidOption */
export function lockSeconds(ttl: Duration, field: string): number {
  const seconds = durationSeconds(ttl, field, MIN_LOCK_SECONDS);
  if (seconds <= MAX_LOCK_SECONDS) return seconds;
  throw new InvalidOption(
    `${field}: ${shown(ttl)} given; up to ${MAX_LOCK_SECONDS / 86_400} days are allowed. Renew the lock.`,
  );
}

/** @throws InvalidOption */
export function lockKey(key: unknown): string {
  if (typeof key === 'string' && key !== '' && key.length <= MAX_LOCK_KEY_CHARACTERS && key.isWellFormed()) return key;
  throw new InvalidOption(
    `key of a lock: ${shown(key)} given; text of 1 to ${MAX_LOCK_KEY_CHARACTERS} characters is allowed.`,
  );
}
