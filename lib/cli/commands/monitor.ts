/** `celeriac monitor`: the page of a service, on this machine. */
import { InvalidArgumentError } from 'commander';

import type { CommandModule } from '../command.ts';
import { UsageError } from '../failures.ts';
import { type CommonOptions, notes, onService, type Tools } from '../tools.ts';

interface MonitorOptions extends CommonOptions {
  readonly port: number;
  readonly readOnly?: boolean;
  readonly hash?: boolean;
}

const DEFAULT_PORT = 4570;
const LEAST_CHARACTERS = 12;

export const monitor: CommandModule = {
  define(command, tools) {
    onService(command)
      .description('Serves the page of a service on this machine alone, until Ctrl+C.')
      .option('--port <port>', 'listens there; 0 for any', portOf, DEFAULT_PORT)
      .option('--read-only', 'shows the service, and changes nothing')
      .option('--hash', 'reads a password and prints its hash, for the secret of a deployed monitor’s users')
      .addHelpText(
        'after',
        notes(
          [
            'monitor --app shop',
            'monitor --app src/tasks.ts --port 0',
            'monitor --stack shop-prod --read-only',
            'monitor --hash < password.txt',
          ],
          'what is looked at and done: those of inspect, history, dlq, schedules, locks, pause; dynamodb:PutItem and Query on items audit',
        ),
      )
      .action((options: MonitorOptions) => (options.hash === true ? hash(tools) : serve(options, tools)));
  },
};

async function serve(options: MonitorOptions, tools: Tools): Promise<void> {
  const { terminal } = tools;
  const interrupted = terminal.interrupted();
  await tools.with(options, async ({ service, output }) => {
    const [{ serveMonitor }, { monitoredService }] = await Promise.all([
      import('../../monitor/serve.ts'),
      import('../monitored-service.ts'),
    ]);
    const server = await serveMonitor({
      service: monitoredService(service),
      port: options.port,
      user: terminal.variables['USER'] ?? 'local',
      readOnly: options.readOnly === true,
    });
    try {
      output.show({ url: server.url, address: server.address }, () => server.address);
      output.say(
        `The monitor of '${service.app.name}' (${service.place}). Whoever has this address may act. Ctrl+C ends it.`,
      );
      await new Promise<void>((resolve) => {
        if (interrupted.aborted) resolve();
        interrupted.addEventListener('abort', () => resolve(), { once: true });
      });
    } finally {
      await server.stop();
    }
  });
}

/** From standard input: arguments stand in the history of the shell. */
async function hash({ terminal }: Tools): Promise<void> {
  const password = (await terminal.read()).replace(/\r?\n$/, '');
  if (password.length < LEAST_CHARACTERS)
    throw new UsageError(`A password of ${LEAST_CHARACTERS} characters or more is read from standard input.`);
  const { hashPassword } = await import('../../monitor/login/password-hash.ts');
  terminal.print(await hashPassword(password));
}

function portOf(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new InvalidArgumentError('Give a whole number from 0 to 65535.');
}
