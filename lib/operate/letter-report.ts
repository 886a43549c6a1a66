/** What became of dead letters, counted. */
import type { DeadLetter } from './letter.ts';
import type { LetterOutcome } from './redrive.ts';

/** How far it is. */
export interface RedriveProgress {
  /** Letters that were looked at. */
  readonly looked: number;
  /** Those of them that were meant. */
  readonly matched: number;
  /** Tasks that run once more. */
  readonly sent: number;
  /** Tasks that had ended otherwise: what follows from that was sent again. */
  readonly settled: number;
  /** Had been redriven before, and are deleted. */
  readonly superseded: number;
  /** Deleted by `drop()`. */
  readonly dropped: number;
  /** Stay, since their `expires` has passed. */
  readonly expired: number;
  /** Stay, since their task runs at the moment. */
  readonly running: number;
  /** Stay, since they could not be sent. */
  readonly failed: number;
}

/** What became of letters. With `dryRun` what would. */
export interface RedriveReport extends RedriveProgress {
  /** Matched letters by task. */
  readonly tasks: Readonly<Record<string, number>>;
  /** Why letters failed: the first hundred. */
  readonly failures: readonly { readonly id?: string; readonly messageId: string; readonly error: string }[];
  /** False where it was ended early. */
  readonly complete: boolean;
}

export type Counted = LetterOutcome | { readonly kind: 'dropped' };

const FAILURES_TOLD = 100;

export class LetterReport {
  readonly #counts = { sent: 0, settled: 0, superseded: 0, dropped: 0, expired: 0, running: 0, failed: 0 };
  readonly #tasks = new Map<string, number>();
  readonly #failures: { readonly id?: string; readonly messageId: string; readonly error: string }[] = [];
  readonly #tell: ((progress: RedriveProgress) => void) | undefined;
  #looked = 0;
  #matched = 0;

  constructor(tell: ((progress: RedriveProgress) => void) | undefined) {
    this.#tell = tell;
  }

  looked(count: number): void {
    this.#looked += count;
    this.#tell?.(this.#progress());
  }

  count({ id, messageId, task = '' }: DeadLetter, outcome: Counted): void {
    this.#matched += 1;
    this.#counts[outcome.kind] += 1;
    this.#tasks.set(task, (this.#tasks.get(task) ?? 0) + 1);
    if (outcome.kind === 'failed' && this.#failures.length < FAILURES_TOLD)
      this.#failures.push({ ...(id === undefined ? {} : { id }), messageId, error: outcome.error });
    this.#tell?.(this.#progress());
  }

  end(complete: boolean): RedriveReport {
    return {
      ...this.#progress(),
      tasks: Object.fromEntries(this.#tasks),
      failures: this.#failures,
      complete,
    };
  }

  #progress(): RedriveProgress {
    return { looked: this.#looked, matched: this.#matched, ...this.#counts };
  }
}
