/** `celeriac synth` as a process: what it writes, that it writes the same again, and which TypeScript it takes. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { afterAll, describe, expect, it } from 'vitest';
import { COMPILE_CACHE } from '../support/compile-cache.ts';

mkdirSync('.vitest', { recursive: true });
const folder = mkdtempSync('.vitest/synth-');
// Each is a process that bundles, and may have a machine with others.
const PATIENCE_MS = 240_000;
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function celeriac(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Ended> {
  return promisify(execFile)(process.execPath, ['--conditions=@celeriac/source', 'lib/cli/main.ts', ...args], {
    env: { ...process.env, ...COMPILE_CACHE, ...env },
  }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error: unknown) => error as Ended,
  );
}

/** Every file under a folder and its text. */
function filesOf(path: string): Readonly<Record<string, string>> {
  return Object.fromEntries(
    readdirSync(path, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => join(parentPath, name))
      .map((file) => [file.slice(path.length), readFileSync(file, 'utf8')] as const),
  );
}

describe('celeriac synth', () => {
  const first = join(folder, 'first');
  const second = join(folder, 'second');

  it(
    'writes a template and its code, tells of schedules and of what to type next; the same again',
    { timeout: PATIENCE_MS },
    async () => {
      // A timer that goes on for ever keeps no command.
      const path = join(folder, 'tasks.ts');
      writeFileSync(path, `${readFileSync('examples/blog/tasks.ts', 'utf8')}\nsetInterval(() => undefined, 1000);\n`);
      const [one, two] = await Promise.all(
        [first, second].map((out) => celeriac(['synth', '--app', path, '--out', out])),
      );
      expect(one).toMatchObject({ code: 0 });
      expect(two).toMatchObject({ code: 0 });
      expect(one?.stdout).toMatch(/^heartbeat +sweep /m);
      expect(one?.stdout).not.toContain('[ack:');
      expect(one?.stdout).toMatch(/template\.json: \d+ resources, \d+ outputs/);
      expect(one?.stdout).toMatch(/first\/code\/[0-9a-f]{16}: code of TasksWorkersdefault\w+, TasksWorkersmail/);
      expect(one?.stdout).toContain('--stack-name blog-tasks --capabilities CAPABILITY_IAM');
      const files = filesOf(first);
      // Workers of all queues have one bundle; chunks lie beside.
      const chunk = /^\/code\/[0-9a-f]{16}\/[\w-]+-[0-9A-Z]{8}\.mjs$/;
      const entries = Object.keys(files).filter((path) => !chunk.test(path));
      expect(entries.toSorted()).toEqual([
        expect.stringMatching(/^\/code\/[0-9a-f]{16}\/index\.mjs$/),
        expect.stringMatching(/^\/code\/[0-9a-f]{16}\/index\.mjs$/),
        '/template.json',
      ]);
      expect(filesOf(second)).toEqual(files);
    },
  );

  it(
    'takes what Node takes of TypeScript, says what it does not, and takes that with tsx',
    { timeout: PATIENCE_MS },
    async () => {
      const path = join(folder, 'with-enum.ts');
      writeFileSync(
        path,
        "import { Celeriac } from 'celeriac';\nexport enum Colour { red = 'red' }\nexport const app = new Celeriac('paint', { queues: { default: {} } });\n",
      );
      const refused = await celeriac(['synth', '--app', path, '--out', join(folder, 'paint')]);
      expect(refused.code).toBe(1);
      expect(refused.stderr).toMatch(/^celeriac synth: Node cannot load .*enum/m);
      const page = readFileSync('docs/without-cdk.md', 'utf8');
      for (const word of ['enums', 'namespaces', 'parameter properties', 'decorators', "NODE_OPTIONS='--import tsx'"])
        expect([word, page.includes(word), refused.stderr.includes(word)]).toEqual([word, true, true]);
      const taken = await celeriac(['synth', '--app', path, '--out', join(folder, 'paint')], {
        NODE_OPTIONS: '--import tsx',
      });
      expect(taken).toMatchObject({ code: 0 });
      expect(taken.stdout).toContain('--stack-name paint-tasks');
    },
  );
});
