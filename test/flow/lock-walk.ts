/** Tasks that contend for locks in a world of faults; what was done under the locks is checked. */
import { Celeriac, LockLost, LockNotAcquired, silentLogger, TimeLimitExceeded } from 'celeriac';
import { World } from 'celeriac/testing';
import fc from 'fast-check';

export interface LockWalk {
  readonly seed: number;
  readonly tasks: number;
  readonly keys: number;
  /** Whether tasks wait for their lock, or come again. */
  readonly waits: boolean;
}

export const LOCK_WALKS: fc.Arbitrary<LockWalk> = fc.record({
  seed: fc.nat(),
  tasks: fc.integer({ min: 2, max: 12 }),
  keys: fc.integer({ min: 1, max: 2 }),
  waits: fc.boolean(),
});

/** Time in which somebody relied on a lock. */
interface Hold {
  readonly key: string;
  readonly token: number;
  readonly fromMs: number;
  /** undefined: its worker was killed while it held it. */
  toMs: number | undefined;
}

// Who waits asks some thirty times: each may be the last that its worker does.
const FAULTS = {
  duplicate: 0.05,
  error: 0.08,
  lostResponse: 0.08,
  crash: 0.004,
  freeze: 0.004,
  clockSkewSeconds: 1,
};

/** @returns complaints. */
export async function lockWalk({ seed, tasks, keys, waits }: LockWalk): Promise<string[]> {
  const app = new Celeriac('contended', { logger: silentLogger });
  const holds: Hold[] = [];
  const done = new Set<number>();
  const work = app.task(
    'work',
    {
      autoretryFor: [
        LockNotAcquired,
        LockLost,
        TimeLimitExceeded,
        (error) => (error as Error).message.startsWith('fault:'),
      ],
      maxRetries: null,
      retryBackoff: 20,
      retryBackoffMax: 40,
      maxDeliveries: 100,
    },
    async (n: number) => {
      const key = `key ${n % keys}`;
      await app.locks.with(key, { ttl: '20s', ...(waits ? { wait: '25s' } : {}) }, async (lock) => {
        const hold: Hold = { key, token: lock.token, fromMs: world.clock.nowMs(), toMs: undefined };
        holds.push(hold);
        const over = (): void => void (hold.toMs ??= world.clock.nowMs());
        lock.signal.addEventListener('abort', over);
        // Some for longer than the lock lasts: by renewals alone.
        await world.clock.sleep(5000 + ((seed + n) % 7) * 5000, lock.signal);
        over();
        lock.signal.throwIfAborted();
      });
      done.add(n);
    },
  );
  using world = new World(app, { seed, faults: FAULTS, invocation: 120, maxReceiveCount: 1000, patienceMs: 0 });
  for (let n = 0; n < tasks; n += 1) await work.delay(n);
  await world.advance('2h');
  world.faults.on = false;
  await world.drain();
  return complaintsOf(
    holds,
    [...Array(tasks).keys()].filter((n) => !done.has(n)),
  );
}

function complaintsOf(holds: readonly Hold[], undone: readonly number[]): string[] {
  const complaints = undone.map((n) => `task ${n} never had its lock`);
  for (const [index, hold] of holds.entries())
    for (const later of holds.slice(index + 1)) {
      if (later.key !== hold.key) continue;
      if (later.token <= hold.token) complaints.push(`token ${later.token} after ${hold.token} of ${hold.key}`);
      if (hold.toMs !== undefined && later.fromMs < hold.toMs)
        complaints.push(
          `${hold.key} was held by ${hold.token} until ${hold.toMs} and by ${later.token} from ${later.fromMs}`,
        );
    }
  return complaints;
}
