/** `celeriac dlq`: what was put aside, listed, sent back, thrown away. */
import type { Command } from 'commander';

import type { DeadLetterBook } from '../../operate/dead-letter-book.ts';
import type { DeadLetterQuery } from '../../operate/letter-query.ts';
import type { LetterEdit } from '../../operate/redriven-message.ts';
import type { Rate } from '../../options/rate-limit.ts';
import { taskId } from './result.ts';
import type { CommandModule } from '../command.ts';
import { CommandFailed } from '../failures.ts';
import { counted } from '../format.ts';
import { GROUP_COLUMNS, LETTER_COLUMNS, progress, tasksOf, textOf, told } from './dlq-text.ts';
import { onlyOf, WHOLE_ID_CHARACTERS } from '../whole-id.ts';
import { json } from './json-argument.ts';
import { type CommonOptions, notes, onService, onServiceAsking, type Tools } from '../tools.ts';

interface QueryOptions extends CommonOptions {
  readonly queue?: string;
  readonly task?: string;
  readonly error?: string;
  readonly group?: string;
  readonly id?: string;
  readonly since?: string;
  readonly until?: string;
}

interface ListOptions extends QueryOptions {
  readonly limit?: number;
  readonly letters?: boolean;
}

interface RedriveOptions extends QueryOptions {
  readonly rate?: string;
  readonly dryRun?: boolean;
  readonly args?: unknown;
  readonly kwargs?: unknown;
  readonly to?: string;
  readonly ignoreExpires?: boolean;
}

export const dlq: CommandModule = {
  define(command, tools) {
    list(command, tools);
    show(command, tools);
    redrive(command, tools);
    drop(command, tools);
  },
};

// --------------------------------------------------------------------- list

function list(command: Command, tools: Tools): void {
  filters(onService(command.command('list')))
    .description('what was put aside, by queue, task and error')
    .option('--limit <count>', 'letters of a queue that are looked at (default: 1000)', Number)
    .option('--letters', 'each letter, oldest first')
    .addHelpText(
      'after',
      notes(
        ['dlq list', 'dlq list --task orders.charge --since 2h --letters', 'dlq list --json'],
        'sqs:ReceiveMessage, ChangeMessageVisibility, GetQueueAttributes on the dead-letter queues (service.grantDeadLetters)',
      ),
    )
    .action((options: ListOptions) =>
      tools.with(options, async ({ service, output }) => {
        const { limit } = options;
        const found = await service.app.deadLetters.list({
          ...(await queryOf(options, service.app.deadLetters)),
          ...(limit === undefined ? {} : { limit }),
        });
        const now = (): number => tools.terminal.clock.nowMs();
        const nothing = 'Nothing was put aside.';
        if (options.letters === true)
          output.list(
            found.letters.map((letter) => ({ ...letter })),
            LETTER_COLUMNS(now, options),
            nothing,
          );
        else
          output.list(
            found.groups.map((group) => ({ ...group })),
            GROUP_COLUMNS(now, options),
            nothing,
          );
        if (!found.complete) output.say('There are more than were looked at: --limit 100000');
        if (found.letters.length > 0) output.say('Have them run once more: celeriac dlq redrive --group <group>');
      }),
    );
}

// --------------------------------------------------------------------- show

function show(command: Command, tools: Tools): void {
  onService(command.command('show'))
    .argument('<id>', 'id of the task, or its beginning', taskId)
    .description('the letters of one task, with the arguments that lie there')
    .addHelpText('after', notes(['dlq show 4c21', 'dlq show 4c21 --json'], 'those of dlq list'))
    .action((id: string, options: CommonOptions) =>
      tools.with(options, async ({ service, output }) => {
        const book = service.app.deadLetters;
        const letters = await book.show(await idOfLetter(id, book));
        if (letters.length === 0) throw new CommandFailed(`No letter of task ${id} lies in a dead-letter queue.`);
        for (const letter of letters) output.show({ ...letter }, () => textOf(letter, options, tools));
      }),
    );
}

// ------------------------------------------------------------------ redrive

