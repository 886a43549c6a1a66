/** `celeriac worker`: runs tasks in this process, for as long as they take. */
import { hostname } from 'node:os';

import { InvalidArgumentError } from 'commander';

import {
  DEFAULT_GRACE_SECONDS,
  DEFAULT_PROCESS_CONCURRENCY,
  DEFAULT_PROCESS_LEASE_SECONDS,
  MAX_PROCESS_CONCURRENCY,
  MAX_PROCESS_LEASE_SECONDS,
  MIN_PROCESS_LEASE_SECONDS,
} from '../../base/limits.ts';
import { awsProcess } from '../../process/aws-process.ts';
import { serveHealth } from '../../process/health.ts';
import { processMails } from '../../process/mails.ts';
import type { CommandModule } from '../command.ts';
import { UsageError } from '../failures.ts';
import { isModule } from '../place.ts';
import type { Service } from '../service.ts';
import { type CommonOptions, notes, onService, type Tools } from '../tools.ts';
import { seconds } from './result.ts';

interface WorkerOptions extends CommonOptions {
  readonly queues?: readonly string[];
  readonly concurrency: number;
  readonly grace: number;
  readonly lease: number;
  readonly port?: number;
  readonly hostname?: string;
}

const LONGEST_NAME = 100;

export const worker: CommandModule = {
  define(command, tools) {
    onService(command)
      .option(
        '-Q, --queues <names>',
        'queues, with commas between them (default: those with worker: process)',
        (text: string) => text.split(',').map((name) => name.trim()),
      )
      .option(
        '-c, --concurrency <number>',
        'most tasks at once',
        (text) => wholeIn(text, 1, MAX_PROCESS_CONCURRENCY),
        DEFAULT_PROCESS_CONCURRENCY,
      )
      .option(
        '--grace <duration>',
        'how long tasks may go on after SIGTERM; then they go back',
        seconds,
        DEFAULT_GRACE_SECONDS,
      )
      .option(
        '--lease <duration>',
        'how long after a crash its tasks run elsewhere; code that blocks this process for longer loses them',
        (text) => leaseSeconds(text),
        DEFAULT_PROCESS_LEASE_SECONDS,
      )
      .option('--port <number>', '/health and /metrics on 127.0.0.1 (default: none)', (text) =>
        wholeIn(text, 0, 65_535),
      )
      .option('-n, --hostname <name>', 'its name in logs and results (default: that of the machine)')
      .addHelpText(
        'after',
        notes(
          ['worker --app src/tasks.ts -Q video -c 4', 'worker --app dist/tasks.js --grace 2m --port 9464'],
          'service.workerPolicy(queue): receive, hide and delete, and what a worker function may',
        ),
      )
      .action((options: WorkerOptions) => {
        if (options.app === undefined || !isModule(options.app))
          throw new UsageError('Whose tasks? Give the module that exports your app: --app src/tasks.ts');
        return tools.with({ ...options, patient: true }, ({ service }) => work(service, options, tools));
      });
  },
};

async function work(
  { app, environment, clients, place }: Service,
  options: WorkerOptions,
  tools: Tools,
): Promise<void> {
  const { queues, concurrency, lease: leaseSeconds, grace, port } = options;
  const name = `${options.hostname ?? hostname()}.${process.pid}`.slice(-LONGEST_NAME);
  const mails = await processMails({ app, environment, clients }, tools.terminal.variables);
  const own = awsProcess(
    app,
    environment,
    clients,
    { concurrency, leaseSeconds, name, ...(queues === undefined ? {} : { queues }) },
    mails?.wrap,
  );
  const health = port === undefined ? undefined : await serveHealth(own, port);
  const forget = tools.terminal.ending(() => {
    const status = own.health;
    app.logger.log(
      'info',
      status.status === 'draining'
        ? `Worker ${name} ends now, and gives back what runs`
        : `Worker ${name} receives nothing more: ${status.running} tasks have ${grace} s to end`,
    );
    void own.drain(grace);
  });
  app.logger.log('info', `Worker ${name} is ready`, {
    app: app.name,
    queues: own.queues,
    concurrency,
    place,
    ...(mails === undefined ? {} : { mails: mails.place }),
    ...(health === undefined ? {} : { health: `${health.url}/health` }),
  });
  try {
    mails?.begin();
    await own.run();
    app.logger.log('info', `Worker ${name} has ended`);
  } finally {
    forget();
    await mails?.stop();
    await health?.stop();
  }
}

function wholeIn(text: string, least: number, most: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new InvalidArgumentError(`A whole number from ${least} to ${most} is allowed.`);
}

function leaseSeconds(text: string): number {
  const value = seconds(text);
  if (value >= MIN_PROCESS_LEASE_SECONDS && value <= MAX_PROCESS_LEASE_SECONDS) return value;
  throw new InvalidArgumentError(
    `${MIN_PROCESS_LEASE_SECONDS} s to ${MAX_PROCESS_LEASE_SECONDS / 60} minutes are allowed.`,
  );
}
