/** `celeriac inspect`: what a service is made of, and what waits and runs in it. */
import { type Command, Option } from 'commander';

import { type RegisteredTask, registeredTasks } from '../../operate/registered.ts';
import { type ScheduledTask, scheduledTasks } from '../../operate/scheduled.ts';
import type { CommandModule } from '../command.ts';
import { instant } from '../format.ts';
import { type CommonOptions, notes, onService, type Tools } from '../tools.ts';
import { count } from './count.ts';
import { queues } from './inspect-queues.ts';
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
