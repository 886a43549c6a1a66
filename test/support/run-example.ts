/** Runs the TypeScript blocks of a docs page, each in a file of the name that its first line says. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { COMPILE_CACHE } from './compile-cache.ts';

export interface Around {
  readonly before?: string;
  readonly after?: string;
}

/** The last file is run; returns what it printed. */
export function runExample(
  page: string,
  heads: readonly string[],
  around: Readonly<Record<string, Around>> = {},
): string {
  // Inside the repository, so that `celeriac` resolves to it; ignored by git.
  mkdirSync('.vitest', { recursive: true });
  const folder = resolve(mkdtempSync('.vitest/docs-'));
  const blocks = [...page.matchAll(/```ts\n([\s\S]*?)```/g)].map((match) => match[1] ?? '');
  try {
    let last = '';
    for (const head of heads) {
      const code = blocks.find((block) => block.startsWith(head));
      if (code === undefined) throw new Error(`The page has no block that begins with ${head}`);
      const name = head.replace('// ', '');
      const { before = '', after = '' } = around[name] ?? {};
      last = `${folder}/${name}`;
      writeFileSync(last, `${before}\n${code}\n${after}\n`);
    }
    return execFileSync(process.execPath, ['--conditions=@celeriac/source', last], {
      encoding: 'utf8',
      env: { ...process.env, ...COMPILE_CACHE },
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
