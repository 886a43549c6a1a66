/** What earlier runs found, so that a run goes on where another was stopped. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A test file over instrumented code without any mutant. */
export interface Recorded {
  /** Of the test file's text: another text is recorded again. */
  readonly hash: string;
  readonly seconds: number;
  /** A test that fails without a mutant, such as one that measures sizes, shows nothing with one. */
  readonly passed: boolean;
  /** How often the mutants' places are come to, by the mutants' keys. */
  readonly hits: Readonly<Record<string, number>>;
}

export interface Result {
  readonly status: 'killed' | 'timed out' | 'refused by the compiler' | 'survived' | 'not reached';
  readonly by?: string;
}

interface Stored {
  tests: Record<string, Recorded>;
  results: Record<string, Result>;
}

export const hashOf = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');

export class State {
  readonly #path: string;
  readonly #stored: Stored;

  constructor(folder: string) {
    mkdirSync(folder, { recursive: true });
    this.#path = join(folder, 'state.json');
    this.#stored = existsSync(this.#path)
      ? (JSON.parse(readFileSync(this.#path, 'utf8')) as Stored)
      : { tests: {}, results: {} };
  }

  recorded(test: string): Recorded | undefined {
    const recorded = this.#stored.tests[test];
    return recorded?.hash === hashOf(test) ? recorded : undefined;
  }

  result(key: string): Result | undefined {
    return this.#stored.results[key];
  }

  record(tests: Readonly<Record<string, Recorded>>): void {
    Object.assign(this.#stored.tests, tests);
    this.#write();
  }

  put(key: string, result: Result): void {
    this.#stored.results[key] = result;
    this.#write();
  }

  // Whole or not at all: a run may be stopped at any moment.
  #write(): void {
    writeFileSync(`${this.#path}.new`, JSON.stringify(this.#stored));
    renameSync(`${this.#path}.new`, this.#path);
  }
}
