/** What earlier runs found, so that a run goes on where another was stopped. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { textsOfTest } from './changes.ts';

/** A test file over instrumented code without any mutant. */
export interface Recorded {
  /** Of the test's texts: with others it is recorded again. */
  readonly hash: string;
  /** Of each file of the library that has mutants: what this says of a file holds while its text stays the same. */
  readonly library: Readonly<Record<string, string>>;
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

/** By which tests: those of the mutant's own folder, or all others that are quick. */
export type Stage = 'own' | 'others';

interface Stored {
  tests: Record<string, Recorded>;
  results: Record<Stage, Record<string, Result>>;
}

const HASH_LENGTH = 16;

export const hashOf = (...paths: readonly string[]): string => {
  const hash = createHash('sha256');
  for (const path of paths) hash.update(readFileSync(path)).update('\0');
  return hash.digest('hex').slice(0, HASH_LENGTH);
};

export class State {
  readonly #path: string;
  readonly #stored: Stored;
  /** Of what the run began with: texts may be edited while it goes on. */
  readonly #hashes = new Map<string, string>();

  constructor(folder: string) {
    mkdirSync(folder, { recursive: true });
    // Another name than what earlier versions wrote, which said nothing of the library's texts.
    this.#path = join(folder, 'recorded.json');
    this.#stored = existsSync(this.#path)
      ? (JSON.parse(readFileSync(this.#path, 'utf8')) as Stored)
      : { tests: {}, results: { own: {}, others: {} } };
  }

  /** What was recorded of a test with the texts of now: its own, and that of this file of the library. */
  recorded(test: string, file: string): Recorded | undefined {
    const recorded = this.#stored.tests[test];
    if (recorded === undefined || recorded.library[file] !== this.hash(file)) return undefined;
    return recorded.hash === this.hash(test) ? recorded : undefined;
  }

  /** Of a test, with what it imports of `test`; of any other file, of its text. */
  hash(path: string): string {
    const known = this.#hashes.get(path);
    if (known !== undefined) return known;
    const hash = hashOf(...(path.startsWith('test/') ? textsOfTest(path) : [path]));
    this.#hashes.set(path, hash);
    return hash;
  }

  result(stage: Stage, key: string): Result | undefined {
    return this.#stored.results[stage][key];
  }

  record(tests: Readonly<Record<string, Recorded>>): void {
    Object.assign(this.#stored.tests, tests);
    this.#write();
  }

  put(stage: Stage, key: string, result: Result): void {
    this.#stored.results[stage][key] = result;
    this.#write();
  }

  // Whole or not at all: a run may be stopped at any moment.
  #write(): void {
    writeFileSync(`${this.#path}.new`, JSON.stringify(this.#stored));
    renameSync(`${this.#path}.new`, this.#path);
  }
}
