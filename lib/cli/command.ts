/** What a subcommand of `celeriac` is. */

/** Where a command speaks to whoever called it. */
export interface Terminal {
  /** What was asked for. */
  print(line: string): void;
  /** What went wrong. */
  complain(line: string): void;
}

/** A subcommand. */
export interface Command {
  /** Its options, as `--help` shows them. */
  readonly usage: string;
  /** @throws UsageError for arguments that it does not take; any other error ends the command with 1. */
  run(args: readonly string[], terminal: Terminal): Promise<void>;
}

/** The arguments are not those of the command. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
