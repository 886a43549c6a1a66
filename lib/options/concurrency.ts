/** How many runs of a task there may be at the same time, over all workers. */
import { integerIn, refuseUnknownKeys, shown } from '../base/checks.ts';
import { InvalidOption } from '../base/errors.ts';
import { MAX_CONCURRENCY } from '../base/limits.ts';

/** A concurrency with more than its limit. */
export interface ConcurrencyOptions {
  /** Runs at the same time, 1 to 100. Beyond 14 each start and end writes more than a kilobyte. */
  readonly limit: number;
  /**
   * Tasks whose keys differ do not wait for each other; the arguments are those of the task's function. It must give the
   * same text whenever it is asked. Default: one limit for all calls.
   */
  readonly key?: (...args: never[]) => string;
  /** `app`: all tasks of that scope and the same key share the limit, which each should give alike. Default `task`. */
  readonly scope?: 'task' | 'app';
}

/** A concurrency, checked. */
export interface Concurrency {
  /** Runs at the same time. */
  readonly limit: number;
  /** What tells limits apart; undefined for one. */
  readonly key: ((...args: never[]) => string) | undefined;
  /** Whether the limit is the task's own. */
  readonly scope: 'task' | 'app';
}

const KEYS: ReadonlySet<string> = new Set<keyof ConcurrencyOptions>(['limit', 'key', 'scope']);

/** @throws InvalidOption; undefined for no limit. */
export function resolveConcurrency(
  value: number | ConcurrencyOptions | null | undefined,
  field: string,
): Concurrency | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'object')
    return { limit: integerIn(value, 1, MAX_CONCURRENCY, field), key: undefined, scope: 'task' };
  refuseUnknownKeys(value, KEYS, field);
  const { limit, key, scope = 'task' } = value;
  if (limit === undefined)
    throw new InvalidOption(
      `limit of ${field}: none given; key and scope mean nothing without one. Give limit: 5, say.`,
    );
  if (key !== undefined && typeof key !== 'function')
    throw new InvalidOption(`key of ${field}: ${shown(key)} given; a function of the task's arguments is allowed.`);
  if (scope !== 'task' && scope !== 'app')
    throw new InvalidOption(`scope of ${field}: ${shown(scope)} given; 'task' or 'app' is allowed.`);
  if (scope === 'app' && key === undefined)
    throw new InvalidOption(
      `scope of ${field}: 'app' given without a key; tasks share a limit by its key. Give a key, or leave scope out.`,
    );
  return { limit: integerIn(limit, 1, MAX_CONCURRENCY, `limit of ${field}`), key, scope };
}
