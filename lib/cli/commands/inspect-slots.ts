/** `celeriac inspect active|reserved|parked`: who runs under a task's concurrency, and who waits. */
import { type Command, Option } from 'commander';

import type { SlotsView } from '../../app/slot-book.ts';
import { waitingLines } from '../../operate/waiting-lines.ts';
import { CommandFailed, UsageError } from '../failures.ts';
import { counted, instant } from '../format.ts';
import type { Column, Output } from '../output.ts';
import type { Service } from '../service.ts';
import { type CommonOptions, notes, onService, type Tools } from '../tools.ts';
import { count } from './count.ts';

interface SlotOptions extends CommonOptions {
  readonly key?: string;
  readonly limit: number;
}

/** One attempt under a key. */
interface SlotRow extends Readonly<Record<string, unknown>> {
  readonly id: string;
  readonly retries: number;
  /** Where all keys are listed: the task, `*` where several share the key. */
  readonly task?: string;
  readonly key?: string;
  /** Where all keys are listed: of its message. */
  readonly queue?: string;
  /** Until when its slot is its own. */
  readonly until?: Date;
  /** Since when it waits. */
  readonly since?: Date;
  /** When it is not worth running any more. */
  readonly expires?: Date;
  /** Its place in the line, from 1. */
  readonly place?: number;
}

type What = 'active' | 'reserved' | 'parked';
type Rows = (view: SlotsView) => readonly SlotRow[];

// What is longer is counted.
const LISTED_OF_A_LINE = 1000;

const WHAT: readonly (readonly [name: What, what: string, rows: Rows])[] = [
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
  for (const [name, what, of] of WHAT)
    onService(
      command.command(name).argument('[task]', 'name of the task; without one all keys for which somebody waits'),
    )
      .description(what)
      .option('--key <text>', "as the function of its concurrency's key gives it")
      .addOption(new Option('--limit <count>', 'at most so many').argParser(count).default(100))
      .addHelpText(
        'after',
        `${notes(
          [`inspect ${name}`, `inspect ${name} orders.ship`, `inspect ${name} orders.ship --key DE`],
          'dynamodb:GetItem on items slots#* and lock#*, Query on items parked#* and parked-keys#* of the state table',
        )}\n\nTasks without concurrency: celeriac inspect queues counts those in flight.`,
      )
      .action((task: string | undefined, options: SlotOptions) =>
        tools.with(options, async ({ service, output }) => {
          if (task !== undefined) return ofTask(task, name, of, { options, service, output, tools });
          if (options.key !== undefined)
            throw new UsageError(`--key is of a task: celeriac inspect ${name} <task> --key ${options.key}`);
          await ofAll(name, { options, service, output, tools });
        }),
      );
}

interface Asked {
  readonly options: SlotOptions;
  readonly service: Service;
  readonly output: Output;
  readonly tools: Tools;
}

async function ofTask(task: string, name: What, of: Rows, { options, service, output, tools }: Asked): Promise<void> {
  const { key = '', limit } = options;
  const view = await service.app.control.slots(task, { limit, ...(key === '' ? {} : { key }) });
  const none = `None, under ${key === '' ? 'no key' : `key '${key}'`} of ${task}.`;
  output.list(of(view), columns(name, options, tools), none);
  if (view.limit === undefined) output.say('Nobody ever ran under it: check the name of the task, and --key.');
  else output.say(`${view.active.length} of ${view.limit} run, ${view.waiting} wait.`);
}

async function ofAll(name: What, { options, service, output, tools }: Asked): Promise<void> {
  const { slots } = await service.app.ports();
  if (slots === undefined) throw new CommandFailed('This service has no store of slots.');
  const nowMs = tools.terminal.clock.nowMs();
  const { lines, more } = await waitingLines(slots, { nowMs, each: Math.min(options.limit, LISTED_OF_A_LINE) });
  const rows = lines.flatMap((line) =>
    line[name].map(({ id, retries, ...row }, index) => ({
      id,
      retries,
      task: line.task,
      key: line.key,
      ...row,
      ...(name === 'parked' ? { place: index + 1 } : {}),
    })),
  );
  const shown = rows.slice(0, options.limit);
  const keyed: readonly Column<SlotRow>[] = [
    { head: 'TASK', of: ({ task = '' }) => (task === '*' ? '(shared)' : task) },
    { head: 'KEY', of: ({ key = '' }) => key },
  ];
  output.list(shown, [...keyed, ...columns(name, options, tools)], `None: ${counted(lines.length, 'key')} has a line.`);
  const waiting = lines.reduce((sum, line) => sum + line.waiting, 0);
  if (lines.length > 0) output.say(`${waiting} wait for ${counted(lines.length, 'key')}.`);
  if (name !== 'parked')
    output.say(
      `These are of keys for which somebody waits. Of others: celeriac inspect ${name} <task>; tasks without concurrency: celeriac inspect queues`,
    );
  if (shown.length < rows.length) output.say(`There are more: --limit ${options.limit * 10}`);
  if (more) output.say('There are more keys than are looked at: give the task, and --key.');
}

function columns(name: What, options: SlotOptions, { terminal }: Tools): readonly Column<SlotRow>[] {
  const nowMs = terminal.clock.nowMs();
  const shown = (at: Date | undefined): string => (at === undefined ? '–' : instant(at, nowMs, options));
  return name === 'parked'
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
      ];
}
