/** Which modules an entry names: one file, all modules of a folder, or those that fit a pattern. */
import { existsSync, globSync, statSync } from 'node:fs';
import { isAbsolute, relative, resolve, sep } from 'node:path';

import { shown } from '../base/checks.ts';
import { quoted } from '../base/quote.ts';
import { ImproperlyConfigured } from '../base/errors.ts';

const CODE = '{ts,mts,cts,tsx,js,mjs,cjs,jsx}';
const PATTERN = /[*?[\]{}]/;
// Types alone, and what a test runner loads.
const NO_TASKS = /\.d\.[cm]?ts$|\.(?:test|spec)(?:-d)?\.[cm]?[jt]sx?$/;

/** Whether a text is a pattern for files, and no path. */
export function isPattern(entry: string): boolean {
  return PATTERN.test(entry);
}

/**
 * Absolute paths, sorted by their text from the folder on, so that they are the same on every machine. Left out are test files, types,
 * `node_modules`, names that begin with a dot, and JavaScript beside the TypeScript that it was made of.
 *
 * @param folder where relative paths begin
 * @throws ImproperlyConfigured where there is no such file, and where nothing fits
 */
export function entryFiles(entry: string, folder: string = process.cwd()): readonly string[] {
  // Nothing, of a variable that was not set say, would be the folder itself.
  if (typeof entry !== 'string' || entry === '')
    throw new ImproperlyConfigured(
      `${shown(entry)} given. Give the path of the module that exports your app, a folder of modules, or a pattern such as 'src/**/*.tasks.ts'.`,
    );
  const path = resolve(folder, entry);
  // A name may have brackets, as web frameworks have them.
  const isThere = existsSync(path);
  if (isThere && !statSync(path).isDirectory()) return [path];
  if (!isThere && !isPattern(entry))
    throw new ImproperlyConfigured(
      `There is no file ${entry}. Give the path of the module that exports your app, a folder of modules, or a pattern such as 'src/**/*.tasks.ts'.`,
    );
  const found = isThere
    ? globSync(`**/*.${CODE}`, { cwd: path, exclude: isLeftOut }).map((name) => resolve(path, name))
    : globSync(isAbsolute(entry) ? relative(folder, entry) : entry, { cwd: folder, exclude: isLeftOut }).map((name) =>
        resolve(folder, name),
      );
  const files = found.filter((file) => isModule(relative(isThere ? path : folder, file)) && statSync(file).isFile());
  const sources = files.filter((file) => !isMadeOf(file, new Set(files)));
  if (sources.length > 0) return sources.toSorted((a, b) => compare(shownPath(a, folder), shownPath(b, folder)));
  throw new ImproperlyConfigured(
    `${isThere ? 'The folder' : 'The pattern'} ${quoted(entry)} has no module. Test files, types (.d.ts), node_modules and names that begin with a dot are left out.`,
  );
}

/** From the folder on, with slashes on every system. */
export function shownPath(file: string, folder: string): string {
  return relative(folder, file).split(sep).join('/');
}

function isLeftOut(name: string): boolean {
  return name.split(sep).some((part) => part === 'node_modules' || /^\.[^./]/.test(part));
}

function isModule(path: string): boolean {
  return !isLeftOut(path) && /\.[cm]?[jt]sx?$/.test(path) && !NO_TASKS.test(path);
}

/** A compiler writes `a.js` beside `a.ts`: both would declare the same tasks. */
function isMadeOf(file: string, files: ReadonlySet<string>): boolean {
  const match = /^(.*\.[cm]?)js(x?)$/.exec(file);
  if (match === null) return false;
  const [, stem = '', x = ''] = match;
  return files.has(`${stem}ts${x}`) || (x === '' && files.has(`${stem}tsx`));
}

// Not by the words of a language, which differ from machine to machine.
function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
