/** The tool that makes the API reference stays apart from what the library is built with, and sees every entry of it. */
import { readFileSync } from 'node:fs';
import { join, normalize } from 'node:path';

import { expect, it } from 'vitest';

const FOLDER = 'scripts/api-reference';
const read = (path: string): unknown => JSON.parse(readFileSync(path, 'utf8'));

// Exported by another name's file, which has a chunk of its own in a worker: its members are found here.
const BEHIND_ENTRIES = ['lib/results/group-result.ts'];

it('it has every entry of the package, and warnings are errors', () => {
  const { entryPoints, treatWarningsAsErrors } = read(join(FOLDER, 'typedoc.json')) as {
    readonly entryPoints: readonly string[];
    readonly treatWarningsAsErrors: boolean;
  };
  const { exports } = read('package.json') as {
    readonly exports: Readonly<Record<string, string | { readonly '@celeriac/source': string }>>;
  };
  const sources = Object.values(exports).flatMap((entry) =>
    typeof entry === 'string' ? [] : [normalize(entry['@celeriac/source'])],
  );
  expect(entryPoints.map((path) => normalize(join(FOLDER, path))).toSorted()).toEqual(
    [...sources, ...BEHIND_ENTRIES].toSorted(),
  );
  expect(treatWarningsAsErrors).toBe(true);
});

it('what it installs is pinned, and its lock file names no registry', () => {
  const { devDependencies } = read(join(FOLDER, 'package.json')) as {
    readonly devDependencies: Readonly<Record<string, string>>;
  };
  for (const version of Object.values(devDependencies)) expect(version).toMatch(/^\d+\.\d+\.\d+$/);
  for (const path of ['package-lock.json', join(FOLDER, 'package-lock.json')])
    expect(readFileSync(path, 'utf8')).not.toMatch(/"resolved": "(?!https:\/\/registry\.npmjs\.org\/)/);
});
