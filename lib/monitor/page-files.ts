/** The page as it was built: files of one folder, and the same page for every address that the page itself knows. */
import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';

import type { Context, Hono } from 'hono';
import { etag } from 'hono/etag';

export interface PageFile {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly contentType: string;
  /** Its name changes with its content. */
  readonly isImmutable: boolean;
}

/** By address: `/index.html`, `/assets/...`. */
export type PageFiles = ReadonlyMap<string, PageFile>;

const TASKS = '/tasks/';
const INDEX = '/index.html';
const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.json': 'application/json; charset=utf-8',
  '.webmanifest': 'application/manifest+json',
};

/** All files of a folder, in memory: some hundred kilobytes. undefined where it was not built. */
export async function readPage(folder: string): Promise<PageFiles | undefined> {
  let names: readonly string[];
  try {
    names = await readdir(folder, { recursive: true });
  } catch {
    return undefined;
  }
  const files = new Map<string, PageFile>();
  for (const name of names) {
    const contentType = CONTENT_TYPES[extname(name)];
    // What the page does not ask for, maps of its sources say, stays where it is.
    if (contentType === undefined) continue;
    const path = `/${name.replaceAll('\\', '/')}`;
    const body = new Uint8Array(await readFile(join(folder, name)));
    files.set(path, { body, contentType, isImmutable: path.startsWith('/assets/') });
  }
  return files.has(INDEX) ? files : undefined;
}

export function mountPage(app: Hono, files: PageFiles): void {
  app.get('*', etag(), async (context, next) => {
    const { pathname } = new URL(context.req.url);
    if (pathname.startsWith('/api/')) return next();
    const file = files.get(pathname);
    if (file !== undefined) return sendFile(context, file);
    const index = files.get(INDEX);
    // A file that is gone is told to be; the id of a task may look like one.
    if (index === undefined || (extname(pathname) !== '' && !pathname.startsWith(TASKS))) return next();
    return sendFile(context, index);
  });
}

function sendFile(context: Context, { body, contentType, isImmutable }: PageFile): Response {
  return context.body(body, 200, {
    'content-type': contentType,
    'cache-control': isImmutable ? 'public, max-age=31536000, immutable' : 'no-cache',
  });
}
