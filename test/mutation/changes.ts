/** Which lines a change touches, and which tests stand nearest to a file. */
import { globSync, readFileSync } from 'node:fs';

import { importsOf, resolveImport } from '../tidy/rules.ts';

export type ChangedLines = ReadonlyMap<string, ReadonlySet<number>>;

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

/** By file, how many imports lie between it and the nearest of `files`; files that come to none of them are left out. */
export function distancesTo(files: Iterable<string>): Map<string, number> {
  const importers = new Map<string, string[]>();
  for (const path of globSync('{lib,test,handlers}/**/*.ts'))
    for (const { target } of importsOf(readFileSync(path, 'utf8'))) {
      const imported = resolveImport(path, target) ?? OWN.get(target);
      if (imported !== undefined) importers.set(imported, [...(importers.get(imported) ?? []), path]);
    }
  const distances = new Map([...files].map((path) => [path, 0]));
  // A map goes on with what is added to it while it is walked: nearest first.
  for (const [path, distance] of distances)
    for (const importer of importers.get(path) ?? [])
      if (!distances.has(importer)) distances.set(importer, distance + 1);
  return distances;
}

// The package's own name leads everywhere: such tests come after those that import the file itself.
const OWN: ReadonlyMap<string, string> = new Map([
  ['celeriac', 'lib/index.ts'],
  ['celeriac/aws', 'lib/aws/index.ts'],
  ['celeriac/local', 'lib/local/index.ts'],
  ['celeriac/testing', 'lib/testing/index.ts'],
]);
