/** `celeriac purge`: a queue is emptied. */
import { SqsPurges } from '../../aws/sqs-purges.ts';
import { countToPurge, type PurgedQueue, purgeQueues } from '../../operate/purge.ts';
import { watched, withCeleriacErrors } from '../../aws/for-call.ts';
import type { CommandModule, JsonSchema } from '../command.ts';
import { CommandFailed } from '../failures.ts';
import { counted } from '../format.ts';
import { type CommonOptions, notes, onServiceAsking, type Tools } from '../tools.ts';

interface PurgeOptions extends CommonOptions {
  readonly dryRun?: boolean;
}

const COUNT = { type: 'integer', minimum: 0 };

/** A line of `celeriac purge --json`: of the queue, and of each of its lanes. */
export const PURGE_SCHEMA: JsonSchema = {
  type: 'object',
  properties: {
    queue: { type: 'string' },
    purged: { type: 'boolean' },
    ready: COUNT,
    inFlight: COUNT,
    delayed: COUNT,
  },
  required: ['queue', 'purged', 'ready', 'inFlight', 'delayed'],
  additionalProperties: false,
};

const AFTER = `What lies in SQS is deleted for good, what is delayed and what workers have received too: runs under way end as they would. The tasks that
nobody has begun have no record, and those that waited for a retry stay RETRY until their results expire: no chain goes on behind them, and
no chord's body runs. A key of unique is free when its ttl is over. What waits in tables stays: celeriac inspect scheduled and parked.
Dead letters stay: celeriac dlq drop. SQS takes up to a minute, and may delete what is sent meanwhile: pause the queue before.`;

export const purge: CommandModule = {
  define(command, tools) {
    onServiceAsking(command.argument('<queue>', 'name of the queue: its lanes are emptied with it'))
      .description('Deletes all that lies in a queue.')
      .option('--dry-run', 'only counts')
      .addHelpText(
        'after',
        `${notes(['purge mail', 'purge mail --dry-run', 'purge mail --yes --json'], 'sqs:PurgeQueue and GetQueueAttributes on the queue and its lanes')}\n\n${AFTER}`,
      )
      .action((queue: string, options: PurgeOptions) => empty(queue, options, tools));
  },
};

async function empty(queue: string, options: PurgeOptions, tools: Tools): Promise<void> {
  await tools.with(options, async ({ service, output }) => {
    const { environment, depths, clients } = service;
    const found = await countToPurge(queue, { environment, depths });
    const rows = (purged: (row: PurgedQueue) => boolean): void =>
      output.list(
        found.map((row) => ({ ...row, purged: purged(row) })),
        [
          { head: 'QUEUE', of: (row) => row.queue },
          { head: 'READY', of: ({ ready }) => ready, right: true },
          { head: 'IN FLIGHT', of: ({ inFlight }) => inFlight, right: true },
          { head: 'DELAYED', of: ({ delayed }) => delayed, right: true },
          { head: 'PURGED', of: (row) => (row.purged ? 'yes' : 'no') },
        ],
        '',
      );
    if (options.dryRun === true) return rows(() => false);
    const all = found.reduce((sum, { ready, inFlight, delayed }) => sum + ready + inFlight + delayed, 0);
    const lanes = found.length === 1 ? '' : ` and ${counted(found.length - 1, 'lane')} of it`;
    await tools.askFor(
      queue,
      `Queue '${queue}'${lanes}: about ${counted(all, 'message')} will be deleted for good; nothing brings their tasks back.`,
      options,
    );
    const purges = withCeleriacErrors(
      new SqsPurges({ client: watched(clients.sqs, 'SQS', undefined), urls: environment.queues }),
    );
    const busy = await purgeQueues(found, { environment, depths, purges });
    rows((row) => !busy.includes(row.queue));
    if (busy.length > 0)
      throw new CommandFailed(
        `SQS purges a queue once a minute, and ${busy.join(', ')} was purged in the last one: what was sent since lies there. Run it again in a minute.`,
      );
    output.say('SQS takes up to a minute, and may delete what is sent meanwhile. Look: celeriac inspect queues');
  });
}
