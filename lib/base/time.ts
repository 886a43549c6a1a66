/**
 * The one place that reads the machine's clock, randomness and timers. Everything else takes them
 * through these ports, so that a test can own time.
 */
import { randomUUID } from 'node:crypto';

/** Where time comes from. A test puts one of its own in the place of the system's. */
export interface Clock {
  /** Milliseconds since the epoch. */
  nowMs(): number;
  /** Resolves after `ms` milliseconds of this clock's time, or at once when `signal` aborts. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Calls `callback` after `ms` milliseconds; the returned function cancels it. */
  schedule(ms: number, callback: () => void): () => void;
  /** Resolves once everything that is ready to run has run: the moment at which a gathered batch is sent. */
  nextTurn(): Promise<void>;
}

/** Where ids of tasks, groups and claims come from. */
export interface Ids {
  /** A fresh unique id (UUID). */
  next(): string;
}

/** Where random numbers come from. */
export interface Random {
  /** A number in [0, 1). */
  next(): number;
}

// setTimeout fires at once beyond 2^31-1 ms; longer waits are cut into pieces.
const LONGEST_TIMER_MS = 2_147_483_647;

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) {
        resolve();
        return;
      }
      const cancel = systemClock.schedule(ms, done);
      function done(): void {
        signal?.removeEventListener('abort', aborted);
        resolve();
      }
      function aborted(): void {
        cancel();
        done();
      }
      signal?.addEventListener('abort', aborted, { once: true });
    }),
  schedule: (ms, callback) => {
    let timer: ReturnType<typeof setTimeout>;
    const arm = (remainingMs: number): void => {
      timer =
        remainingMs > LONGEST_TIMER_MS
          ? setTimeout(() => arm(remainingMs - LONGEST_TIMER_MS), LONGEST_TIMER_MS)
          : setTimeout(callback, Math.max(0, remainingMs));
    };
    arm(ms);
    return () => clearTimeout(timer);
  },
  nextTurn: () => new Promise((resolve) => setImmediate(resolve)),
};

export const systemIds: Ids = { next: () => randomUUID() };

export const systemRandom: Random = { next: () => Math.random() };
