/** Every `celeriac` command that a page shows is one that the command takes, with these options and arguments. */
import { readdirSync, readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { argumentsOf, commandTaking, commandsIn } from '../support/page-commands.ts';
import { allCommands } from '../support/process-commands.ts';

const PAGES = ['README.md', ...readdirSync('docs').flatMap((file) => (file.endsWith('.md') ? [`docs/${file}`] : []))];
const SHOWN = PAGES.map((file) => [file, commandsIn(readFileSync(file, 'utf8'))] as const);

const names = new Set(await allCommands());

describe.each(SHOWN.filter(([, commands]) => commands.length > 0))('%s', (_file, commands) => {
  it.each(commands)('celeriac %s', async (line) => {
    // Named in a sentence, without what it takes; or any of them.
    if (names.has(line) || line.startsWith('<command>')) return;
    await expect(commandTaking(argumentsOf(line))).resolves.toMatch(/^[a-z]+/);
  });
});

it('are many', () => {
  expect(SHOWN.flatMap(([, commands]) => commands).length).toBeGreaterThan(40);
});

it.each(['inspect queus', 'pause', 'dlq redrive --rte 5/s', 'dlq drop ID'])(
  'celeriac %s would be told of',
  async (line) => {
    await expect(commandTaking(argumentsOf(line))).rejects.toThrow(/unknown|missing|many/);
  },
);
