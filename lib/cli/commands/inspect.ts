/** `celeriac inspect`: what a service is made of, and what waits and runs in it. */
import { type Command, Option } from 'commander';

import { queueList, type QueueStatus } from '../../operate/queue-list.ts';
import { type RegisteredTask, registeredTasks } from '../../operate/registered.ts';
import { type ScheduledTask, scheduledTasks } from '../../operate/scheduled.ts';
import type { CommandModule } from '../command.ts';
import { instant } from '../format.ts';
import type { Column } from '../output.ts';
import { type CommonOptions, notes, onService, type Tools } from '../tools.ts';
import { count } from './count.ts';
import { slotCommands } from './inspect-slots.ts';
import { stats } from './inspect-stats.ts';

interface LimitOptions extends CommonOptions {
  readonly limit: number;
}

export const inspect: CommandModule = {
  define(command, tools) {
    queues(command, tools);
    registered(command, tools);
    scheduled(command, tools);
    slotCommands(command, tools);
    stats(command, tools);
  },
};

function queueColumns(
  nowMs: number,
  options: CommonOptions,
): readonly Column<QueueStatus & Readonly<Record<string, unknown>>>[] {
  return [
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
    {
      head: 'STATE',
      of: ({ state, paused }) =>
        paused === undefined
          ? state
          : `paused by ${paused.by} ${instant(paused.since, nowMs, options)}${paused.why === undefined ? '' : `: ${paused.why}`}`,
      style: ({ state }) => (state === 'paused' ? 'yellow' : undefined),
    },
  ];
}

function queues(command: Command, tools: Tools): void {
  onService(command.command('queues'))
    .description('how much lies in each queue; SQS may be a minute behind')
    .addHelpText(
      'after',
      notes(
        ['inspect queues', 'inspect queues --json'],
        'sqs:GetQueueAttributes on all queues, dynamodb:Query on item paused of the state table',
      ),
    )
    .action((options: CommonOptions) =>
      tools.with(options, async ({ service, output }) => {
        const { pauses } = await service.app.ports();
        const list = await queueList(service.environment, service.depths, await pauses?.list());
        const nowMs = tools.terminal.clock.nowMs();
        output.list(
          list.map((status) => ({ ...status })),
          queueColumns(nowMs, options),
          'The service has no queues.',
        );
      }),
    );
}

function registered(command: Command, tools: Tools): void {
  onService(command.command('registered'))
    .description('tasks that its workers know, and their queues; with the module of the app also their limits')
    .addHelpText('after', notes(['inspect registered', 'inspect registered --app src/tasks.ts']))
    .action((options: CommonOptions) =>
      tools.with(options, async ({ service, output }) => {
        const { app, hasCode, environment, taskNames } = service;
        const tasks = registeredTasks(environment, hasCode ? app.manifest() : undefined, taskNames);
        const limits = ({ rateLimit, concurrency, oneInstance, timeLimit }: RegisteredTask): string =>
          [
            ...(rateLimit === undefined ? [] : [`rate ${rateLimit}`]),
            ...(concurrency === undefined ? [] : [`concurrency ${concurrency}`]),
            ...(oneInstance === true ? ['one instance'] : []),
            ...(timeLimit === undefined ? [] : [`time limit ${timeLimit} s`]),
          ].join(', ');
        output.list(
          tasks.map((task) => ({ ...task })),
          [
            { head: 'TASK', of: ({ name }: RegisteredTask) => name },
            { head: 'QUEUE', of: ({ queue }: RegisteredTask) => queue },
            ...(hasCode ? [{ head: 'LIMITS', of: limits }] : []),
          ],
          'The names of its tasks are not told: they took too much room. Give the module of the app: --app <path>',
        );
      }),
    );
}

function scheduled(command: Command, tools: Tools): void {
  onService(command.command('scheduled'))
    .description('tasks that wait for their time: later than in 15 minutes, or on FIFO queues')
    .addOption(new Option('--limit <count>', 'at most so many').argParser(count).default(50))
    .addHelpText(
      'after',
      `${notes(['inspect scheduled', 'inspect scheduled --limit 500 --json'], 'dynamodb:Query on items timer#* of the state table')}\n\nWhat comes due sooner lies in SQS: celeriac inspect queues counts it as delayed.`,
    )
    .action((options: LimitOptions) =>
      tools.with(options, async ({ service, output }) => {
        const { limit } = options;
        const { timers } = await service.app.ports();
        const { tasks, more } = await scheduledTasks(timers, { shards: service.environment.timerShards, limit });
        const nowMs = tools.terminal.clock.nowMs();
        output.list(
          tasks.map((task) => ({ ...task })),
          [
            { head: 'ID', of: ({ id }: ScheduledTask) => id },
            { head: 'TASK', of: ({ name, args }: ScheduledTask) => `${name ?? '?'}${args ?? ''}` },
            { head: 'QUEUE', of: ({ queue }: ScheduledTask) => queue },
            { head: 'DUE', of: ({ due }: ScheduledTask) => instant(due, nowMs, options) },
          ],
          'No task waits for its time in the table. What is due within 15 minutes lies in SQS: celeriac inspect queues',
        );
        if (more) output.say(`There are more: --limit ${limit * 10}`);
      }),
    );
}
