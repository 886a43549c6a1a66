/** How far this machine's clock is from the service's, told by the dates of its answers: AWS refuses signatures that are five minutes off. */
import type { Clock } from '../../base/time.ts';

export interface Sent {
  /** The service's date, as far as it is known. */
  readonly date: Date;
  readonly sentMs: number;
  readonly offsetMs: number;
}

// As the SDK: from here on a refusal is taken for one of the date.
const THRESHOLD_MS = 240_000;
// An answer that took longer says little about when its date was written.
const LONGEST_ANSWER_MS = 900_000;

export class ClockSkew {
  readonly #clock: Clock;
  #offsetMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  begin(): Sent {
    const sentMs = this.#clock.nowMs();
    return { date: new Date(sentMs + this.#offsetMs), sentMs, offsetMs: this.#offsetMs };
  }

  /** @returns Whether the request was signed for a date that is far off: a refusal may be none with the right one. */
  end({ sentMs, offsetMs }: Sent, headers: Readonly<Record<string, string>>): boolean {
    const nowMs = this.#clock.nowMs();
    const serviceMs = Date.parse(headers['date'] ?? '');
    // `age`: something in between has kept the answer.
    if (!Number.isNaN(serviceMs) && headers['age'] === undefined && nowMs - sentMs <= LONGEST_ANSWER_MS)
      this.#offsetMs = serviceMs - nowMs;
    return Math.abs(this.#offsetMs - offsetMs) >= THRESHOLD_MS;
  }
}
