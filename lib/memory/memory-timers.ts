/** Timers in memory: the executable meaning of `Timers`. */
import type { Timer, Timers } from '../ports.ts';
import { stableHash } from '../time.ts';

export class MemoryTimers implements Timers {
  readonly shards: number;
  readonly #timers = new Map<string, Timer>();

  constructor(options: { readonly shards: number }) {
    this.shards = options.shards;
  }

  put(timers: readonly Timer[]): Promise<void> {
    for (const timer of timers) this.#timers.set(keyOf(timer), { ...timer });
    return Promise.resolve();
  }

  due(shard: number, untilMs: number, limit: number): Promise<Timer[]> {
    const due = [...this.#timers.values()]
      .filter((timer) => timer.dueMs <= untilMs && stableHash(timer.id) % this.shards === shard)
      .toSorted((left, right) => (keyOf(left) < keyOf(right) ? -1 : 1));
    return Promise.resolve(due.slice(0, limit));
  }

  remove(timers: readonly Timer[]): Promise<void> {
    for (const timer of timers) this.#timers.delete(keyOf(timer));
    return Promise.resolve();
  }

  /** When the earliest timer is due, or undefined. */
  nextDueMs(): number | undefined {
    let next: number | undefined;
    for (const { dueMs } of this.#timers.values()) if (next === undefined || dueMs < next) next = dueMs;
    return next;
  }

  size(): number {
    return this.#timers.size;
  }
}

function keyOf(timer: Timer): string {
  return `${String(timer.dueMs).padStart(13, '0')}#${timer.id}#${timer.attempt}`;
}
