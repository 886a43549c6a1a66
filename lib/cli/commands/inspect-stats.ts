/** `celeriac inspect stats`: what the service is made of. */
import type { Command } from 'commander';

import { queueList } from '../../operate/queue-list.ts';
import type { DeployedService } from '../../options/deployed-service.ts';
import { NotReachable } from '../failures.ts';
import { span } from '../format.ts';
import { printable } from '../output.ts';
import type { Service } from '../service.ts';
import { type CommonOptions, notes, onService, type Tools } from '../tools.ts';

export function stats(command: Command, tools: Tools): void {
  onService(command.command('stats'))
    .description('what the service is made of, and how much lies in all of its queues')
    .addHelpText(
      'after',
      notes(
        ['inspect stats', 'inspect stats --stack Prod --json'],
        'sqs:GetQueueAttributes on all queues, ssm:GetParameter',
      ),
    )
    .action((options: CommonOptions) =>
      tools.with(options, async ({ service, output }) => {
        const row = await statsOf(service);
        output.show(row, () =>
          Object.entries(row)
            .map(([field, value]) => `${field.padEnd(14)}  ${printable(shown(field, value))}`)
            .join('\n'),
        );
      }),
    );
}

/** One object; what only a stack publishes is absent on the embedded cloud. */
async function statsOf(service: Service): Promise<Readonly<Record<string, unknown>>> {
  const { environment, depths, taskNames, place } = service;
  const queues = await queueList(environment, depths);
  const sum = (of: (queue: (typeof queues)[number]) => number): number =>
    queues.reduce((total, queue) => total + of(queue), 0);
  return {
    app: environment.app,
    foundBy: place,
    queues: queues.length,
    ...(taskNames === undefined ? {} : { tasks: taskNames.length }),
    ready: sum(({ ready }) => ready),
    inFlight: sum(({ inFlight }) => inFlight),
    delayed: sum(({ delayed }) => delayed),
    dead: sum(({ dead = 0 }) => dead),
    resultsTable: environment.resultsTable,
    stateTable: environment.stateTable,
    ...deployedFacts(await published(service)),
  };
}

/** undefined where there is no stack: an emulator's, or the embedded cloud. */
async function published(service: Service): Promise<DeployedService | undefined> {
  try {
    return service.isDeployed ? await service.deployed() : undefined;
  } catch (error) {
    if (error instanceof NotReachable) return undefined;
    throw error;
  }
}

function deployedFacts(deployed: DeployedService | undefined): Readonly<Record<string, unknown>> {
  if (deployed === undefined) return {};
  const { region, account, sweeper, rules, resultExpiresSeconds, workers } = deployed;
  const functions = Object.fromEntries(Object.entries(workers).map(([queue, worker]) => [queue, worker.function]));
  return { region, account, sweeper, rules, resultExpiresSeconds, workers: functions };
}

function shown(field: string, value: unknown): string {
  if (field === 'resultExpiresSeconds' && typeof value === 'number') return span(value * 1000);
  return typeof value === 'string' || typeof value === 'number' ? String(value) : JSON.stringify(value);
}
