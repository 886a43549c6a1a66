/** The steps of the deploy test: each is printed with its time, a failed one with what was seen. */
import { setTimeout as sleep } from 'node:timers/promises';
import { inspect } from 'node:util';

const LOOK_EVERY_MS = 250;

/** A step without which the rest makes no sense. */
export class Abandoned extends Error {
  override readonly name = 'Abandoned';
}

export class Report {
  readonly failed: string[] = [];
  #passed = 0;
  readonly #startedMs = performance.now();

  /** @returns what the step returns, printed where it is text; undefined where it failed. */
  async step<T>(what: string, run: () => Promise<T>): Promise<T | undefined> {
    const startedMs = performance.now();
    try {
      const seen = await run();
      this.#passed += 1;
      this.#print('ok  ', what, startedMs, typeof seen === 'string' ? `: ${shown(seen, 160)}` : '');
      return seen;
    } catch (error) {
      this.failed.push(what);
      this.#print(
        'FAIL',
        what,
        startedMs,
        `\n${error instanceof Error ? (error.stack ?? error.message) : shown(error, 4000)}`,
      );
      return undefined;
    }
  }

  /** @throws Abandoned where the step fails. */
  async needed<T>(what: string, run: () => Promise<T>): Promise<T> {
    const failures = this.failed.length;
    const seen = await this.step(what, run);
    // Other steps may go on beside it, and fail; its own name is in the list once it did.
    if (this.failed.indexOf(what, failures) >= 0) throw new Abandoned(what);
    return seen as T;
  }

  note(text: string): void {
    console.log(`${this.#now()}       ${text}`);
  }

  /** @returns the exit code. */
  end(): number {
    console.log(
      `${this.#now()}  ${this.failed.length === 0 ? 'done' : 'FAILED'}: ${this.#passed} steps passed, ${this.failed.length} failed${this.failed.map((what) => `\n  - ${what}`).join('')}`,
    );
    return this.failed.length === 0 ? 0 : 1;
  }

  #print(verdict: string, what: string, startedMs: number, rest: string): void {
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(2);
    console.log(`${this.#now()}  ${verdict} ${seconds.padStart(6)} s  ${what}${rest}`);
  }

  #now(): string {
    return `${((performance.now() - this.#startedMs) / 1000).toFixed(1).padStart(6)} s`;
  }
}

/**
 * Looks until what it sees is right.
 *
 * @throws Error with what was seen last, after `seconds`.
 */
export async function until<T>(
  what: string,
  look: () => Promise<T>,
  isRight: (seen: T) => boolean,
  seconds: number,
): Promise<T> {
  const untilMs = performance.now() + seconds * 1000;
  for (;;) {
    const seen = await look();
    if (isRight(seen)) return seen;
    if (performance.now() > untilMs)
      throw new Error(`${what}: not within ${seconds} s; last seen: ${shown(seen, 2000)}`);
    await sleep(LOOK_EVERY_MS);
  }
}

export function equal(seen: unknown, wanted: unknown, what = 'seen'): void {
  const [left, right] = [shown(seen, 2000), shown(wanted, 2000)];
  if (left !== right) throw new Error(`${what}: ${left}, and not ${right}`);
}

function shown(value: unknown, length: number): string {
  const text = typeof value === 'string' ? value : inspect(value, { depth: 6, breakLength: Infinity });
  return text.length > length ? `${text.slice(0, length)} ...` : text;
}
