/** `celeriac <command>`: finds the command, and turns what it throws into a line and an exit code. */
import { CeleriacError } from '../base/celeriac-error.ts';
import { errorText } from '../base/error-text.ts';
import { type Command, type Terminal, UsageError } from './command.ts';

interface Entry {
  readonly summary: string;
  /** A command's code is loaded when it is called. */
  readonly load: () => Promise<Command>;
}

const COMMANDS: ReadonlyMap<string, Entry> = new Map([
  [
    'synth',
    { summary: 'writes a service as a CloudFormation template', load: async () => (await import('./synth.ts')).synth },
  ],
]);

/** @returns the exit code: 0, 1 for what went wrong, 2 for arguments that are not understood. */
export async function run(args: readonly string[], terminal: Terminal): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    terminal.print(usage());
    return name === undefined ? 2 : 0;
  }
  const entry = COMMANDS.get(name);
  if (entry === undefined) {
    terminal.complain(`celeriac: there is no command '${name}'.\n\n${usage()}`);
    return 2;
  }
  const command = await entry.load();
  if (rest.includes('--help') || rest.includes('-h')) {
    terminal.print(command.usage);
    return 0;
  }
  try {
    await command.run(rest, terminal);
    return 0;
  } catch (error) {
    const { message, stack } = errorText(error);
    const isUsage = error instanceof UsageError;
    // Of an error of the user's own module its place is worth knowing.
    terminal.complain(`celeriac ${name}: ${isUsage || CeleriacError.is(error) ? message : (stack ?? message)}`);
    if (isUsage) terminal.complain(`\n${command.usage}`);
    return isUsage ? 2 : 1;
  }
}

function usage(): string {
  const rows = [...COMMANDS].map(([name, { summary }]) => `  ${name.padEnd(8)}${summary}`);
  return `celeriac <command> [options]\n\n${rows.join('\n')}\n\nceleriac <command> --help shows its options.`;
}
