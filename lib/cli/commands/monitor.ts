/** `celeriac monitor`: the page of a service, on this machine. */
import { InvalidArgumentError } from 'commander';

import type { CommandModule } from '../command.ts';
import { type CommonOptions, notes, onService, type Tools } from '../tools.ts';

interface MonitorOptions extends CommonOptions {
  readonly port: number;
  readonly readOnly?: boolean;
}

const DEFAULT_PORT = 4570;

export const monitor: CommandModule = {
  define(command, tools) {
    onService(command)
      .description('Serves the page of a service on this machine alone, until Ctrl+C.')
      .option('--port <port>', 'listens there; 0 for any', portOf, DEFAULT_PORT)
      .option('--read-only', 'shows the service, and changes nothing')
      .addHelpText(
        'after',
        notes(
          ['monitor --app shop', 'monitor --app src/tasks.ts --port 0', 'monitor --stack shop-prod --read-only'],
          'what is looked at and done: those of inspect, history, dlq, schedules, locks, pause; dynamodb:PutItem and Query on items audit',
        ),
      )
      .action((options: MonitorOptions) => serve(options, tools));
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

function portOf(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new InvalidArgumentError('Give a whole number from 0 to 65535.');
}
