/** The repository as a test subject. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { ERROR_CLASSES } from '../lib/base/errors.ts';
import { WorldStalled } from '../lib/testing/world-stalled.ts';
import {
  banComplaints,
  cycles,
  directionComplaints,
  functionComplaints,
  importsOf,
  nameComplaints,
  ROOMS,
  sizeComplaints,
  type SourceFile,
} from './tidy/rules.ts';

/** Files over the limit, each with the reason. */
const LONG_FILES: Readonly<Record<string, string>> = {
  'lib/app/app.ts': 'the one place that knows everything',
  'infra/task-service.ts': 'what users write in a stack: a method for each grant, each with its text',
};

const files: SourceFile[] = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
  encoding: 'utf8',
})
  .split('\n')
  .filter((path) => path !== '' && existsSync(path))
  .map((path) => ({ path, text: readFileSync(path, 'utf8') }));
const sources = files.filter(({ path }) => /\.tsx?$/.test(path));
const shipped = sources.filter(({ path }) => /^(lib|handlers|infra)\//.test(path));

describe('tidy', () => {
  it('imports go in one direction', () => {
    expect(shipped.flatMap(directionComplaints)).toEqual([]);
  });
  it("the library's root holds the entry alone, and every room is one of the list", () => {
    const paths = sources.map(({ path }) => path).filter((path) => path.startsWith('lib/'));
    expect(paths.filter((path) => path.split('/').length === 2)).toEqual(['lib/index.ts']);
    expect(paths.filter((path) => path.split('/').length > 2 && !ROOMS.includes(path.split('/')[1] ?? ''))).toEqual([]);
  });
  it("the library's README lists its rooms, in order", () => {
    const listed = [...readFileSync('lib/README.md', 'utf8').matchAll(/^\| `([a-z]+)` /gm)].map((match) => match[1]);
    const rooms = new Set(sources.map(({ path }) => /^lib\/([^/]+)\//.exec(path)?.[1]));
    expect(listed).toEqual(ROOMS.filter((room) => rooms.has(room)));
  });
  it('there are no cycles', () => {
    expect(cycles(shipped)).toEqual([]);
  });
  it('nothing banned is used', () => {
    expect(files.flatMap(banComplaints)).toEqual([]);
  });
  it('names are kebab-case', () => {
    expect(sources.flatMap(nameComplaints)).toEqual([]);
  });
  it('files and functions keep their size', () => {
    expect(
      shipped.flatMap((file) => [
        ...sizeComplaints(file, LONG_FILES),
        ...sizeComplaints(file, {}, 450),
        ...functionComplaints(file),
      ]),
    ).toEqual([]);
  });
  it('every long file is still there and still long', () => {
    const long = shipped.filter((file) => sizeComplaints(file, {}).length > 0).map(({ path }) => path);
    expect(Object.keys(LONG_FILES).filter((path) => !long.includes(path))).toEqual([]);
  });
  it('every error code has its section, and every section its code', () => {
    const documented = [...readFileSync('docs/errors.md', 'utf8').matchAll(/^## (\w+)$/gm)].map((match) => match[1]);
    // Those of tests are not in the catalogue, which travels with every worker.
    const classes = [...ERROR_CLASSES, WorldStalled];
    expect(new Set(documented)).toEqual(new Set(classes.map((each) => each.code)));
    expect(documented).toHaveLength(classes.length);
  });
});

describe('each rule can fail', () => {
  const file = (path: string, text: string): SourceFile => ({ path, text });
  it.each([
    [file('lib/wire/json.ts', "import { a } from '../app/app.ts';"), 'wire comes before app'],
    [file('lib/wire/json.ts', "import type { A } from '../ports/log.ts';"), 'wire comes before ports'],
    [file('lib/memory/x.ts', "import { a } from '../worker/consume.ts';"), 'memory implements ports'],
    [file('lib/aws/x.ts', "import { a } from '../memory/heap.ts';"), 'aws implements ports'],
    [file('lib/worker/x.ts', "import { a } from '../beat/tick.ts';"), 'worker comes before beat'],
    [file('lib/app/x.ts', "import { a } from '../index.ts';"), 'the entry is for users'],
    [file('lib/app/task.ts', "import { SQSClient } from '@aws-sdk/client-sqs';"), 'the SDK belongs to lib/aws'],
    [file('lib/aws/x.ts', "import { SQSClient } from '@aws-sdk/client-sqs';"), 'come from #aws-sdk'],
    [file('lib/wire/json.ts', "import { SQSClient } from '#aws-sdk';"), 'wire comes before aws'],
    [file('lib/app/task.ts', "import { App } from 'aws-cdk-lib';"), 'CDK belongs to infra'],
    [file('lib/app/task.ts', "import { a } from '../../handlers/worker.ts';"), 'knows nothing outside'],
    [file('infra/x.ts', "import { a } from '../lib/app/app.ts';"), 'plain data only'],
    [file('lib/unknown.ts', "import { a } from './wire/json.ts';"), 'is in no room'],
    [file('lib/monitor/page/views/x.tsx', "import { a } from '../../../cli/main.ts';"), 'monitor comes before cli'],
    [file('lib/cellar/x.ts', "import { a } from '../wire/json.ts';"), 'is in no room'],
  ])('direction %#', (bad, message) => {
    expect(directionComplaints(bad).join()).toContain(message);
  });
  it('adapters may read the manifest', () => {
    expect(directionComplaints(file('lib/aws/x.ts', "import { A } from '../options/manifest.ts';"))).toEqual([]);
  });
  it('imports of types alone are told from others', () => {
    expect(importsOf("import { type A, type B } from './x.ts';")[0]?.typeOnly).toBe(true);
    expect(importsOf("import { type A, b } from './x.ts';")[0]?.typeOnly).toBe(false);
  });
  it.each([
    ['a value', "import { b } from './b.ts';", "import { a } from './a.ts';"],
    ['types alone', "import type { B } from './b.ts';", "import type { A } from './a.ts';"],
    ['a type and a value', "import { type B } from './b.ts';", "import { a } from './a.ts';"],
    ['a re-export', "export { b } from './b.ts';", "import type { A } from './a.ts';"],
    ['code that is loaded later', "const { b } = await import('./b.ts');", "import type { A } from './a.ts';"],
  ])('cycle: %s', (_what, one, other) => {
    expect(cycles([file('lib/a.ts', one), file('lib/b.ts', other)])).toEqual(['lib/a.ts -> lib/b.ts -> lib/a.ts']);
    expect(cycles([file('lib/a.ts', one), file('lib/b.ts', '')])).toEqual([]);
  });
  it.each([
    ['lib/x.ts', 'const t = Date.now();'],
    ['lib/monitor/page/x.tsx', 'const t = Date.now();'],
    ['lib/monitor/page/x.tsx', 'const a: any = 1;'],
    ['lib/x.ts', 'setTimeout(() => {}, 1);'],
    ['lib/x.ts', 'const d = new Date();'],
    ['lib/x.ts', 'process.env.HOME'],
    ['handlers/x.ts', "console.log('x');"],
    ['test/x.ts', 'const a: any = 1;'],
    ['lib/x.ts', "export * from './y.ts';"],
    ['lib/x.ts', 'const text = error instanceof Error ? error.message : String(error);'],
    ['README.md', 'TODO'],
    ['test/x.test.ts', "it.only('x', () => {});"],
    ['test/x.test.ts', "it('x', () => {\n  run();\n}, 60_000);"],
    ['test/x.test.ts', 'vi.setConfig({ testTimeout: 60_000 });'],
    ['test/x.test.ts', "it('x', { timeout: 60_000 }, () => {});"],
    ['test/x.test.ts', 'await expect.poll(() => 1, { timeout: 5000 }).toBe(1);'],
    ['test/x.test.ts', 'await vi.waitUntil(() => true, { interval: 1, timeout: 60_000 });'],
    ['test/x.test.ts', "import { LocalCloud } from 'celeriac/local';\nawait result.get({ timeout: 20 });"],
    ['test/x.test.ts', 'const startedMs = performance.now();'],
    ['docs/x.md', 'see /work/main'],
    ['package-lock.json', '"https://registry.npmjs.org/x"'],
  ])('ban in %s: %s', (path, text) => {
    expect(banComplaints(file(path, text))).toHaveLength(1);
  });
  it('names and sizes', () => {
    expect(nameComplaints(file('lib/myFile.ts', ''))).toHaveLength(1);
    expect(nameComplaints(file('lib/MyView.tsx', ''))).toHaveLength(1);
    expect(sizeComplaints(file('lib/x.ts', '\n'.repeat(300)), {})).toHaveLength(1);
    expect(sizeComplaints(file('lib/x.ts', `/**\n${' * told\n'.repeat(300)} */\nexport const a = 1;\n`), {})).toEqual(
      [],
    );
    expect(sizeComplaints(file('lib/x.ts', `/** told */\n${'x();\n'.repeat(300)}`), {})).toHaveLength(1);
    expect(
      functionComplaints(file('lib/x.ts', `export function long(): void {\n${'  x();\n'.repeat(60)}}\n`)),
    ).toHaveLength(1);
    expect(
      functionComplaints(
        file('lib/x.ts', `class A {\n  async #long(): Promise<void> {\n${'    x();\n'.repeat(60)}  }\n}\n`),
      ),
    ).toHaveLength(1);
    expect(
      functionComplaints(file('lib/x.ts', `export function short(): void {\n${'  x();\n'.repeat(58)}}\n`)),
    ).toEqual([]);
  });
});
