/** What commands have in common: their options, the service they work with, their answers, and asking first. */
import type { Command } from 'commander';

import { CommandFailed, UsageError } from './failures.ts';
import { Output } from './output.ts';
import type { Place } from './place.ts';
import type { Service } from './service.ts';
import type { Terminal } from './terminal.ts';

/** Options of every command that works with a service. */
export interface CommonOptions extends Place {
  readonly json?: boolean;
  readonly utc?: boolean;
  readonly yes?: boolean;
}

/** What an action works with. */
export interface Opened {
  readonly service: Service;
  readonly output: Output;
}

export class Tools {
  readonly terminal: Terminal;

  constructor(terminal: Terminal) {
    this.terminal = terminal;
  }

  /** How answers are written. */
  output({ json = false }: CommonOptions): Output {
    return new Output(this.terminal, json);
  }

  /** Runs `work` with the service that the options name, and lets go of it. */
  async with(options: CommonOptions, work: (opened: Opened) => Promise<void>): Promise<void> {
    const { openService } = await import('./find-service.ts');
    const service = await openService(options, this.terminal);
    try {
      await work({ service, output: this.output(options) });
    } finally {
      service.close();
    }
  }

  /**
   * Asks before what cannot be undone; `--yes` answers. @param what is hit, counted
   * @throws UsageError where nobody can be asked, CommandFailed for a no
   */
  async ask(what: string, { yes = false }: CommonOptions): Promise<void> {
    if (yes) return;
    if (!this.terminal.isInteractive) throw new UsageError(`${what} Nobody can be asked here: add --yes.`);
    if (!(await this.terminal.confirm(`${what} Go on?`))) throw new CommandFailed('Nothing was done.');
  }

  /**
   * Asks for a name, before what hits all that bears it; `--yes` answers. @param what is hit, counted
   * @throws UsageError where nobody can be asked, CommandFailed for any other text
   */
  async askFor(name: string, what: string, { yes = false }: CommonOptions): Promise<void> {
    if (yes) return;
    if (!this.terminal.isInteractive) throw new UsageError(`${what} Nobody can be asked here: add --yes.`);
    const typed = await this.terminal.typed(`${what} Type its name to go on:`);
    if (typed?.trim() !== name) throw new CommandFailed('Nothing was done.');
  }
}

/** Adds the options of a command that works with a service. */
export function onService(command: Command): Command {
  return command
    .option('-A, --app <name|path>', 'name of the app, or the module that exports it')
    .option('--stack <name>', 'CloudFormation stack of the service')
    .option('--endpoint <url>', 'endpoint of an emulator, LocalStack say')
    .option('--region <region>', 'AWS Region')
    .option('--json', 'one JSON object a line')
    .option('--utc', 'exact times, in UTC');
}

/** The same, of a command that asks before it does something. */
export function onServiceAsking(command: Command): Command {
  return onService(command).option('-y, --yes', 'do not ask');
}

/** Text behind a command's options: what it looks like, and the rights that it takes. */
export function notes(examples: readonly string[], rights?: string): string {
  const shown = examples.map((line) => `  $ celeriac ${line}`).join('\n');
  return `\nExamples:\n${shown}${rights === undefined ? '' : `\n\nRights on AWS:\n  ${rights}`}`;
}
