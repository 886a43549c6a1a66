/**
 * Runs in the sandbox, beside `npm run mutate`: one test runner for many mutants. It keeps what it has read and compiled;
 * each test file is still a process of its own, which gets the mutant from this one's environment.
 */
import { resolve } from 'node:path';

import { createVitest, type TestModule, type TestSpecification } from 'vitest/node';

/** Test files to run, in this order. */
export interface Order {
  readonly tests: readonly string[];
  /** Of the tests' processes. */
  readonly environment: Readonly<Record<string, string>>;
}

export interface Answer {
  readonly passed: boolean;
  /** Files that failed. */
  readonly files: readonly string[];
  /** The first test that failed. */
  readonly first?: string;
}

let order: readonly string[] = [];
let ended: TestModule[] = [];

/** As ordered, quick ones first: most mutants are killed by one of those. */
class InOrder {
  async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const position = ({ moduleId }: TestSpecification): number => order.findIndex((path) => moduleId.endsWith(path));
    return Promise.resolve(files.toSorted((left, right) => position(left) - position(right)));
  }
  async shard(files: TestSpecification[]): Promise<TestSpecification[]> {
    return Promise.resolve(files);
  }
}

const vitest = await createVitest('test', {
  config: 'test/mutation/sandbox.config.ts',
  watch: false,
  // Recording goes on after a failure.
  bail: process.env['MUTATION_COVERAGE'] === undefined ? 1 : 0,
  sequence: { sequencer: InOrder },
  reporters: [{ onTestModuleEnd: (module: TestModule) => void ended.push(module) }],
});

async function run({ tests, environment }: Order): Promise<Answer> {
  [order, ended] = [tests, []];
  Object.assign(process.env, environment);
  const [project] = vitest.projects;
  if (project === undefined) throw new Error('vitest has no project.');
  const { unhandledErrors } = await vitest.runTestSpecifications(
    tests.map((path) => project.createSpecification(resolve(path))),
  );
  const failed = ended.filter((module) => module.state() === 'failed');
  const first = failed.map((module) => `${module.relativeModuleId}: ${failureOf(module)}`)[0];
  // Without a word of a file nothing can be said of it.
  const passed = failed.length === 0 && unhandledErrors.length === 0 && ended.length === tests.length;
  return {
    passed,
    files: failed.map((module) => module.relativeModuleId),
    ...(first === undefined ? {} : { first }),
  };
}

function failureOf(module: TestModule): string {
  for (const test of module.children.allTests('failed')) return test.fullName;
  return 'does not load';
}

process.on('message', (message) => {
  // What vitest throws ends this process, with its trace.
  void run(message as Order).then((answer) => process.send?.(answer));
});
// Who asked is gone.
process.on('disconnect', () => process.exit(0));
process.send?.('ready');
