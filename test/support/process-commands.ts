/** Which test starts which command as the process that people start. A command that stands nowhere here is told of by test/docs/cli.test.ts. */
import { Command } from 'commander';

import { COMMANDS } from '../../lib/cli/commands.ts';
import { Tools } from '../../lib/cli/tools.ts';

const COMMON = 'test/cli/commands.long.test.ts';

/** By command, with its subcommand. */
export const PROCESS_TESTS: Readonly<Record<string, string>> = {
  call: COMMON,
  result: COMMON,
  revoke: COMMON,
  explain: COMMON,
  purge: COMMON,
  stats: COMMON,
  events: COMMON,
  'inspect queues': COMMON,
  'inspect registered': COMMON,
  'inspect scheduled': COMMON,
  'inspect active': COMMON,
  'inspect reserved': COMMON,
  'inspect parked': COMMON,
  'inspect stats': COMMON,
  peek: COMMON,
  pause: COMMON,
  resume: COMMON,
  'schedules list': COMMON,
  'schedules show': COMMON,
  'schedules enable': COMMON,
  'schedules disable': COMMON,
  'schedules follow-code': COMMON,
  'schedules run': COMMON,
  'schedules put': COMMON,
  'schedules check': COMMON,
  'schedules rename': COMMON,
  'schedules delete': COMMON,
  'schedules dump': COMMON,
  'schedules load': COMMON,
  'locks list': COMMON,
  'locks free': COMMON,
  ping: COMMON,
  'dlq list': COMMON,
  'dlq show': COMMON,
  'dlq redrive': COMMON,
  'dlq drop': COMMON,
  monitor: COMMON,
  complete: 'test/cli/complete.test.ts',
  worker: 'test/process/worker.long.test.ts',
  init: 'test/cli/init.long.test.ts',
  dev: 'test/dev/dev.long.test.ts',
  synth: 'test/cli/synth.long.test.ts',
};

/** Those that test/cli/commands.long.test.ts has to start. */
export const COMMON_COMMANDS: readonly string[] = Object.keys(PROCESS_TESTS).filter(
  (name) => PROCESS_TESTS[name] === COMMON,
);

/** Every command as it is defined, with its subcommands in the place of one that has any. */
export async function allCommands(): Promise<string[]> {
  const names: string[] = [];
  for (const { name, load } of COMMANDS) {
    const command = new Command(name);
    // Defining asks nothing of the terminal.
    (await load()).define(command, new Tools({} as never));
    const subcommands = command.commands.map((sub) => `${name} ${sub.name()}`);
    names.push(...(subcommands.length === 0 ? [name] : subcommands));
  }
  return names;
}
