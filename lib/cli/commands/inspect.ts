/** `celeriac inspect`: what a service is made of, and what waits and runs in it. */
import type { Command } from 'commander';

import { queueList, type QueueStatus } from '../../operate/queue-list.ts';
import type { CommandModule, JsonSchema } from '../command.ts';
import type { Column } from '../output.ts';
import { type CommonOptions, notes, onService, type Tools } from '../tools.ts';

const COUNT = { type: 'integer', minimum: 0 };

/** Lines of `celeriac inspect <what> --json`. */
export const INSPECT_SCHEMAS: Readonly<Record<string, JsonSchema>> = {
  queues: {
    type: 'object',
    properties: {
      queue: { type: 'string' },
      ready: COUNT,
      inFlight: COUNT,
      delayed: COUNT,
      dead: COUNT,
      state: { enum: ['running', 'external'] },
    },
    required: ['queue', 'ready', 'inFlight', 'delayed', 'state'],
    additionalProperties: false,
  },
};

export const inspect: CommandModule = {
  define(command, tools) {
    queues(command, tools);
  },
};

const QUEUE_COLUMNS: readonly Column<QueueStatus & Readonly<Record<string, unknown>>>[] = [
  { head: 'QUEUE', of: ({ queue }) => queue },
  { head: 'READY', of: ({ ready }) => ready, right: true },
  { head: 'IN FLIGHT', of: ({ inFlight }) => inFlight, right: true },
  { head: 'DELAYED', of: ({ delayed }) => delayed, right: true },
  {
    head: 'DEAD',
    of: ({ dead }) => dead ?? '–',
    right: true,
    style: ({ dead }) => (dead === undefined || dead === 0 ? undefined : 'red'),
  },
  { head: 'STATE', of: ({ state }) => state },
];

function queues(command: Command, tools: Tools): void {
  onService(command.command('queues'))
    .description('how much lies in each queue; SQS may be a minute behind')
    .addHelpText('after', notes(['inspect queues', 'inspect queues --json'], 'sqs:GetQueueAttributes on all queues'))
    .action((options: CommonOptions) =>
      tools.with(options, async ({ service, output }) => {
        const list = await queueList(service.environment, service.depths);
        output.list(
          list.map((status) => ({ ...status })),
          QUEUE_COLUMNS,
          'The service has no queues.',
        );
      }),
    );
}
