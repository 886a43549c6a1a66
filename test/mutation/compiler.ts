/** The compiler as the last test: a change that `npm run check` refuses cannot get into the code. */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

import { mutated, type Mutant } from './mutants.ts';

// What is left over is no mistake of types: whoever makes such a change by hand would remove it.
const LEFT_OVER = ['--noUnusedLocals', 'false', '--noUnusedParameters', 'false', '--allowUnreachableCode', 'true'];

/** A copy of the library as it is, of which one file at a time is changed. */
export class Compiler {
  readonly #root: string;

  constructor(folder: string) {
    this.#root = resolve(folder, 'compiled');
    rmSync(this.#root, { recursive: true, force: true });
    mkdirSync(this.#root, { recursive: true });
    for (const path of ['lib', 'package.json', 'tsconfig.base.json'])
      cpSync(path, join(this.#root, path), { recursive: true });
    symlinkSync(resolve('node_modules'), join(this.#root, 'node_modules'));
  }

  /** The first error; undefined where there is none. */
  async refusal(mutant: Mutant): Promise<string | undefined> {
    // Of the copy: the library's own may be edited while mutants are tried.
    const path = join(this.#root, mutant.file);
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, mutated(text, mutant));
    try {
      const tsc = resolve('node_modules/typescript/bin/tsc');
      await promisify(execFile)(process.execPath, [tsc, '--noEmit', '-p', 'lib/tsconfig.json', ...LEFT_OVER], {
        cwd: this.#root,
      });
      return undefined;
    } catch (error) {
      const { stdout = '' } = error as { readonly stdout?: string };
      const first = /error TS\d+: .+/.exec(stdout)?.[0];
      // It did not come to look at types.
      if (first === undefined) throw error;
      return first;
    } finally {
      writeFileSync(path, text);
    }
  }
}
