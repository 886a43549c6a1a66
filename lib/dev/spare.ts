/**
 * The next process of workers, begun before it is needed: it has loaded everything but the user's code, which is most of what takes time. It
 * waits, and a change of the code takes it.
 */
import type { WorkerProcess } from './supervisor.ts';

export class Spare {
  readonly #spawn: () => WorkerProcess;
  #process: WorkerProcess | undefined;
  #over = false;

  constructor(spawn: () => WorkerProcess) {
    this.#spawn = spawn;
  }

  /** What waits, or a new one. */
  take(): WorkerProcess {
    const process = this.#process;
    this.#process = undefined;
    return process ?? this.#spawn();
  }

  /** Begins one, unless one waits. */
  prepare(): void {
    if (this.#over || this.#process !== undefined) return;
    const process = this.#spawn();
    this.#process = process;
    void process.gone.then(() => {
      if (this.#process === process) this.#process = undefined;
    });
  }

  /** What waits has read what is no longer so. */
  drop(): void {
    const process = this.#process;
    this.#process = undefined;
    process?.kill();
  }

  /** None waits from now on. */
  end(): void {
    this.#over = true;
    this.drop();
  }
}

/** Whether a process reads this file before it loads code. @param path of a file that has changed */
export function isReadBefore(path: string): boolean {
  return /(?:^|[/\\])(?:tsconfig[^/\\]*|package)\.json$/.test(path);
}
