/** A copy of the repository with instrumented code in the place of the library's: worker processes of tests run it too. */
import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

import { systemClock } from '../../lib/base/time.ts';
import { git } from './changes.ts';
import type { Answer, Order } from './runner.ts';

/** What a run of test files came to. */
export interface TestRun {
  readonly ended: 'passed' | 'failed' | 'timed out';
  /** The first test that failed. */
  readonly failed?: string;
  readonly failedFiles: ReadonlySet<string>;
}

export interface Hits {
  readonly path: string;
  readonly seconds: number;
  /** By the mutant's id. */
  readonly hits: Readonly<Record<string, number>>;
}

interface Runner {
  readonly child: ChildProcess;
  readonly record: boolean;
}

export interface RunOptions {
  readonly tests: readonly string[];
  readonly mutant?: string;
  readonly hitLimit?: number;
  readonly atMostSeconds: number;
  /** Go on after a failure, and note which mutants each file comes to. */
  readonly record?: boolean;
}

export class Sandbox {
  readonly #root: string;
  readonly #hits: string;
  #runner: Runner | undefined;

  constructor(folder: string, texts: ReadonlyMap<string, string>) {
    this.#root = resolve(folder, 'sandbox');
    this.#hits = resolve(folder, 'hits');
    rmSync(this.#root, { recursive: true, force: true });
    const listed = git(['ls-files', '--cached', '--others', '--exclude-standard']);
    for (const path of listed.split('\n').filter((each) => statSync(each, { throwIfNoEntry: false })?.isFile())) {
      mkdirSync(dirname(join(this.#root, path)), { recursive: true });
      cpSync(path, join(this.#root, path));
    }
    for (const [path, text] of texts) writeFileSync(join(this.#root, path), text);
    symlinkSync(resolve('node_modules'), join(this.#root, 'node_modules'));
    process.once('exit', () => this.stop());
  }

  async run({ tests, mutant, hitLimit, atMostSeconds, record = false }: RunOptions): Promise<TestRun> {
    if (record) {
      rmSync(this.#hits, { recursive: true, force: true });
      mkdirSync(this.#hits);
    }
    // What records goes on after a failure, which a runner is told once.
    if (this.#runner?.record !== record) await this.#start(record);
    const { child } = this.#runner as Runner;
    const answered = next<Answer>(child);
    const order: Order = {
      tests,
      environment: {
        ...(mutant === undefined ? {} : { __STRYKER_ACTIVE_MUTANT__: mutant }),
        ...(hitLimit === undefined ? {} : { MUTATION_HIT_LIMIT: String(hitLimit) }),
      },
    };
    child.send(order);
    const over = new AbortController();
    const answer = await Promise.race([answered, systemClock.sleep(atMostSeconds * 1000, over.signal)]);
    over.abort();
    if (answer === undefined) {
      this.stop();
      return { ended: 'timed out', failedFiles: new Set() };
    }
    return {
      ended: answer.passed ? 'passed' : 'failed',
      failedFiles: new Set(answer.files),
      ...(answer.first === undefined ? {} : { failed: answer.first }),
    };
  }

  /** Ends the runner and whatever loops in a test's process. */
  stop(): void {
    const child = this.#runner?.child;
    this.#runner = undefined;
    // Nobody waits for its word any more.
    child?.removeAllListeners();
    if (child?.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
  }

  async #start(record: boolean): Promise<void> {
    this.stop();
    const child = spawn(process.execPath, [...process.execArgv, 'test/mutation/runner.ts'], {
      cwd: this.#root,
      // A group of its own, so that an endless loop in a test's process ends with it.
      detached: true,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      env: { ...process.env, ...(record ? { MUTATION_COVERAGE: this.#hits } : {}) },
    });
    this.#runner = { child, record };
    await next<'ready'>(child);
  }

  /** What the last run noted. */
  hits(): Hits[] {
    return readdirSync(this.#hits).map((name) => JSON.parse(readFileSync(join(this.#hits, name), 'utf8')) as Hits);
  }
}

/** A child's next word. A runner that ends without one kills no mutant: what is wrong stands above. */
function next<T>(child: ChildProcess): Promise<T> {
  return new Promise((done, failed) => {
    const exited = (): void => failed(new Error('The runner of the tests ended.'));
    child.once('exit', exited);
    child.once('message', (message) => {
      child.off('exit', exited);
      done(message as T);
    });
  });
}
