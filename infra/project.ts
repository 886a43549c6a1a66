/** The user's project: where its packages and their versions are. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

// In this order where a folder has several.
const LOCK_FILES = ['package-lock.json', 'npm-shrinkwrap.json', 'pnpm-lock.yaml', 'yarn.lock', 'bun.lock', 'bun.lockb'];

export interface Project {
  /** Of the lock file, or else of the nearest package.json, or the working folder. */
  readonly folder: string;
  /** Name of the lock file in it. */
  readonly lockFile?: string;
}

/** The project that a module belongs to; the working folder's, where the module is in none. */
export function projectOf(entry: string): Project {
  for (const start of [dirname(entry), process.cwd()]) {
    const locked = foldersFrom(start)
      .flatMap((folder) => LOCK_FILES.map((lockFile) => ({ folder, lockFile })))
      .find(({ folder, lockFile }) => existsSync(join(folder, lockFile)));
    if (locked !== undefined) return locked;
  }
  const folder = foldersFrom(dirname(entry)).find((each) => existsSync(join(each, 'package.json')));
  return { folder: folder ?? process.cwd() };
}

/** A folder and those above it. */
export function foldersFrom(start: string): string[] {
  const above = dirname(start);
  return above === start ? [start] : [start, ...foldersFrom(above)];
}
