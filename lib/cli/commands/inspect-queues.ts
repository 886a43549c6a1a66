/** `celeriac inspect queues`: what lies in each, and whether workers get it. */
import type { Command } from 'commander';

import { type QueueDetail, queueDetails } from '../../operate/queue-details.ts';
import { queueList } from '../../operate/queue-list.ts';
import { eventSourcesOf } from '../event-sources.ts';
import { instant, span } from '../format.ts';
import { type Column, printable } from '../output.ts';
import { type CommonOptions, notes, onService, type Tools } from '../tools.ts';

interface QueuesOptions extends CommonOptions {
  readonly oldest: boolean;
}

const AFTER = `SQS's counts may be a minute old. OLDEST is CloudWatch's: some minutes late, without what was received three times; a look costs a cent for 1,000
queues, and --no-oldest leaves it out. PARKED tasks wait for a slot: their messages lie in no queue. What may not be read is shown as –, and told.`;

export function queues(command: Command, tools: Tools): void {
  onService(command.command('queues'))
    .description('how much lies in each queue, how old it is, and whether workers get it')
    .option('--no-oldest', 'does not ask CloudWatch')
    .addHelpText(
      'after',
      `${notes(
        ['inspect queues', 'inspect queues --no-oldest --json'],
        `sqs:GetQueueAttributes on all queues, dynamodb:Query on item paused of the state table; for OLDEST
  cloudwatch:GetMetricStatistics, for PARKED service.grantManage, for what feeds the workers
  ssm:GetParameter and lambda:GetEventSourceMapping`,
      )}\n\n${AFTER}`,
    )
    .action((options: QueuesOptions) =>
      tools.with(options, async ({ service, output }) => {
        const { environment, requests } = service;
        const { pauses, slots } = await service.app.ports();
        const nowMs = tools.terminal.clock.nowMs();
        const eventSources = eventSourcesOf(service);
        const oldestSeconds = (url: string): Promise<number | undefined> =>
          requests.oldestMessageSeconds(url.slice(url.lastIndexOf('/') + 1));
        const found = await queueDetails(await queueList(environment, service.depths, await pauses?.list()), {
          environment,
          nowMs,
          ...(options.oldest ? { oldestSeconds } : {}),
          ...(slots === undefined ? {} : { slots }),
          ...(eventSources === undefined ? {} : { eventSources }),
        });
        output.list(
          found.queues.map((detail) => ({ ...detail })),
          columns(nowMs, options),
          'The service has no queues.',
        );
        for (const { queue, mismatch, advice } of found.queues)
          if (mismatch !== undefined) output.say(printable(`${queue}: ${MISMATCHES[mismatch]}. ${advice ?? ''}`));
        for (const { what, error } of found.unknown) output.say(printable(`Not known (${what}): ${error}`));
        if (found.parkedMore) output.say('More keys have tasks that wait than were counted: PARKED may be more.');
      }),
    );
}

const MISMATCHES: Readonly<Record<NonNullable<QueueDetail['mismatch']>, string>> = {
  'paused but fed': 'paused here, but its event source is on: workers get what lies there',
  'not fed and not paused': 'its event source is off, and nobody has paused it here: workers get nothing',
};

function columns(
  nowMs: number,
  options: QueuesOptions,
): readonly Column<QueueDetail & Readonly<Record<string, unknown>>>[] {
  return [
    { head: 'QUEUE', of: ({ queue }) => queue },
    { head: 'READY', of: ({ ready }) => ready, right: true },
    { head: 'IN FLIGHT', of: ({ inFlight }) => inFlight, right: true },
    { head: 'DELAYED', of: ({ delayed }) => delayed, right: true },
    { head: 'PARKED', of: ({ parked }) => parked ?? '–', right: true },
    {
      head: 'DEAD',
      of: ({ dead }) => dead ?? '–',
      right: true,
      style: ({ dead }) => (dead === undefined || dead === 0 ? undefined : 'red'),
    },
    {
      head: 'OLDEST',
      of: ({ oldestSeconds }) => (oldestSeconds === undefined ? '–' : span(oldestSeconds * 1000)),
      right: true,
    },
    {
      head: 'STATE',
      of: (detail) => stateText(detail, nowMs, options),
      style: ({ state, mismatch }) => (mismatch !== undefined ? 'red' : state === 'paused' ? 'yellow' : undefined),
    },
  ];
}

function stateText(
  { state, paused, eventSource, mismatch }: QueueDetail,
  nowMs: number,
  options: CommonOptions,
): string {
  const text =
    paused === undefined
      ? state
      : `paused by ${paused.by} ${instant(paused.since, nowMs, options)}${paused.why === undefined ? '' : `: ${paused.why}`}`;
  if (mismatch !== undefined) return `${text}, event source ${eventSource ?? ''}`;
  return eventSource === 'changing' ? `${text}, being switched` : text;
}