function redrive(command: Command, tools: Tools): void {
  filters(onServiceAsking(command.command('redrive')))
    .description('has tasks run once more, each under its id as a new attempt')
    .option('--rate <rate>', 'so many in a time: 5/s, 100/m')
    .option('--dry-run', 'only tells what would become of them')
    .option('--args <json>', 'all arguments instead of those that lie there', json)
    .option('--kwargs <json>', 'keyword arguments instead of those that lie there', json)
    .option('--to <queue>', 'to this queue instead of the one that they came from')
    .option('--ignore-expires', 'also those whose `expires` has passed')
    .addHelpText(
      'after',
      notes(
        [
          'dlq redrive --task orders.charge --rate 5/s',
          'dlq redrive --id 4c21 --args \'["ada", 1200]\'',
          'dlq redrive --group a1b2c3d4 --dry-run',
        ],
        'those of dlq list, sqs:DeleteMessage there, sqs:SendMessage on the queues; dynamodb:GetItem, BatchGetItem, UpdateItem, DeleteItem on the results table (service.grantDeadLetters)',
      ),
    )
    .action((options: RedriveOptions) =>
      tools.with(options, async ({ service, output }) => {
        const book = service.app.deadLetters;
        const query = await queryOf(options, book);
        const edit = editOf(options);
        const would = await book.redrive({ ...query, edit, dryRun: true });
        if (options.dryRun === true || would.matched === 0) return told(would, output, 'would be sent');
        await tools.ask(
          `${counted(would.matched, 'letter')} (${tasksOf(would)}): ${would.sent} to run once more, each under its id as a new attempt${options.rate === undefined ? '' : `, ${options.rate}`}.`,
          options,
        );
        const report = await book.redrive({
          ...query,
          edit,
          ...(options.rate === undefined ? {} : { rate: options.rate as Rate }),
          onProgress: progress(would.matched, output, tools),
          signal: tools.terminal.interrupted(),
        });
        told(report, output, 'sent');
        if (report.failed > 0 || !report.complete) throw new CommandFailed('');
      }),
    );
}

function editOf({ args, kwargs, to, ignoreExpires }: RedriveOptions): LetterEdit {
  return {
    ...(args === undefined ? {} : { args: args as readonly unknown[] }),
    ...(kwargs === undefined ? {} : { kwargs: kwargs as Readonly<Record<string, unknown>> }),
    ...(to === undefined ? {} : { queue: to }),
    ...(ignoreExpires === true ? { expires: null } : {}),
  };
}

// --------------------------------------------------------------------- drop

function drop(command: Command, tools: Tools): void {
  filters(onServiceAsking(command.command('drop')))
    .description('deletes letters for good')
    .option('--dry-run', 'only tells which')
    .addHelpText(
      'after',
      notes(['dlq drop --group a1b2c3d4', 'dlq drop --until 7d --yes'], 'those of dlq list, sqs:DeleteMessage there'),
    )
    .action((options: RedriveOptions) =>
      tools.with(options, async ({ service, output }) => {
        const book = service.app.deadLetters;
        const query = await queryOf(options, book);
        const would = await book.drop({ ...query, dryRun: true });
        if (options.dryRun === true || would.matched === 0) return told(would, output, 'would be deleted');
        await tools.ask(
          `${counted(would.matched, 'letter')} (${tasksOf(would)}) will be deleted for good: nothing brings them back.`,
          options,
        );
        told(await book.drop({ ...query, signal: tools.terminal.interrupted() }), output, 'deleted');
      }),
    );
}

// ------------------------------------------------------------------- common

function filters(command: Command): Command {
  return command
    .option('-Q, --queue <name>', 'of this queue')
    .option('-t, --task <name>', 'of this task')
    .option('--error <text>', 'of this error: its name, or text of its message or the reason')
    .option('--group <group>', 'of this group, as dlq list shows it')
    .option('--id <id>', 'of this task id, or its beginning', taskId)
    .option('--since <time>', 'put aside then or later: 2h ago, or ISO 8601')
    .option('--until <time>', 'put aside before then');
}

async function queryOf(options: QueryOptions, book: DeadLetterBook): Promise<DeadLetterQuery> {
  const { queue, task, error, group: fingerprint, id, since, until } = options;
  const query = { queue, task, error, fingerprint, since, until };
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  return { ...Object.fromEntries(given), ...(id === undefined ? {} : { id: await idOfLetter(id, book) }) };
}

/** @throws UsageError for a beginning that several tasks have */
async function idOfLetter(id: string, book: DeadLetterBook): Promise<string> {
  if (id.length >= WHOLE_ID_CHARACTERS) return id;
  const { letters } = await book.list();
  const ids = new Set(letters.flatMap((letter) => (letter.id?.startsWith(id) === true ? [letter.id] : [])));
  return onlyOf(id, [...ids]);
}
