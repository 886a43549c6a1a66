/** What a subcommand of `celeriac` is. */
import type { Command } from 'commander';

import type { Tools } from './tools.ts';

/** A subcommand, in a file of its own that is loaded when it is called. */
export interface CommandModule {
  /** Adds its arguments, options, examples and what it does. */
  define(command: Command, tools: Tools): void;
}

/** A line of `--json`, as a JSON Schema: field names that stay. */
export type JsonSchema = Readonly<Record<string, unknown>>;
