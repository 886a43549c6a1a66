/** The result of a task that ran in the caller. */
import { AsyncResult, type GetOptions, type ResultReader } from './result.ts';
import { isPropagated } from '../base/states.ts';

/** The outcome of a task that ran in the caller: complete from the start, and stored nowhere. */
export class EagerResult<R = unknown> extends AsyncResult<R> {
  readonly #outcome: EagerFacts;
  readonly #doneMs: number;

  constructor(id: string, outcome: EagerFacts, reader: ResultReader) {
    super(id, reader);
    this.#outcome = outcome;
    this.#doneMs = reader.clock.nowMs();
  }

  override state(): Promise<string> {
    return Promise.resolve(this.#outcome.state);
  }

  override get(options: GetOptions = {}): Promise<R> {
    if (!isPropagated(this.#outcome.state)) return Promise.resolve(this.#outcome.value as R);
    if (options.propagate ?? true) return Promise.reject(this.#outcome.error as Error);
    return Promise.resolve(this.#outcome.error as R);
  }

  override info(): Promise<unknown> {
    return Promise.resolve(isPropagated(this.#outcome.state) ? this.#outcome.error : this.#outcome.value);
  }

  override traceback(): Promise<string | undefined> {
    return Promise.resolve(this.#outcome.traceback ?? undefined);
  }

  override dateDone(): Promise<Date | undefined> {
    return Promise.resolve(new Date(this.#doneMs));
  }

  override forget(): Promise<void> {
    return Promise.resolve();
  }

  /** Too late: it has run. */
  override revoke(): Promise<string> {
    return this.state();
  }
}

interface EagerFacts {
  readonly state: string;
  readonly value: unknown;
  readonly error: unknown;
  readonly traceback: string | null;
}
