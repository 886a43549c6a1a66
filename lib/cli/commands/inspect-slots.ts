/** `celeriac inspect active|reserved|parked`: who runs under a task's concurrency, and who waits. */
import { type Command, Option } from 'commander';

import type { SlotsView } from '../../app/slot-book.ts';
import { instant } from '../format.ts';
import type { Output } from '../output.ts';
import { type CommonOptions, notes, onService, type Tools } from '../tools.ts';
import { count } from './count.ts';

interface SlotOptions extends CommonOptions {
  readonly key: string;
  readonly limit: number;
}

/** One attempt under a key. */
interface SlotRow extends Readonly<Record<string, unknown>> {
  readonly id: string;
  readonly retries: number;
  /** Until when its slot is its own. */
  readonly until?: Date;
  /** Since when it waits. */
  readonly since?: Date;
  /** When it is not worth running any more. */
  readonly expires?: Date;
  /** Its place in the line, from 1. */
  readonly place?: number;
}

const WHAT: readonly (readonly [name: string, what: string, rows: (view: SlotsView) => readonly SlotRow[]])[] = [
  ['active', 'tasks that run under a concurrency', ({ active }) => active.map((task) => ({ ...task }))],
  [
    'reserved',
    'tasks that were given a slot and are on their way to a worker',
    ({ scheduled }) => scheduled.map((task) => ({ ...task })),
  ],
  [
    'parked',
    'tasks that wait for a slot, the next one first',
    ({ reserved }) => reserved.map((task, index) => ({ ...task, place: index + 1 })),
  ],
];

export function slotCommands(command: Command, tools: Tools): void {
  for (const [name, what, rows] of WHAT)
    onService(command.command(name).argument('<task>', 'name of the task'))
      .description(what)
      .option('--key <text>', "as the function of its concurrency's key gives it", '')
      .addOption(new Option('--limit <count>', 'at most so many').argParser(count).default(100))
      .addHelpText(
        'after',
        `${notes(
          [`inspect ${name} orders.ship`, `inspect ${name} orders.ship --key DE`],
          'dynamodb:GetItem on items slots#*, Query on items parked#* of the state table',
        )}\n\nTasks without concurrency: celeriac inspect queues counts those in flight.`,
      )
      .action((task: string, options: SlotOptions) =>
        tools.with(options, async ({ service, output }) => {
          const { key, limit } = options;
          const view = await service.app.control.slots(task, { limit, ...(key === '' ? {} : { key }) });
          const nowMs = tools.terminal.clock.nowMs();
          const shown = (at: Date | undefined): string => (at === undefined ? '–' : instant(at, nowMs, options));
          output.list(
            rows(view),
            name === 'parked'
              ? [
                  { head: 'PLACE', of: ({ place }) => place ?? 0, right: true },
                  { head: 'ID', of: ({ id }) => id },
                  { head: 'SINCE', of: ({ since }) => shown(since) },
                  { head: 'EXPIRES', of: ({ expires }) => shown(expires) },
                ]
              : [
                  { head: 'ID', of: ({ id }) => id },
                  { head: 'ATTEMPT', of: ({ retries }) => retries + 1, right: true },
                  { head: 'SLOT UNTIL', of: ({ until }) => shown(until) },
                ],
            `None, under ${key === '' ? 'no key' : `key '${key}'`} of ${task}.`,
          );
          summary(view, output);
        }),
      );
}

function summary({ limit, active, waiting }: SlotsView, output: Output): void {
  if (limit === undefined) output.say('Nobody ever ran under it: check the name of the task, and --key.');
  else output.say(`${active.length} of ${limit} run, ${waiting} wait.`);
}
