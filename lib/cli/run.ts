/** `celeriac <command>`: finds the command, and turns what it throws into lines and an exit code. */
import { Command, CommanderError } from 'commander';

import { CeleriacError } from '../base/celeriac-error.ts';
import { errorText } from '../base/error-text.ts';
import { CommandFailed, NotReachable, UsageError } from './failures.ts';
import { type CommandEntry, COMMANDS } from './commands.ts';
import { printable } from './output.ts';
import type { Terminal } from './terminal.ts';
import { Tools } from './tools.ts';

/** What a command ends with. */
export const EXIT_CODES = { done: 0, failed: 1, usage: 2, notReachable: 3 } as const;

/** @returns the exit code: 0 done, 1 what was asked for failed, 2 wrong use, 3 not reachable or not allowed. */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  const program = programFor(terminal);
  const [first, ...rest] = args;
  // `help call` is `call --help`: a command is defined when it is called.
  const asked = first === 'help' ? [...rest, '--help'] : [...args];
  if (first === undefined) {
    terminal.print(program.helpInformation().trimEnd());
    return EXIT_CODES.usage;
  }
  try {
    await program.parseAsync(asked, { from: 'user' });
    return EXIT_CODES.done;
  } catch (error) {
    return told(error, nameIn(args), terminal);
  }
}

function programFor(terminal: Terminal): Command {
  const tools = new Tools(terminal);
  const program = new Command('celeriac')
    .description('Celery without the workers: tasks on AWS Lambda, SQS and DynamoDB.')
    .exitOverride()
    .helpCommand(false)
    .configureHelp({ styleTitle: (title) => terminal.style('bold', title), showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => terminal.print(text.replace(/\n$/, '')),
      writeErr: (text) => terminal.complain(text.replace(/\n$/, '')),
      getOutHelpWidth: () => terminal.columns,
      getErrHelpWidth: () => terminal.columns,
      // `terminal.style` knows.
      getOutHasColors: () => true,
      getErrHasColors: () => true,
      // Told with all other errors.
      outputError: () => {},
    })
    .addHelpText('after', '\nceleriac <command> --help shows its options and examples.');
  const entries = new Map<string, CommandEntry>();
  for (const entry of COMMANDS) {
    entries.set(entry.name, entry);
    program.command(entry.name).description(entry.summary).helpGroup(`${entry.group}:`);
  }
  program.hook('preSubcommand', async (_program, command) => {
    const entry = entries.get(command.name());
    if (entry !== undefined) (await entry.load()).define(command, tools);
  });
  return program;
}

/** The command that was called, for its errors: `celeriac dlq list`. */
function nameIn([first = '']: readonly string[]): string {
  return COMMANDS.some(({ name }) => name === first) ? `celeriac ${first}` : 'celeriac';
}

function told(error: unknown, name: string, terminal: Terminal): number {
  if (error instanceof CommanderError) return toldByCommander(error, name, terminal);
  const { message, stack } = errorText(error);
  const say = (text: string): void =>
    terminal.complain(`${terminal.style('red', `${name}:`)} ${text.split('\n').map(printable).join('\n')}`);
  if (error instanceof CommandFailed) {
    if (message !== '') say(message);
    return EXIT_CODES.failed;
  }
  if (error instanceof UsageError) {
    say(message);
    terminal.complain(`${name} --help shows what it takes.`);
    return EXIT_CODES.usage;
  }
  if (error instanceof NotReachable) {
    say(message);
    return EXIT_CODES.notReachable;
  }
  // Of an error of the user's own module its place is worth knowing.
  say(CeleriacError.is(error) ? message : (stack ?? message));
  return exitCodeOf(error) ?? EXIT_CODES.failed;
}

/** Also of the error behind it: what could not be sent, since nothing could be reached. */
function exitCodeOf(error: unknown): number | undefined {
  if (!CeleriacError.is(error)) return undefined;
  return CODES.get(error.code) ?? exitCodeOf(error.cause);
}

/** Errors of the library that are no failure of what was asked for. */
const CODES: ReadonlyMap<string, number> = new Map([
  ['INVALID_OPTION', EXIT_CODES.usage],
  ['INVALID_ARGUMENTS', EXIT_CODES.usage],
  ['INVALID_SCHEDULE', EXIT_CODES.usage],
  ['NOT_SERIALIZABLE', EXIT_CODES.usage],
  ['NOT_REGISTERED', EXIT_CODES.usage],
  ['QUEUE_NOT_FOUND', EXIT_CODES.usage],
  ['OPERATIONAL_ERROR', EXIT_CODES.notReachable],
  ['MISSING_ENVIRONMENT', EXIT_CODES.notReachable],
]);

function toldByCommander(error: CommanderError, name: string, terminal: Terminal): number {
  // It has shown help, or its version.
  if (error.exitCode === 0) return EXIT_CODES.done;
  // A command that has subcommands, called without one, shows its help instead.
  if (error.code !== 'commander.help')
    terminal.complain(
      `${terminal.style('red', `${name}:`)} ${error.message.replace(/^error: /, '')}\n${name} --help shows what it takes.`,
    );
  return EXIT_CODES.usage;
}
