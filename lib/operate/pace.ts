/** So many in a time, evenly spaced. */
import type { RateLimit } from '../options/rate-limit.ts';
import type { Clock } from '../base/time.ts';
import { LETTERS_AT_ONCE } from './redrive.ts';

const MICROS_PER_MS = 1000;
const MICROS_PER_SECOND = 1_000_000;

export class Pace {
  readonly #paceMicros: number;
  readonly #clock: Clock;
  /** When the next may go, milliseconds since the epoch. */
  #nextMs: number;
  #line: Promise<void> = Promise.resolve();

  constructor(rate: RateLimit | undefined, clock: Clock) {
    this.#paceMicros = rate?.paceMicros ?? 0;
    this.#clock = clock;
    this.#nextMs = clock.nowMs();
  }

  /** As many as go in a tenth of a second: what shares a request goes at the same time. */
  get atOnce(): number {
    if (this.#paceMicros === 0) return LETTERS_AT_ONCE;
    return Math.max(1, Math.min(LETTERS_AT_ONCE, Math.floor(MICROS_PER_SECOND / 10 / this.#paceMicros)));
  }

  /** How long so many take. */
  secondsFor(count: number): number {
    return Math.ceil((count * this.#paceMicros) / MICROS_PER_SECOND);
  }

  /** Until so many more may go: whoever waits, one after another. What took its time is not made up for by a burst. */
  wait(count: number): Promise<void> {
    this.#line = this.#line.then(() => this.#turn(count));
    return this.#line;
  }

  async #turn(count: number): Promise<void> {
    const waitMs = this.#nextMs - this.#clock.nowMs();
    if (waitMs > 0) await this.#clock.sleep(waitMs);
    this.#nextMs = Math.max(this.#nextMs, this.#clock.nowMs()) + (count * this.#paceMicros) / MICROS_PER_MS;
  }
}
