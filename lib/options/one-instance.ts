/** That a task does not run beside itself. */
import { refuseUnknownKeys, shown } from '../base/checks.ts';
import { type Duration, durationSeconds } from '../base/duration.ts';
import { InvalidOption } from '../base/errors.ts';
import { DEFAULT_LOCK_SECONDS } from '../base/limits.ts';

/** One instance with more to say. */
export interface OneInstanceOptions {
  /**
   * Calls whose keys differ run side by side; the arguments are those of the task's function. It must give the same text whenever it
   * is asked. Default: one instance of the task, whatever its arguments are.
   */
  readonly key?: (...args: never[]) => string;
  /**
   * How long a run may keep others away, at least 1 s: it keeps them away no longer, and never longer than its invocation can run.
   * Default 2 h.
   */
  readonly timeout?: Duration;
  /**
   * What becomes of a call that comes while another runs: `skip` leaves it out, `wait` lets it wait in the order in which they came.
   * Default `skip`.
   */
  readonly whenLocked?: 'skip' | 'wait';
  /** A call that is left out: `ignored` ends it as IGNORED, `retry` has it come again as its retries say. Default `ignored`. */
  readonly onSkip?: 'ignored' | 'retry';
}

/** One instance, checked. */
export interface OneInstance {
  /** What tells instances apart; undefined for one. */
  readonly key: ((...args: never[]) => string) | undefined;
  /** How long a run keeps others away at most. */
  readonly timeoutSeconds: number;
  /** What becomes of a call that comes while another runs. */
  readonly whenLocked: 'skip' | 'wait';
  /** How a call ends that is left out. */
  readonly onSkip: 'ignored' | 'retry';
}

const KEYS: ReadonlySet<string> = new Set<keyof OneInstanceOptions>(['key', 'timeout', 'whenLocked', 'onSkip']);

/** @throws InvalidOption; undefined for as many as there are. */
export function resolveOneInstance(
  value: boolean | OneInstanceOptions | null | undefined,
  field: string,
): OneInstance | undefined {
  if (value === undefined || value === null || value === false) return undefined;
  if (value !== true && typeof value !== 'object')
    throw new InvalidOption(
      `${field}: ${shown(value)} given; true, or an object such as { timeout: '10m' } is allowed.`,
    );
  const given = value === true ? {} : value;
  refuseUnknownKeys(given, KEYS, field);
  const { key, timeout = DEFAULT_LOCK_SECONDS, whenLocked = 'skip', onSkip = 'ignored' } = given;
  if (key !== undefined && typeof key !== 'function')
    throw new InvalidOption(`key of ${field}: ${shown(key)} given; a function of the task's arguments is allowed.`);
  if (whenLocked !== 'skip' && whenLocked !== 'wait')
    throw new InvalidOption(`whenLocked of ${field}: ${shown(whenLocked)} given; 'skip' or 'wait' is allowed.`);
  if (onSkip !== 'ignored' && onSkip !== 'retry')
    throw new InvalidOption(`onSkip of ${field}: ${shown(onSkip)} given; 'ignored' or 'retry' is allowed.`);
  if (whenLocked === 'wait' && given.onSkip !== undefined)
    throw new InvalidOption(
      `onSkip of ${field}: ${shown(onSkip)} given with whenLocked: 'wait', which leaves no call out. Give one of them.`,
    );
  return { key, timeoutSeconds: durationSeconds(timeout, `timeout of ${field}`, 1), whenLocked, onSkip };
}
