/** Which lines a change touches, and which tests stand nearest to a file. */
import { execFileSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';

import { importsOf, resolveImport } from '../tidy/rules.ts';

export type ChangedLines = ReadonlyMap<string, ReadonlySet<number>>;

/** Output of `git`, however long: Node's own limit is a megabyte, which a long branch changes. */
export function git(args: readonly string[], folder = '.'): string {
  return execFileSync('git', args, { cwd: folder, encoding: 'utf8', maxBuffer: Infinity });
}

/** Reads the output of `git diff --unified=0`: lines of the new text. */
export function changedLines(diff: string): ChangedLines {
  const changed = new Map<string, Set<number>>();
  let lines = new Set<number>();
  for (const line of diff.split('\n')) {
    const file = /^\+\+\+ b\/(.+)$/.exec(line)?.[1];
    if (file !== undefined) changed.set(file, (lines = new Set()));
    const hunk = /^@@ -\S+ \+(\d+)(?:,(\d+))? @@/.exec(line);
    if (hunk === null) continue;
    const [from, count] = [Number(hunk[1]), Number(hunk[2] ?? 1)];
    for (let offset = 0; offset < count; offset += 1) lines.add(from + offset);
  }
  return changed;
}

/** What each file imports, of the repository's own files. Read once: a run of `npm run mutate` is about the texts that it began with. */
let imports: ReadonlyMap<string, readonly string[]> | undefined;

function importsByFile(): ReadonlyMap<string, readonly string[]> {
  return (imports ??= new Map(
    globSync('{lib,test,handlers}/**/*.ts').map((path) => [
      path,
      importsOf(readFileSync(path, 'utf8')).flatMap(
        ({ target }) => resolveImport(path, target) ?? OWN.get(target) ?? [],
      ),
    ]),
  ));
}

/** By file, how many imports lie between it and the nearest of `files`; files that come to none of them are left out. */
export function distancesTo(files: Iterable<string>): Map<string, number> {
  const importers = new Map<string, string[]>();
  for (const [path, targets] of importsByFile())
    for (const target of targets) importers.set(target, [...(importers.get(target) ?? []), path]);
  const distances = new Map([...files].map((path) => [path, 0]));
  // A map goes on with what is added to it while it is walked: nearest first.
  for (const [path, distance] of distances)
    for (const importer of importers.get(path) ?? [])
      if (!distances.has(importer)) distances.set(importer, distance + 1);
  return distances;
}

/** A test file and all that it imports of `test`: what it does is written there. */
export function textsOfTest(path: string): string[] {
  const found = new Set([path]);
  // A set goes on with what is added to it while it is walked.
  for (const each of found)
    for (const target of importsByFile().get(each) ?? []) if (target.startsWith('test/')) found.add(target);
  return [...found].toSorted();
}

// The package's own name leads everywhere: such tests come after those that import the file itself.
const OWN: ReadonlyMap<string, string> = new Map([
  ['celeriac', 'lib/index.ts'],
  ['celeriac/aws', 'lib/aws/index.ts'],
  ['celeriac/local', 'lib/local/index.ts'],
  ['celeriac/testing', 'lib/testing/index.ts'],
]);
