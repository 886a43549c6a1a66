/** docs/cli.md names every command, and docs/cli-schemas.json is what `--json` is held by. */
import { readFileSync, writeFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { COMMANDS } from '../../lib/cli/commands.ts';
import { EXIT_CODES } from '../../lib/cli/run.ts';
import { SCHEMAS } from '../../lib/cli/schemas.ts';
import { celeriac } from '../support/celeriac.ts';
import { allCommands, PROCESS_TESTS } from '../support/process-commands.ts';

const SCHEMA_FILE = 'docs/cli-schemas.json';
const page = readFileSync('docs/cli.md', 'utf8');

describe('docs/cli.md', () => {
  it.each(COMMANDS.map(({ name }) => name))('names %s', (name) => {
    expect(page).toMatch(new RegExp(`^\\| \`${name}\\b`, 'm'));
  });

  it('tells every exit code', () => {
    for (const code of Object.values(EXIT_CODES)) expect(page).toMatch(new RegExp(`^\\| ${code} +\\| `, 'm'));
  });

  it.each(COMMANDS.map(({ name }) => name))('%s --help has examples', async (name) => {
    const { code, printed } = await celeriac(name, '--help');
    expect(code).toBe(0);
    const subcommands = [...printed.matchAll(/^ {2}([a-z-]+) \[options\]/gm)].map(([, sub = '']) => sub);
    for (const sub of subcommands)
      expect((await celeriac(name, sub, '--help')).printed).toContain(`  $ celeriac ${name} ${sub}`);
    if (subcommands.length === 0) expect(printed).toContain(`  $ celeriac ${name}`);
  });
});

it('each command is started as a process by a test: test/support/process-commands.ts says by which', async () => {
  expect((await allCommands()).toSorted()).toEqual(Object.keys(PROCESS_TESTS).toSorted());
  for (const [name, file] of Object.entries(PROCESS_TESTS)) {
    // Each word of it stands there as an argument.
    const text = readFileSync(file, 'utf8');
    for (const word of name.split(' ')) expect(text, `${name} in ${file}`).toContain(`'${word}'`);
  }
});

it('docs/cli-schemas.json is up to date: UPDATE=1 writes it', () => {
  const text = `${JSON.stringify(SCHEMAS, null, 2)}\n`;
  if (process.env['UPDATE'] === '1') writeFileSync(SCHEMA_FILE, text);
  expect(JSON.parse(readFileSync(SCHEMA_FILE, 'utf8'))).toEqual(JSON.parse(text));
});
