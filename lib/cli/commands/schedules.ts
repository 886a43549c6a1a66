/** `celeriac schedules`: entries that fire tasks, read and changed while the service runs. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';

import { type Command, Option } from 'commander';

import { type Fixture, readFixture } from '../../beat/fixture.ts';
import type { StoredSchedule } from '../../beat/schedule-view.ts';
import type { ScheduleBook } from '../../beat/schedules.ts';
import { errorMessage } from '../../base/error-text.ts';
import type { CommandModule, JsonSchema } from '../command.ts';
import { CommandFailed, UsageError } from '../failures.ts';
import type { Output } from '../output.ts';
import { type CommonOptions, notes, onService, onServiceAsking, type Opened, type Tools } from '../tools.ts';
import { count } from './count.ts';
import { jsonArray, jsonObject } from './json-argument.ts';
import { checkEntry, knownEntry, putEntry } from './schedule-put.ts';
import { SCHEDULE_SCHEMA, scheduleColumns, scheduleRow } from './schedule-row.ts';

/** Lines of `celeriac schedules <what> --json`. `dump` prints a fixture instead. */
export const SCHEDULES_SCHEMAS: Readonly<Record<string, JsonSchema>> = {
  list: SCHEDULE_SCHEMA,
  show: SCHEDULE_SCHEMA,
  enable: SCHEDULE_SCHEMA,
  disable: SCHEDULE_SCHEMA,
  'follow-code': SCHEDULE_SCHEMA,
  put: SCHEDULE_SCHEMA,
  check: SCHEDULE_SCHEMA,
  rename: SCHEDULE_SCHEMA,
  run: {
    type: 'object',
    properties: { name: { type: 'string' }, id: { type: 'string' } },
    required: ['name', 'id'],
    additionalProperties: false,
  },
  delete: {
    type: 'object',
    properties: { name: { type: 'string' }, deleted: { const: true } },
    required: ['name', 'deleted'],
    additionalProperties: false,
  },
  load: {
    type: 'object',
    properties: {
      stored: { type: 'array', items: { type: 'string' } },
      kept: { type: 'array', items: { type: 'string' } },
    },
    required: ['stored', 'kept'],
    additionalProperties: false,
  },
};

const RIGHTS =
  'service.grantSchedules: items schedule and schedule-due of the state table, sqs:SendMessage, events:EnableRule and DisableRule';

export const schedules: CommandModule = {
  define(command, tools) {
    listing(command, tools);
    switching(command, tools);
    editing(command, tools);
    fixtures(command, tools);
  },
};

/** A subcommand on one entry. */
function onEntry(command: Command, name: string, what: string): Command {
  return onService(command.command(name).argument('<name>', 'name of the entry')).description(what);
}

function shown(entry: StoredSchedule, output: Output, options: CommonOptions, { terminal }: Tools): void {
  const row = scheduleRow(entry);
  if (output.json) output.show(row, () => '');
  else output.list([row], scheduleColumns(terminal.clock.nowMs(), options), '');
}

/** @throws CommandFailed, with the names that there are */
async function entryOf(book: ScheduleBook, name: string): Promise<StoredSchedule> {
  const entry = await book.get(name);
  if (entry === undefined)
    throw new CommandFailed(`There is no entry '${name}'. See them all: celeriac schedules list`);
  return entry;
}

function listing(command: Command, tools: Tools): void {
  onService(command.command('list'))
    .description('all entries, those of code and stored ones')
    .addOption(new Option('--limit <count>', 'at most so many').argParser(count).default(100))
    .option('--after <name>', 'only those after this name')
    .addHelpText('after', notes(['schedules list', 'schedules list --utc'], RIGHTS))
    .action((options: CommonOptions & { readonly limit: number; readonly after?: string }) =>
      tools.with(options, async ({ service, output }) => {
        const { limit, after } = options;
        const entries = await service.app.schedules.list({ limit, ...(after === undefined ? {} : { after }) });
        const nowMs = tools.terminal.clock.nowMs();
        output.list(entries.map(scheduleRow), scheduleColumns(nowMs, options), 'There are no entries.');
        if (entries.length === limit) output.say(`There may be more: --after '${entries.at(-1)?.name ?? ''}'`);
      }),
    );
  onEntry(command, 'show', 'one entry, with its next ticks and what it sends')
    .addHelpText('after', notes(['schedules show nightly'], RIGHTS))
    .action((name: string, options: CommonOptions) =>
      tools.with(options, async ({ service, output }) => {
        const entry = await entryOf(service.app.schedules, name);
        output.show(scheduleRow(entry), () => JSON.stringify(scheduleRow(entry), null, 2));
      }),
    );
}

interface RunOptions extends CommonOptions {
  readonly args?: readonly unknown[];
  readonly kwargs?: Readonly<Record<string, unknown>>;
}

