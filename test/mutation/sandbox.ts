/** A copy of the repository with instrumented code in the place of the library's: worker processes of tests run it too. */
import { execFileSync, spawn } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, resolve } from 'node:path';

import { systemClock } from '../../lib/time.ts';

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

interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[];
  }[];
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
  readonly #report: string;
  readonly #hits: string;

  constructor(folder: string, texts: ReadonlyMap<string, string>) {
    this.#root = resolve(folder, 'sandbox');
    this.#report = resolve(folder, 'report.json');
    this.#hits = resolve(folder, 'hits');
    rmSync(this.#root, { recursive: true, force: true });
    const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
      encoding: 'utf8',
    });
    for (const path of listed.split('\n').filter((each) => statSync(each, { throwIfNoEntry: false })?.isFile())) {
      mkdirSync(dirname(join(this.#root, path)), { recursive: true });
      cpSync(path, join(this.#root, path));
    }
    for (const [path, text] of texts) writeFileSync(join(this.#root, path), text);
    symlinkSync(resolve('node_modules'), join(this.#root, 'node_modules'));
  }

  async run({ tests, mutant, hitLimit, atMostSeconds, record = false }: RunOptions): Promise<TestRun> {
    for (const old of [this.#report, this.#hits]) rmSync(old, { recursive: true, force: true });
    mkdirSync(this.#hits);
    const child = spawn(
      process.execPath,
      [
        resolve('node_modules/vitest/vitest.mjs'),
        'run',
        '--config',
        'test/mutation/sandbox.config.ts',
        `--bail=${record ? 0 : 1}`,
        '--reporter=json',
        `--outputFile=${this.#report}`,
      ],
      {
        cwd: this.#root,
        // A group of its own, so that an endless loop in a test's process ends with it.
        detached: true,
        stdio: ['ignore', 'pipe', 'pipe'],
        env: {
          ...process.env,
          MUTATION_TESTS: tests.join(','),
          ...(mutant === undefined ? {} : { __STRYKER_ACTIVE_MUTANT__: mutant }),
          ...(hitLimit === undefined ? {} : { MUTATION_HIT_LIMIT: String(hitLimit) }),
          ...(record ? { MUTATION_COVERAGE: this.#hits } : {}),
        },
      },
    );
    const killGroup = (): void => {
      if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
    };
    process.once('exit', killGroup);
    let output = '';
    child.stdout.on('data', (data) => (output += String(data)));
    child.stderr.on('data', (data) => (output += String(data)));
    const over = new AbortController();
    const code = await Promise.race([
      new Promise<number>((done) => child.once('exit', (status) => done(status ?? 1))),
      systemClock.sleep(atMostSeconds * 1000, over.signal),
    ]);
    over.abort();
    process.off('exit', killGroup);
    if (code === undefined) {
      killGroup();
      return { ended: 'timed out', failedFiles: new Set() };
    }
    return this.#read(code, output);
  }

  #read(code: number, output: string): TestRun {
    // Without a report nothing ran: that kills no mutant.
    if (!existsSync(this.#report)) throw new Error(`The tests did not run:\n${output.slice(-4000)}`);
    const { testResults } = JSON.parse(readFileSync(this.#report, 'utf8')) as Report;
    const bad = testResults.filter(({ status }) => status === 'failed');
    const inside = ({ name }: { readonly name: string }): string => name.slice(this.#root.length + 1);
    // Files that were not run to their end after a failure count as failed, too: the one with a test that failed is it.
    const failed = bad.flatMap((file) =>
      file.assertionResults
        .filter(({ status }) => status === 'failed')
        .map(({ fullName }) => `${inside(file)}: ${fullName}`),
    );
    const first = failed[0] ?? (bad[0] && `${inside(bad[0])}: does not load`);
    return {
      ended: code === 0 ? 'passed' : 'failed',
      failedFiles: new Set(bad.map(inside)),
      ...(first === undefined ? {} : { failed: first }),
    };
  }

  /** What the last run noted. */
  hits(): Hits[] {
    return readdirSync(this.#hits).map((name) => JSON.parse(readFileSync(join(this.#hits, name), 'utf8')) as Hits);
  }
}
