/** Pauses in memory: the executable meaning of `Pauses`. */
import { byBytes } from '../base/ids.ts';
import type { Pause, Pauses } from '../ports/pauses.ts';
import { sortKey } from '../ports/store-limits.ts';

/** Pauses in memory: the meaning of the port. */
export class MemoryPauses implements Pauses {
  readonly #pauses = new Map<string, Pause>();

  /** Whether a queue is paused now. */
  has(queue: string): boolean {
    return this.#pauses.has(queue);
  }

  list(): Promise<Pause[]> {
    const all = [...this.#pauses.values()].toSorted((left, right) => byBytes(left.queue, right.queue));
    return Promise.resolve(all.map((pause) => ({ ...pause })));
  }

  async put(pause: Pause): Promise<Pause> {
    const key = sortKey(pause.queue);
    const held = this.#pauses.get(key);
    if (held === undefined) this.#pauses.set(key, { ...pause });
    return { ...(held ?? pause) };
  }

  remove(queue: string): Promise<Pause | undefined> {
    const held = this.#pauses.get(queue);
    this.#pauses.delete(queue);
    return Promise.resolve(held);
  }
}
