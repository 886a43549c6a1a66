/** Asking the store of locks: what fails for a passing reason is asked again, since nobody knows what it has done. */
import { OperationalError } from '../base/errors.ts';
import { LOCK_FIRST_PAUSE_MS, LOCK_LONGEST_PAUSE_MS } from '../base/limits.ts';
import { isPassing } from '../base/passing.ts';
import type { Clock, Random } from '../base/time.ts';
import type { Locks } from '../ports/locks.ts';

/** What asks the store, and waits in between. */
export interface LockStore {
  /** Tells the time, and waits. */
  readonly clock: Clock;
  /** Random numbers for jitter. */
  readonly random: Random;
  /** For one call: outside of tasks it gives up after the app's `callTimeout`. */
  locks(): Promise<Locks>;
}

// The clients have tried several times themselves.
const TRIES = 4;

/** The same call again and again: each must mean the same when it is asked twice. @throws what the last try has thrown */
export async function persistently<T>(
  { clock, random }: Pick<LockStore, 'clock' | 'random'>,
  ask: () => Promise<T>,
): Promise<T> {
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await ask();
    } catch (error) {
      if (!isPassing(error) || isTimedOut(error) || attempt + 1 >= TRIES) throw error;
      await clock.sleep(pauseMs(attempt, random));
    }
  }
}

/** Full jitter: those who wait for the same must not ask at the same time. */
export function pauseMs(attempt: number, random: Random): number {
  return Math.ceil(random.next() * Math.min(LOCK_LONGEST_PAUSE_MS, LOCK_FIRST_PAUSE_MS * 2 ** attempt));
}

/** The time of the whole call is over. */
function isTimedOut(error: unknown): boolean {
  return OperationalError.is(error) && (error as OperationalError).timedOut;
}