function switching(command: Command, tools: Tools): void {
  for (const [action, call, what] of [
    ['enable', 'enable', 'lets an entry fire, at once'],
    ['disable', 'disable', 'keeps an entry from firing, at once; a deployment does not change it back'],
    [
      'follow-code',
      'followCode',
      'takes back enable or disable of an entry that code declares: its code decides again',
    ],
  ] as const)
    onEntry(command, action, what)
      .addHelpText('after', notes([`schedules ${action} nightly`], RIGHTS))
      .action((name: string, options: CommonOptions) =>
        tools.with(options, async ({ service, output }) => {
          shown(await service.app.schedules[call](name), output, options, tools);
        }),
      );
  onEntry(command, 'run', "sends an entry's task now, whatever its schedule says")
    .option('-a, --args <json>', "arguments in place of the entry's: a JSON array", jsonArray)
    .option('-k, --kwargs <json>', "keyword arguments in place of the entry's: a JSON object", jsonObject)
    .addHelpText('after', notes(['schedules run nightly', `schedules run nightly --args '["2026-11-22"]'`], RIGHTS))
    .action((name: string, options: RunOptions) =>
      tools.with(options, async ({ service, output }) => {
        const { args, kwargs } = options;
        const { id } = await service.app.schedules.runNow(name, {
          ...(args === undefined ? {} : { args }),
          ...(kwargs === undefined ? {} : { kwargs }),
        });
        output.show({ name, id }, () => id);
        output.say(`Look at it: celeriac result ${id}`);
        await tellMonitor(service, { name, id, by: tools.terminal.variables['USER'] ?? 'somebody' });
      }),
    );
}

/** It has been sent, which is what was asked for: who may not write the audit list is no worse off. */
async function tellMonitor(
  service: Opened['service'],
  run: { readonly name: string; readonly id: string; readonly by: string },
): Promise<void> {
  const [{ monitoredService }, { noteRun }] = await Promise.all([
    import('../monitored-service.ts'),
    import('../../monitor/begun-runs.ts'),
  ]);
  await noteRun(monitoredService(service), run).catch(() => undefined);
}

function editing(command: Command, tools: Tools): void {
  putEntry(
    onEntry(command, 'put', 'stores an entry, new or in place of another'),
    tools,
    (entry, { output }, options) => shown(entry, output, options, tools),
  ).addHelpText(
    'after',
    notes(
      [
        "schedules put nightly --task reports.build --crontab '0 3 * * *' --timezone Europe/Berlin",
        `schedules put beat --task health.check --every 10s --args '["db"]'`,
        'schedules put promo --task promo.start --at 2027-01-01T00:00:00Z',
      ],
      RIGHTS,
    ),
  );
  checkEntry(
    onEntry(command, 'check', 'what put would store, and its next ticks; nothing is stored'),
    tools,
  ).addHelpText(
    'after',
    notes(["schedules check nightly --task reports.build --crontab '0 3 * * *' --timezone Europe/Berlin"], RIGHTS),
  );
  onEntry(command, 'rename', 'stores an entry under another name; its counts go on')
    .argument('<new-name>', 'its name from now on')
    .addHelpText('after', notes(['schedules rename nightly reports-nightly'], RIGHTS))
    .action((name: string, newName: string, options: CommonOptions) =>
      tools.with(options, async ({ service, output }) => {
        const { version } = await entryOf(service.app.schedules, name);
        shown(await service.app.schedules.rename(name, newName, { version }), output, options, tools);
      }),
    );
  onServiceAsking(command.command('delete').argument('<name>', 'name of the entry'))
    .description('deletes a stored entry')
    .addHelpText('after', notes(['schedules delete promo', 'schedules delete promo --yes'], RIGHTS))
    .action((name: string, options: CommonOptions) =>
      tools.with(options, async ({ service, output }) => {
        const { task, version } = await entryOf(service.app.schedules, name);
        await tools.ask(`Entry '${name}', which sends ${task.task}, is deleted.`, options);
        await service.app.schedules.delete(name, { version });
        output.show({ name, deleted: true }, () => `Entry '${name}' is deleted.`);
      }),
    );
}

function fixtures(command: Command, tools: Tools): void {
  onService(command.command('dump'))
    .description('all stored entries as JSON, for load')
    .addHelpText('after', notes(['schedules dump > schedules.json'], RIGHTS))
    .action((options: CommonOptions) =>
      tools.with(options, async ({ service }) => {
        tools.terminal.print(JSON.stringify(await service.app.schedules.dump(), null, options.json === true ? 0 : 2));
      }),
    );
  onServiceAsking(command.command('load').argument('<file>', 'what dump has printed; - for standard input'))
    .description('stores the entries of a fixture; those that exist are kept')
    .option('--replace', 'entries that exist are replaced')
    .addHelpText(
      'after',
      notes(['schedules load schedules.json', 'schedules load schedules.json --replace --yes'], RIGHTS),
    )
    .action((file: string, options: CommonOptions & { readonly replace?: boolean }) =>
      tools.with(options, (opened) => load(file, options, opened, tools)),
    );
}

async function load(
  file: string,
  options: CommonOptions & { readonly replace?: boolean },
  { service, output }: Opened,
  tools: Tools,
): Promise<void> {
  const text = await fixtureText(file, tools);
  if (options.replace === true) await tools.ask(`Entries that exist are replaced by those of ${file}.`, options);
  const entries = Object.entries(readFixture(text)).map(([name, entry]) => [name, knownEntry(entry, service)]);
  const mode = options.replace === true ? 'always' : 'once';
  const { stored, kept } = await service.app.schedules.load(Object.fromEntries(entries) as Fixture, { mode });
  output.show(
    { stored, kept },
    () => `${stored.length} ${stored.length === 1 ? 'entry' : 'entries'} stored, ${kept.length} kept.`,
  );
  if (kept.length > 0 && options.replace !== true) output.say(`Kept: ${kept.join(', ')}. Replace them: --replace`);
}

async function fixtureText(file: string, { terminal }: Tools): Promise<string> {
  if (file === '-') return terminal.read();
  try {
    return await readFile(resolve(terminal.folder, file), 'utf8');
  } catch (error) {
    throw new UsageError(`${file} cannot be read: ${errorMessage(error)}`);
  }
}
