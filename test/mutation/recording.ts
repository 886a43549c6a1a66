/** Which mutants each test file comes to, recorded once over instrumented code without any mutant. */
import { distancesTo } from './changes.ts';
import type { Reaching } from './chosen-tests.ts';
import type { Mutant } from './mutants.ts';
import type { Sandbox } from './sandbox.ts';
import type { Recorded, State } from './state.ts';

const RECORD_AT_ONCE = 6;

export interface Allowed {
  readonly secondsLeft: () => number;
  /** Recording ends where less is left: what is recorded is to be used too. */
  readonly untilLeft: number;
}

export class Recording {
  readonly #state: State;
  readonly #sandbox: Sandbox;
  readonly #keys: ReadonlyMap<string, string>;
  readonly #library: Readonly<Record<string, string>>;
  readonly #say: (line: string) => void;
  readonly #importers = new Map<string, ReadonlyMap<string, number>>();

  constructor(state: State, sandbox: Sandbox, mutants: readonly Mutant[], say: (line: string) => void) {
    this.#say = say;
    this.#state = state;
    this.#sandbox = sandbox;
    this.#keys = new Map(mutants.map(({ id, key }) => [id, key]));
    this.#library = Object.fromEntries(mutants.map(({ file }) => [file, state.hash(file)]));
  }

  /** Tests that lead to one of these files by imports, and of which nothing is known with its text of now. */
  open(tests: readonly string[], files: Iterable<string>): string[] {
    const open = new Set([...new Set(files)].flatMap((file) => this.#openOf(tests, file)));
    return tests.filter((path) => open.has(path));
  }

  #openOf(tests: readonly string[], file: string): string[] {
    const importers = this.importersOf(file);
    return tests.filter((path) => importers.has(path) && this.#state.recorded(path, file) === undefined);
  }

  /** In this order: where the time ends, the first ones are known. */
  async record(tests: readonly string[], { secondsLeft, untilLeft }: Allowed): Promise<void> {
    for (let from = 0; from < tests.length && secondsLeft() > untilLeft; from += RECORD_AT_ONCE) {
      const batch = tests.slice(from, from + RECORD_AT_ONCE);
      const run = await this.#sandbox.run({ tests: batch, atMostSeconds: secondsLeft(), record: true });
      if (run.ended === 'timed out') return;
      // A file whose tests are all skipped here says nothing of its own, and comes to no mutant.
      const recorded = Object.fromEntries(
        batch.map((path) => [path, this.#recorded(path, { seconds: 0, hits: {} }, run.failedFiles)]),
      );
      for (const each of this.#sandbox.hits()) recorded[each.path] = this.#recorded(each.path, each, run.failedFiles);
      this.#state.record(recorded);
      this.#say(`recorded ${Math.min(from + RECORD_AT_ONCE, tests.length)} of ${tests.length} test files`);
      for (const path of run.failedFiles) this.#say(`left out, it fails without any mutant: ${path}`);
    }
  }

  #recorded(path: string, of: Pick<Recorded, 'seconds' | 'hits'>, failed: ReadonlySet<string>): Recorded {
    const hits = Object.entries(of.hits).map(([id, count]) => [this.#keys.get(id) ?? id, count]);
    return {
      hash: this.#state.hash(path),
      library: this.#library,
      seconds: of.seconds,
      passed: !failed.has(path),
      hits: Object.fromEntries(hits),
    };
  }

  /** Tests that come to a mutant, and pass without it. */
  reaching(tests: readonly string[], { key, file }: Mutant): Reaching[] {
    return tests.flatMap((path) => {
      const recorded = this.#state.recorded(path, file);
      const hits = recorded?.hits[key];
      return recorded?.passed && hits !== undefined ? [{ path, seconds: recorded.seconds, hits }] : [];
    });
  }

  /** By importer, how many imports lie between it and the file. */
  importersOf(file: string): ReadonlyMap<string, number> {
    const known = this.#importers.get(file);
    if (known !== undefined) return known;
    const found = distancesTo([file]);
    this.#importers.set(file, found);
    return found;
  }
}
