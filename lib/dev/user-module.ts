/** Loads a module of the user's, TypeScript too, and what may go wrong with that, in words. */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

import type { Celeriac } from '../app/app.ts';
import { appOf, appOfModules } from '../app/exported-app.ts';
import { errorText, read } from '../base/error-text.ts';
import { ImproperlyConfigured } from '../base/errors.ts';
import { entryFiles, shownPath } from '../options/entry-files.ts';

/**
 * The app of what an entry names: a module, a folder of them or a pattern.
 *
 * @throws ImproperlyConfigured where there is no such file, Node cannot load it, or it exports no app; what the module throws.
 */
export async function appOfEntry(entry: string): Promise<Celeriac> {
  const files = entryFiles(entry);
  const [only] = files;
  if (only === resolve(entry)) return appOf(await load(only, entry));
  const modules: Record<string, Readonly<Record<string, unknown>>> = {};
  // One after another: in the order in which the module that is bundled of them has them.
  for (const file of files) {
    const path = shownPath(file, process.cwd());
    modules[path] = await load(file, path);
  }
  return appOfModules(modules);
}

async function load(file: string, path: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return (await import(pathToFileURL(file).href)) as Readonly<Record<string, unknown>>;
  } catch (error) {
    if (!isOfLoading(error)) throw error;
    throw new ImproperlyConfigured(
      `Node cannot load ${path}: ${errorText(error).message}\n` +
        'Node 22.18 and newer load TypeScript by taking its types out: imports need their extension (./mail.ts), and enums, ' +
        'namespaces, parameter properties, decorators, JSX and paths of tsconfig.json are not understood. ' +
        "With tsx they are: npm i -D tsx, then NODE_OPTIONS='--import tsx' before the command.",
      { cause: error },
    );
  }
}

const LOADING: ReadonlySet<string | undefined> = new Set([
  'ERR_MODULE_NOT_FOUND',
  'ERR_UNKNOWN_FILE_EXTENSION',
  'ERR_UNSUPPORTED_DIR_IMPORT',
  'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX',
  'ERR_UNSUPPORTED_NODE_MODULES_TYPE_STRIPPING',
  'ERR_INVALID_TYPESCRIPT_SYNTAX',
]);

function isOfLoading(error: unknown): boolean {
  if (typeof error !== 'object' || error === null) return false;
  return error instanceof SyntaxError || LOADING.has(read(error, 'code'));
}
