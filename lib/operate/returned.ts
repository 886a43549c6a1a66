/** Letters that come back while a redrive is under way: their tasks have failed again, and would go round for ever. */
import type { OpenLetter } from './letter.ts';

/** What a redrive has sent so far. */
export class Returned {
  /** The newest attempt that was sent on, by task id. */
  readonly #sent = new Map<string, number>();
  readonly #startedMs: number;

  /** @param startedMs of the redrive, milliseconds since the epoch */
  constructor(startedMs: number) {
    this.#startedMs = startedMs;
  }

  /** A letter's task runs once more. */
  note({ letter: { id, retries } }: OpenLetter): void {
    if (id !== undefined && retries !== undefined) this.#sent.set(id, Math.max(retries, this.#sent.get(id) ?? retries));
  }

  /** Whether it was put aside again: by its attempt, and where that cannot be read by its time. */
  has({ letter: { id, retries }, received: { sentMs } }: OpenLetter): boolean {
    if (id === undefined || retries === undefined) return sentMs > this.#startedMs;
    return retries > (this.#sent.get(id) ?? retries);
  }
}
