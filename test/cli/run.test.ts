/** The command `celeriac`: what it answers to arguments, and to modules that it cannot load. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type * as infra from 'celeriac/infra';
import { afterAll, describe, expect, expectTypeOf, it } from 'vitest';

import type { Infra } from '../../lib/cli/commands/synth.ts';
import { celeriac } from '../support/celeriac.ts';

mkdirSync('.vitest', { recursive: true });
const folder = mkdtempSync('.vitest/cli-');
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

describe('celeriac', () => {
  it('shows its commands', async () => {
    expect(await celeriac()).toMatchObject({ code: 2, complained: '' });
    for (const help of ['--help', '-h', 'help']) {
      const { code, printed } = await celeriac(help);
      expect([code, printed]).toEqual([
        0,
        expect.stringMatching(/synth .*writes a service as a CloudFormation template/),
      ]);
    }
  });

  it('says what it does not know', async () => {
    const { code, complained } = await celeriac('cal');
    expect([code, complained]).toEqual([2, expect.stringContaining("unknown command 'cal'")]);
    expect(complained).toContain('Did you mean call?');
  });

  it('synth shows its options, whatever else is said', async () => {
    const { code, printed } = await celeriac('synth', '--app', 'nowhere.ts', '--help');
    expect(code).toBe(0);
    for (const option of [
      '--app',
      '--out',
      '--stack-name',
      '--preset',
      '--queue-name-prefix',
      '--no-alarms',
      '--format',
    ])
      expect(printed).toContain(`${option} `);
  });
});

describe('arguments of synth', () => {
  it.each([
    [[], "required option '-A, --app <path>' not specified"],
    [['--app', 'x.ts', '--apps', 'x.ts'], "unknown option '--apps'"],
    [['x.ts', '--app', 'x.ts'], 'too many arguments'],
    [['--app', 'x.ts', '--format', 'terraform-json'], "argument 'terraform-json' is invalid"],
    [['--app', 'x.ts', '--preset', 'staging'], 'Allowed choices are development, production'],
    [['--app', 'x.ts', '--stack-name', '1_x'], "--stack-name is '1_x'"],
  ])('%j', async (args, message) => {
    const { code, complained, printed } = await celeriac('synth', ...args);
    expect([code, printed]).toEqual([2, '']);
    expect(complained).toMatch(/^celeriac synth: /);
    expect(complained).toContain(message);
    expect(complained).toContain('celeriac synth --help shows what it takes.');
  });
});

describe('modules that synth cannot load', () => {
  it.each([
    ['none', join(folder, 'nowhere.ts'), 'There is no file'],
    ['no app', file('none.ts', 'export const x = 1;'), 'The entry module exports no app'],
    [
      'two apps',
      file(
        'two.ts',
        "import { Celeriac } from 'celeriac';\nexport const a = new Celeriac('a'), b = new Celeriac('b');",
      ),
      'The entry module exports 2 apps',
    ],
  ])('%s', async (_, path, message) => {
    const { code, complained } = await celeriac('synth', '--app', path);
    expect([code, complained]).toEqual([1, expect.stringContaining(`celeriac synth: ${message}`)]);
    expect(complained).not.toMatch(/^\s+at /m);
  });

  it('an error of the module is shown with its place', async () => {
    const path = file('throws.ts', "throw new Error('no database here');");
    const { code, complained } = await celeriac('synth', '--app', path);
    expect([code, complained]).toEqual([1, expect.stringContaining('no database here')]);
    expect(complained).toMatch(/throws\.ts/);
  });
});

it('what the command uses of celeriac/infra is what is there', () => {
  expectTypeOf<typeof infra>().toExtend<Infra>();
});
