/** Which queues are paused, as whatever feeds workers looks at it: about once a second, and not at each receive. */
import { systemClock } from '../base/time.ts';
import type { Pauses } from '../ports/pauses.ts';

// Lambda takes up to a minute to switch an event source off.
const FRESH_MS = 1000;

export class PausedQueues {
  readonly #pauses: Pauses;
  #asked: Promise<ReadonlySet<string>> = Promise.resolve(new Set<string>());
  #askedMs = -Infinity;

  constructor(pauses: Pauses) {
    this.#pauses = pauses;
  }

  async has(queue: string): Promise<boolean> {
    const nowMs = systemClock.nowMs();
    if (nowMs - this.#askedMs >= FRESH_MS) {
      this.#askedMs = nowMs;
      this.#asked = this.#ask();
    }
    return (await this.#asked).has(queue);
  }

  async #ask(): Promise<ReadonlySet<string>> {
    return new Set((await this.#pauses.list()).map(({ queue }) => queue));
  }
}
