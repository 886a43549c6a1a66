/** Tells when files of a project change. */
import { relative, sep } from 'node:path';

import { watch } from 'chokidar';

import type { Clock } from '../base/time.ts';

// An editor writes several files, or one in several steps.
const QUIET_MS = 50;
const NOT_CODE: ReadonlySet<string> = new Set(['node_modules', 'dist', 'build', 'coverage', 'cdk.out', 'celeriac.out']);
const CODE = /\.(?:[cm]?[jt]sx?|json)$/;

/** Whether changes of this path may change what runs. @param path from the folder on */
export function isCode(path: string, isFile: boolean): boolean {
  const parts = path.split(sep);
  // Also the state of the service, and what an editor keeps.
  if (parts.some((part) => NOT_CODE.has(part) || (part.startsWith('.') && part !== '.' && part !== '..'))) return false;
  return !isFile || CODE.test(path);
}

export interface WatchedFiles {
  /** Resolves when changes are seen from now on. */
  readonly ready: Promise<void>;
  close(): Promise<void>;
}

/** @param changed gets the paths of one change, from the folder on */
export function watchFiles(folder: string, clock: Clock, changed: (paths: readonly string[]) => void): WatchedFiles {
  const watcher = watch(folder, {
    ignoreInitial: true,
    ignored: (path, stats) => !isCode(relative(folder, path), stats?.isFile() === true),
  });
  const paths = new Set<string>();
  let cancel = (): void => {};
  watcher.on('all', (_event, path) => {
    const shown = relative(folder, path);
    // Folders come and go with their files.
    if (!CODE.test(shown)) return;
    paths.add(shown);
    cancel();
    cancel = clock.schedule(QUIET_MS, () => {
      const all = [...paths];
      paths.clear();
      changed(all);
    });
  });
  const ready = new Promise<void>((resolve) => watcher.once('ready', () => resolve()));
  return {
    ready,
    close: () => {
      cancel();
      return watcher.close();
    },
  };
}
