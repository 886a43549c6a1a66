/** An entry of several modules becomes one: a module that loads them in order, and exports their app. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { dirname, join, relative, sep } from 'node:path';

import { shownPath } from '../lib/options/entry-files.ts';
import { projectOf } from './project.ts';

/**
 * Writes it where tools keep what they make. All paths in it are relative: of the same files it is the same on every machine, and so is what
 * is bundled of it.
 *
 * @param files absolute paths, sorted
 * @param library path of the module of this package that has `appOfModules`
 * @returns its path
 */
export function joinedEntry(files: readonly string[], library: string): string {
  const { folder } = projectOf(files[0] ?? '');
  const kept = join(folder, 'node_modules', '.cache', 'celeriac');
  const names = files.map((file) => shownPath(file, folder));
  const path = join(kept, `entry-${createHash('sha256').update(names.join('\n')).digest('hex').slice(0, 16)}.mjs`);
  const importOf = (file: string): string => JSON.stringify(relativeImport(dirname(path), file));
  const lines = [
    `import { appOfModules } from ${importOf(library)};`,
    ...files.map((file, index) => `import * as m${index} from ${importOf(file)};`),
    `export const app = appOfModules({ ${names.map((name, index) => `${JSON.stringify(name)}: m${index}`).join(', ')} });`,
  ];
  mkdirSync(kept, { recursive: true });
  writeFileSync(path, `${lines.join('\n')}\n`);
  return path;
}

function relativeImport(from: string, to: string): string {
  const path = relative(from, to).split(sep).join('/');
  return path.startsWith('.') ? path : `./${path}`;
}
