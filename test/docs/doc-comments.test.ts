/** Everything that the package exports, and every member of it, has a doc comment: what an editor shows where it is used. */
import { globSync, readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { countOf, declarationOf, examplesOf, exportsOf, withoutComment } from '../tidy/doc-comments.ts';
import type { SourceFile } from '../tidy/rules.ts';

const files: SourceFile[] = globSync('{lib,infra,handlers}/**/*.ts').map((path) => ({
  path: path.replaceAll('\\', '/'),
  text: readFileSync(path, 'utf8'),
}));
const { exports } = JSON.parse(readFileSync('package.json', 'utf8')) as {
  readonly exports: Readonly<Record<string, string | { readonly '@celeriac/source': string }>>;
};
// Every entry of the package, and the adapters in memory, some of which `celeriac/testing` shows.
const ENTRIES = Object.values(exports)
  .flatMap((entry) => (typeof entry === 'string' ? [] : [entry['@celeriac/source'].replace('./', '')]))
  .concat('lib/memory/index.ts');

/** Members that need none, with the reason. */
const ALLOWED: readonly { readonly pattern: RegExp; readonly why: string }[] = [
  {
    pattern: /(?:errors|world-stalled)\.ts \w+\.static errorName$/,
    why: "each error's own name, as a value that minifying keeps",
  },
];

describe('what the entries export', () => {
  it('has a doc comment, and so has every member', () => {
    const missing = withoutComment(ENTRIES, files);
    expect(missing.filter((each) => !ALLOWED.some(({ pattern }) => pattern.test(each)))).toEqual([]);
  });

  it('is read whole: an empty list of a reader that finds nothing proves nothing', () => {
    expect(ENTRIES).toContain('infra/index.ts');
    expect(countOf(ENTRIES, files)).toBeGreaterThan(1150);
    const byPath = new Map(files.map((file) => [file.path, file]));
    const members = (name: string, path: string): string[] =>
      declarationOf(name, path, byPath)?.members.map((member) => member.name) ?? [];
    expect(members('Task', 'lib/app/task.ts')).toEqual(
      '() taskName delay applyAsync apply s si signature signature#2 map starmap chunks'.split(' '),
    );
    expect(members('Celeriac', 'lib/app/app.ts')).toEqual(
      expect.arrayContaining('settings name task Task register remote beat schedules send sendMany result'.split(' ')),
    );
    expect(members('TaskRequest', 'lib/task/context.ts')).toContain('deliveryInfo.redelivered');
    expect(members('RetryOptions', 'lib/task/context.ts')).toEqual(
      'countdown eta exc maxRetries args throw'.split(' '),
    );
  });

  it('what is allowed without one is there', () => {
    const missing = withoutComment(ENTRIES, files);
    expect(ALLOWED.filter(({ pattern }) => !missing.some((each) => pattern.test(each)))).toEqual([]);
  });
});

describe('the reader', () => {
  const missingIn = (text: string, more: readonly SourceFile[] = []): string[] => {
    const names = new Set(
      [...text.matchAll(/^export (?:class|interface|type|const|function) (\w+)/gm)].map(([, name]) => name),
    );
    const entry = `export { ${[...names].join(', ')} } from './x.ts';\n`;
    return withoutComment(
      ['lib/index.ts'],
      [{ path: 'lib/index.ts', text: entry }, { path: 'lib/x.ts', text }, ...more],
    ).map((each) => each.replace('lib/x.ts ', ''));
  };

  it.each([
    ['export class A {\n  b = 1;\n}\n', ['A', 'A.b']],
    ['/** A. */\nexport class A {\n  readonly b: string;\n  c(): void {\n    d();\n  }\n}\n', ['A.b', 'A.c']],
    ['/** A. */\nexport class A {\n  // no doc comment\n  b = 1;\n}\n', ['A.b']],
    ['/** A. */\nexport class A {\n  /* none either */\n  b = 1;\n}\n', ['A.b']],
    [
      '/** A. */\nexport class A {\n  get b(): number {\n    return 1;\n  }\n  static async c(): Promise<void> {}\n}\n',
      ['A.b', 'A.static c'],
    ],
    ['/** A. */\nexport class A {\n  constructor(\n    readonly b: string,\n  ) {}\n}\n', ['A.b', 'A.constructor']],
    ['/** A. */\nexport class A {\n  readonly #b = 1;\n  private c = 1;\n  async #d(): Promise<void> {}\n}\n', []],
    [
      '/** A. */\nexport interface A {\n  b(\n    c: string,\n  ): void;\n  readonly d: {\n    readonly e: string;\n  };\n}\n',
      ['A.b', 'A.d', 'A.d.e'],
    ],
    ['/** A. */\nexport interface A {\n  /** B. */\n  b(c: string): void;\n  b(c: number): void;\n}\n', ['A.b#2']],
    [
      '/** A. */\nexport class A {\n  /** B. */\n  b(c: string): void;\n  b(\n    c: number,\n  ): void;\n  b(): void {\n    c();\n  }\n}\n',
      ['A.b#2'],
    ],
    [
      '/** A. */\nexport class A {\n  /** B. */\n  get b(): number {\n    return 1;\n  }\n  set b(to: number) {\n    c(to);\n  }\n}\n',
      [],
    ],
    ['/** A. */\nexport class A {\n  /** B. */\n  static b = 1;\n  b = 1;\n}\n', ['A.b']],
    [
      '/** A. */\nexport function a(b: string): void;\nexport function a(\n  b: number,\n): void;\nexport function a(): void {}\n',
      ['a#2'],
    ],
    ['/** A. */\nexport interface A {\n  (b: string): void;\n}\n', ['A.()']],
    ['/** A. */\nexport type A = B & {\n  readonly c?: string;\n};\n', ['A.c']],
    ['export const a = 1;\nexport function b(): void {}\n', ['a', 'b']],
  ])('%j', (text, missing) => {
    expect(missingIn(text)).toEqual(missing);
  });

  it('reads bases, in other files too; a comment of theirs is enough', () => {
    const base = (text: string): SourceFile => ({ path: 'lib/base.ts', text });
    const sub = "import type { B } from './base.ts';\n/** A. */\nexport class A implements B {\n  c = 1;\n}\n";
    expect(missingIn(sub, [base('/** B. */\nexport interface B {\n  /** C. */\n  c: number;\n}\n')])).toEqual([]);
    expect(missingIn(sub, [base('/** B. */\nexport interface B {\n  c: number;\n}\n')]).toSorted()).toEqual([
      'A.c',
      'lib/base.ts B.c',
    ]);
  });

  it('finds what was renamed or lies behind another file, and tells of what it cannot find', () => {
    const at = (path: string, text: string): SourceFile => ({ path, text });
    expect(exportsOf(at('lib/index.ts', "export { type A, b } from './x.ts';\n"))).toEqual([
      { name: 'A', path: 'lib/x.ts' },
      { name: 'b', path: 'lib/x.ts' },
    ]);
    const entry = at('lib/index.ts', "export { A } from './x.ts';\n");
    const between = at('lib/x.ts', "import { A } from './y.ts';\nexport { A };\n");
    expect(withoutComment(['lib/index.ts'], [entry, between, at('lib/y.ts', 'export class A {}\n')])).toEqual([
      'lib/y.ts A',
    ]);
    expect(withoutComment(['lib/index.ts'], [entry])).toEqual(['lib/x.ts A: not found']);
  });

  it('gives examples, fenced or not', () => {
    const fenced = '/**\n * A.\n *\n * @example\n * ```ts\n * a(1);\n * ```\n * @throws B\n */\n';
    expect(examplesOf(fenced)).toEqual(['a(1);\n']);
    expect(examplesOf('  /**\n   * @example\n   * a(1);\n   * b();\n   */\n')).toEqual(['a(1);\nb();\n']);
  });
});
