/** Commands that a page of the documentation shows: whether `celeriac` takes them. Nothing is run. */
import { Command } from 'commander';

import { COMMANDS } from '../../lib/cli/commands.ts';
import { Tools } from '../../lib/cli/tools.ts';

/** What stands behind `celeriac` in code of the page, each once. */
export function commandsIn(page: string): string[] {
  const inText = [...page.matchAll(/`celeriac ([^`]+)`/g)].map(([, line = '']) => line);
  const inBlocks = [...page.matchAll(/^(?:npx )?celeriac (.+)$/gm)].map(([, line = '']) => line);
  return [...new Set([...inText, ...inBlocks])].toSorted();
}

/** As a shell takes them apart: words, some in quotes. */
export function argumentsOf(line: string): string[] {
  const plain = line.replace(/\s+#.*$/, '');
  return [...plain.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map(
    ([, double, single, word]) => double ?? single ?? word ?? '',
  );
}

/**
 * The command that would run. @throws what commander says of arguments and options that there are not
 */
export async function commandTaking(args: readonly string[]): Promise<string> {
  const program = new Command('celeriac').exitOverride().configureOutput({ outputError: () => {} });
  const quiet = { writeOut: () => {}, writeErr: () => {}, outputError: () => {} };
  let taken = '';
  for (const { name, load } of COMMANDS) {
    const command = program.command(name).exitOverride().configureOutput(quiet);
    (await load()).define(command, new Tools({} as never));
    for (const leaf of command.commands.length === 0 ? [command] : command.commands) {
      leaf.exitOverride().configureOutput(quiet);
      leaf.action(() => {
        taken = leaf === command ? name : `${name} ${leaf.name()}`;
      });
    }
  }
  await program.parseAsync([...args], { from: 'user' });
  return taken;
}
