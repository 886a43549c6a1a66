/**
 * The test runner of `npm run mutate:every`. Each test runs once without a mutant, which shows what it comes to, once more, which
 * shows that it can be repeated, and then with one mutant after another.
 */
import { readFileSync, writeFileSync } from 'node:fs';

import { TestRunner } from 'vitest';

import type { EveryState } from './every-state.ts';

type Test = Parameters<TestRunner['onAfterRetryTask']>[0];
type Repeat = Parameters<TestRunner['onBeforeTryTask']>[1];

/** The names and fields that the instrumented code reads and writes. */
interface Stryker {
  activeMutant?: string | undefined;
  currentTestId?: string | undefined;
  hitCount?: number | undefined;
  hitLimit?: number | undefined;
  readonly mutantCoverage?: { readonly perTest: Record<string, Record<string, number>> };
}

// A test that waits for what never comes.
const LEAST_MS = 400;
const TIMES_SLOWER = 20;
const LEAST_HITS = 100_000;
const HITS_OF_AN_ENDLESS_LOOP = 100;
const WRITTEN_EVERY_MS = 2000;
// Without a mutant, twice.
const FIRST = 2;
// Those of the machine: a test may have put others in their place.
const { setTimeout, clearTimeout, setImmediate } = globalThis;
const nowMs = performance.now.bind(performance);

const stryker = ((globalThis as { __stryker__?: Stryker }).__stryker__ ??= {});

// What nobody waits for fails the test that runs.
let failNow: ((error: unknown) => void) | undefined;
for (const event of ['unhandledRejection', 'uncaughtException']) {
  process.removeAllListeners(event);
  process.on(event, (error) => failNow?.(error));
}

export default class EveryRunner extends TestRunner {
  readonly #path = process.env['MUTATION_EVERY'] ?? '';
  readonly #state = JSON.parse(readFileSync(this.#path, 'utf8')) as EveryState;
  readonly #wanted = new Set(this.#state.wanted);
  readonly #reached = new Set<string>();
  /** How long tests have run that each has lived through. */
  readonly #livedMs = new Map<string, number>();
  #writtenMs = 0;
  // Of the test that runs: how long it takes, what it comes to, what is tried, and the number of its last repeat.
  #ms = 0;
  #hits: Readonly<Record<string, number>> = {};
  #mutants: readonly string[] = [];
  #last = 0;

  override async onBeforeRunTask(test: Parameters<TestRunner['onBeforeRunTask']>[0]): Promise<void> {
    await super.onBeforeRunTask(test);
    this.#last = FIRST - 1;
    // Compared with before each repeat, when more is known.
    Object.assign(test, { repeats: { valueOf: () => this.#last } });
  }

  override onBeforeTryTask(test: Parameters<TestRunner['onBeforeTryTask']>[0], repeat: Repeat): void {
    super.onBeforeTryTask(test, repeat);
    const { repeats } = repeat;
    const id = repeats < FIRST ? undefined : this.#mutants[repeats - FIRST];
    stryker.currentTestId = repeats === 0 ? test.id : undefined;
    stryker.activeMutant = id;
    stryker.hitCount = id === undefined ? undefined : 0;
    stryker.hitLimit = Math.max(LEAST_HITS, (this.#hits[id ?? ''] ?? 0) * HITS_OF_AN_ENDLESS_LOOP);
  }

  async runTask(test: Test): Promise<void> {
    const run = TestRunner.getTestFn(test);
    const begunMs = nowMs();
    if (stryker.activeMutant === undefined) {
      await run();
      this.#ms = nowMs() - begunMs;
      return;
    }
    // It may end the process.
    writeFileSync(`${this.#path}.current`, stryker.activeMutant);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const over = new Promise<never>((_resolve, reject) => {
      failNow = reject;
      timer = setTimeout(() => reject(new Error('It takes too long.')), LEAST_MS + TIMES_SLOWER * this.#ms);
    });
    try {
      await Promise.race([run(), over]);
    } finally {
      // What it has left behind belongs to it, and not to the next.
      await new Promise((done) => setImmediate(done));
      failNow = undefined;
      clearTimeout(timer);
    }
  }

  override async onAfterRetryTask(test: Parameters<TestRunner['onAfterRetryTask']>[0], repeat: Repeat): Promise<void> {
    await super.onAfterRetryTask(test, repeat);
    const failed = test.result?.state === 'fail';
    const id = stryker.activeMutant;
    stryker.activeMutant = stryker.currentTestId = undefined;
    const name = `${test.file.name}: ${test.name}`;
    if (id !== undefined && failed) this.#state.killed[id] = name;
    else if (id !== undefined) this.#livedMs.set(id, (this.#livedMs.get(id) ?? 0) + this.#ms);
    else this.#ranWithout(test, name, failed, repeat.repeats);
    // Or all that failed would be reported, thousands of times.
    if (test.result !== undefined) Object.assign(test.result, { errors: undefined, attempts: [], state: 'pass' });
    if (nowMs() - this.#writtenMs > WRITTEN_EVERY_MS) this.#write();
  }

  #ranWithout({ id }: Test, name: string, failed: boolean, repeats: number): void {
    if (repeats === 0) this.#hits = stryker.mutantCoverage?.perTest[id] ?? {};
    if (failed) {
      this.#state.failing.push(name);
      this.#last = 0;
      return;
    }
    if (repeats === 0) return;
    const come = Object.keys(this.#hits).filter((each) => this.#wanted.has(each));
    for (const each of come) this.#reached.add(each);
    const { longestMs, mostMs, killed } = this.#state;
    this.#mutants =
      this.#ms > longestMs
        ? []
        : come.filter((each) => killed[each] === undefined && (this.#livedMs.get(each) ?? 0) < mostMs);
    this.#last = FIRST - 1 + this.#mutants.length;
  }

  override onAfterRunFiles(files: Parameters<TestRunner['onAfterRunFiles']>[0]): void {
    super.onAfterRunFiles(files);
    this.#write();
  }

  #write(): void {
    this.#writtenMs = nowMs();
    writeFileSync(this.#path, JSON.stringify({ ...this.#state, reached: [...this.#reached] }));
  }
}
