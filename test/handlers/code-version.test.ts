/** A version is that of the code alone. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import { expect, it } from 'vitest';

import { codeVersion } from '../../handlers/code-version.ts';

it('the same code has the same version, wherever it lies; other code has another one', () => {
  const folder = mkdtempSync(join(tmpdir(), 'version-'));
  const versionOf = (name: string, code: string): string => {
    const path = join(folder, name);
    writeFileSync(path, code);
    return codeVersion(pathToFileURL(path).href);
  };
  try {
    const [first, copied, other] = [versionOf('a.mjs', 'one'), versionOf('b.mjs', 'one'), versionOf('a.mjs', 'two')];
    expect(first).toMatch(/^[0-9a-f]{12}$/);
    expect([copied === first, other === first]).toEqual([true, false]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
