/** Which modules an entry names. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

import fc from 'fast-check';
import { ImproperlyConfigured } from 'celeriac';
import { afterAll, describe, expect, it } from 'vitest';

import { entryFiles, shownPath } from '../../lib/options/entry-files.ts';

const folders: string[] = [];
afterAll(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

function project(paths: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'celeriac-entry-'));
  folders.push(folder);
  for (const path of paths) {
    mkdirSync(join(folder, dirname(path)), { recursive: true });
    writeFileSync(join(folder, path), '');
  }
  return folder;
}

const found = (entry: string, folder: string): string[] =>
  entryFiles(entry, folder).map((file) => shownPath(file, folder));

describe('an entry', () => {
  const folder = project([
    'src/app.ts',
    'src/tasks/b.ts',
    'src/tasks/a.ts',
    'src/tasks/deep/c.mts',
    'src/tasks/made.ts',
    'src/tasks/made.js',
    'src/tasks/only.js',
    'src/tasks/a.test.ts',
    'src/tasks/a.spec.ts',
    'src/tasks/types.d.ts',
    'src/tasks/notes.md',
    'src/tasks/.hidden/x.ts',
    'src/tasks/node_modules/lib/index.js',
    'src/mail/mail.tasks.ts',
    'src/web/[id].ts',
    'empty/readme.md',
  ]);
  it.each<[string, readonly string[]]>([
    ['src/app.ts', ['src/app.ts']],
    ['src/web/[id].ts', ['src/web/[id].ts']],
    ['src/tasks', ['a.ts', 'b.ts', 'deep/c.mts', 'made.ts', 'only.js'].map((name) => `src/tasks/${name}`)],
    ['./src/tasks/', ['a.ts', 'b.ts', 'deep/c.mts', 'made.ts', 'only.js'].map((name) => `src/tasks/${name}`)],
    ['src/**/*.tasks.ts', ['src/mail/mail.tasks.ts']],
    ['src/{app.ts,tasks/?.ts}', ['src/app.ts', 'src/tasks/a.ts', 'src/tasks/b.ts']],
    ['src/tasks/a*', ['src/tasks/a.ts']],
  ])('%s', (entry, files) => {
    expect(found(entry, folder)).toEqual(files);
    // A path from the root on names the same.
    expect(found(join(folder, entry), folder)).toEqual(files);
  });

  it.each([
    ['src/task.ts', 'There is no file src/task.ts'],
    ['src/**/*.jobs.ts', "The pattern 'src/**/*.jobs.ts' has no module"],
    ['empty', "The folder 'empty' has no module"],
    ['src/tasks/*.d.ts', 'has no module'],
    ['', "'' given. Give the path of the module that exports your app"],
    [undefined, 'undefined given. Give the path'],
    [['src/app.ts'], '["src/app.ts"] given. Give the path'],
  ])('%s is refused', (entry, text) => {
    expect(() => entryFiles(entry as string, folder)).toThrow(ImproperlyConfigured);
    expect(() => entryFiles(entry as string, folder)).toThrow(text);
  });

  it('is the same list in whatever order its files were made', () => {
    const name = fc.stringMatching(/^[a-zA-Zä_-]{1,4}$/);
    fc.assert(
      fc.property(
        fc.uniqueArray(name, { minLength: 1, maxLength: 6, selector: (text) => text.toLowerCase() }),
        (names) => {
          const paths = names.map((each) => `tasks/${each}.ts`);
          const [one, other] = [project(paths), project(paths.toReversed())];
          expect(found('tasks', one)).toEqual(found('tasks', other));
          expect(found('tasks', one)).toEqual(paths.toSorted((a, b) => (a < b ? -1 : 1)));
        },
      ),
      { numRuns: 20 },
    );
  });
});
