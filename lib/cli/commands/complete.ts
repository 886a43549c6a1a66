/** `celeriac complete`: what a shell needs to complete commands and options. */
import { Argument, Command } from 'commander';

import type { CommandModule } from '../command.ts';
import { UsageError } from '../failures.ts';
import { notes, type Tools } from '../tools.ts';

const SHELLS = ['bash', 'zsh', 'fish', 'powershell'];

interface Entry {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<CommandModule>;
}

/** @param entries of all commands; handed in, since they list this one */
export function completionOf(entries: readonly Entry[]): CommandModule {
  return { define: (command, tools) => define(command, tools, entries) };
}

function define(command: Command, tools: Tools, entries: readonly Entry[]): void {
  command
    .addArgument(new Argument('[shell]', `one of ${SHELLS.join(', ')}`))
    .description('Prints a script by which a shell completes commands and options.')
    .allowExcessArguments()
    .addHelpText('after', notes(['complete zsh > ~/.zsh/_celeriac', 'complete bash >> ~/.bashrc'], 'none'))
    .action(async (shell: string | undefined) => {
      const { default: tab } = await import('@bomb.sh/tab/commander');
      const root = tab(await wholeProgram(tools, entries));
      // A shell asks for what could come next by `celeriac complete -- <words>`.
      const { rawArgs: words = [] } = (command.parent ?? {}) as { readonly rawArgs?: readonly string[] };
      const asks = words.indexOf('--');
      if (asks !== -1) root.parse(words.slice(asks + 1));
      else if (shell !== undefined && SHELLS.includes(shell)) root.setup('celeriac', 'celeriac', shell);
      else throw new UsageError(`Which shell? celeriac complete ${SHELLS.join('|')}`);
    });
}

/** With the options of every command, which are else defined when it is called. */
async function wholeProgram(tools: Tools, entries: readonly Entry[]): Promise<Command> {
  const program = new Command('celeriac').helpCommand(false);
  for (const { name, summary, load } of entries.filter((entry) => entry.name !== 'complete')) {
    const command = program.command(name);
    (await load()).define(command, tools);
    command.description(summary);
  }
  return program;
}
