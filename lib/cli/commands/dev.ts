/** `celeriac dev`: the service on this machine. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { InvalidArgumentError } from 'commander';

import { isPattern } from '../../options/entry-files.ts';
import type { CommandModule } from '../command.ts';
import { UsageError } from '../failures.ts';
import type { Terminal } from '../terminal.ts';
import { notes } from '../tools.ts';

interface DevCommandOptions {
  readonly app?: string;
  readonly port?: number;
  readonly fresh?: boolean;
}

// SQS's port, DynamoDB's, and the monitor's.
const MONITOR_BEHIND = 2;
const MODULES: readonly string[] = ['src/tasks.ts', 'tasks.ts', 'src/tasks.js', 'tasks.js', 'src/tasks', 'tasks'];

export const dev: CommandModule = {
  define(command, { terminal }) {
    command
      .option(
        '-A, --app <path>',
        `module that exports the app, a folder of modules or a pattern (default: ${MODULES.join(', ')})`,
      )
      .option(
        '--port <port>',
        'SQS listens there, DynamoDB and the monitor on the next ones (default: the last ones, or 4576)',
        portOf,
      )
      .option('--fresh', 'starts without what was kept in .celeriac/')
      .addHelpText('after', notes(['dev', 'dev --app src/tasks.ts --port 4600', 'dev --fresh']))
      .action((options: DevCommandOptions) => runDev(options, terminal));
  },
};

async function runDev(options: DevCommandOptions, terminal: Terminal): Promise<void> {
  const { folder, variables, clock } = terminal;
  const module = moduleOf(options.app, folder);
  const interrupted = terminal.interrupted();
  const [{ startDev }, { StateFolder }, { DevMonitor }, { choosePort }] = await Promise.all([
    import('../../dev/dev.ts'),
    import('../../dev/state-folder.ts'),
    import('../dev-monitor.ts'),
    import('../dev-port.ts'),
  ]);
  let monitor: InstanceType<typeof DevMonitor> | undefined;
  const state = await StateFolder.take(join(folder, '.celeriac'), { fresh: options.fresh === true });
  try {
    const port = await choosePort(options.port, (await state.port()) ?? undefined, terminal);
    await state.keepPort(port);
    monitor = new DevMonitor(terminal, port + MONITOR_BEHIND);
    const running = await startDev({
      module,
      folder,
      state,
      port,
      variables,
      clock,
      print: (line) => terminal.print(line),
      style: (style, text) => terminal.style(style, text),
      ready: () => void monitor?.follow(),
    });
    await new Promise<void>((resolve) => {
      if (interrupted.aborted) resolve();
      interrupted.addEventListener('abort', () => resolve(), { once: true });
    });
    terminal.print('  stopping: tasks that run are handed back');
    await monitor.stop();
    await running.stop();
  } finally {
    await state.leave();
  }
}

/** @throws UsageError where there is none, or several could be meant */
function moduleOf(given: string | undefined, folder: string): string {
  if (given !== undefined) {
    // Whether a pattern fits is seen at each start: files come and go.
    if (isPattern(given) || existsSync(join(folder, given)) || existsSync(given)) return given;
    throw new UsageError(`There is no file ${given}. Give the path of the module that exports your app: --app <path>.`);
  }
  const found = MODULES.find((path) => existsSync(join(folder, path)));
  if (found !== undefined) return found;
  throw new UsageError(`There is none of ${MODULES.join(', ')} here. Say which module exports your app: --app <path>.`);
}

function portOf(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 1 && port < 65_535) return port;
  throw new InvalidArgumentError('Give a whole number from 1 to 65534.');
}
