/** `celeriac schedules put` and `check`: an entry from options. */
import type { Command } from 'commander';

import type { BeatEntry } from '../../beat/entry.ts';
import type { StoredSchedule } from '../../beat/schedule-view.ts';
import { clocked } from '../../schedules/clocked.ts';
import { crontab } from '../../schedules/crontab.ts';
import { every } from '../../schedules/interval.ts';
import type { Schedule } from '../../schedules/schedule.ts';
import { solar } from '../../schedules/solar.ts';
import type { SolarEvent } from '../../schedules/schedule.ts';
import { describeSchedule } from '../../schedules/describe-schedule.ts';
import { UsageError } from '../failures.ts';
import { instant } from '../format.ts';
import { checkKnown, checkUnmarked } from '../known-task.ts';
import type { Service } from '../service.ts';
import type { CommonOptions, Opened, Tools } from '../tools.ts';
import { jsonArray, jsonObject } from './json-argument.ts';
import { seconds } from './result.ts';
import { scheduleRow } from './schedule-row.ts';

interface PutOptions extends CommonOptions {
  readonly task: string;
  readonly crontab?: string;
  readonly every?: number;
  readonly at?: string;
  readonly solar?: string;
  readonly timezone?: string;
  readonly args?: readonly unknown[];
  readonly kwargs?: Readonly<Record<string, unknown>>;
  readonly queue?: string;
  readonly oneOff?: boolean;
  readonly disabled?: boolean;
  readonly startTime?: string;
  readonly expires?: string;
  readonly description?: string;
  readonly createOnly?: boolean;
}

/** Adds its options and what it does. @param show what is said of the entry that was stored */
export function putEntry(
  command: Command,
  tools: Tools,
  show: (entry: StoredSchedule, opened: Opened, options: CommonOptions) => void,
): Command {
  return withEntryOptions(command)
    .option('--create-only', 'refused where there is one of this name')
    .action((name: string, options: PutOptions) =>
      tools.with(options, async (opened) => {
        const { createOnly = false } = options;
        const wanted = knownEntry(entryFrom(options), opened.service);
        const entry = await opened.service.app.schedules.put(name, wanted, { createOnly });
        show(entry, opened, options);
      }),
    );
}

/** Adds the options of `put`, and says what it would store. */
export function checkEntry(command: Command, tools: Tools): Command {
  return withEntryOptions(command).action((name: string, options: PutOptions) =>
    tools.with(options, async ({ service, output }) => {
      const entry = await service.app.schedules.check(name, knownEntry(entryFrom(options), service));
      const nowMs = tools.terminal.clock.nowMs();
      output.show(scheduleRow(entry), () =>
        [describeSchedule(entry.schedule), ...entry.nextTicks.map((tick) => instant(tick, nowMs, options))].join('\n'),
      );
      if (entry.nextTicks.length === 0) output.say('It is not due any more.');
    }),
  );
}

function withEntryOptions(command: Command): Command {
  return command
    .requiredOption('--task <name>', 'what it sends')
    .option('--crontab <fields>', "five fields of Celery's: minute, hour, day of month, month, day of week")
    .option('--every <duration>', 'an interval, as in 10s or 2h', seconds)
    .option('--at <time>', 'once: ISO 8601')
    .option('--solar <event,latitude,longitude>', 'at each event of the sun, as in sunset,52.5,13.4')
    .option('--timezone <zone>', 'IANA zone of the crontab (default: UTC)')
    .option('-a, --args <json>', 'arguments: a JSON array', jsonArray)
    .option('-k, --kwargs <json>', 'keyword arguments: a JSON object', jsonObject)
    .option('-Q, --queue <name>', 'send to this queue')
    .option('--one-off', 'disabled after its first tick')
    .option('--disabled', 'stored, but does not fire yet')
    .option('--start-time <time>', 'no tick before: ISO 8601')
    .option('--expires <time>', 'no tick at or after it: ISO 8601')
    .option('--description <text>', 'for people');
}

/** Without the code of its task its name is looked up here, and not by the app. @throws UsageError */
export function knownEntry(entry: BeatEntry, service: Service): BeatEntry {
  const name = typeof entry.task === 'string' ? entry.task : entry.task.task;
  checkKnown(name, service);
  checkUnmarked(name, service);
  return service.hasCode ? entry : { ...entry, customTask: true };
}

function entryFrom(options: PutOptions): BeatEntry {
  const { task, args, kwargs, queue, oneOff, disabled, startTime, expires, description } = options;
  return {
    task,
    schedule: scheduleFrom(options),
    ...(args === undefined ? {} : { args }),
    ...(kwargs === undefined ? {} : { kwargs }),
    ...(queue === undefined ? {} : { options: { queue } }),
    ...(oneOff === true ? { oneOff } : {}),
    ...(disabled === true ? { enabled: false } : {}),
    ...(startTime === undefined ? {} : { startTime }),
    ...(expires === undefined ? {} : { expires }),
    ...(description === undefined ? {} : { description }),
  };
}

function scheduleFrom({ crontab: fields, every: interval, at, solar: sun, timezone }: PutOptions): Schedule {
  const given = [
    ...(fields === undefined ? [] : [() => crontab(fields, timezone === undefined ? {} : { timezone })]),
    ...(interval === undefined ? [] : [() => every(interval)]),
    ...(at === undefined ? [] : [() => clocked(at)]),
    ...(sun === undefined ? [] : [() => solarFrom(sun)]),
  ];
  const [make] = given;
  if (make === undefined || given.length > 1)
    throw new UsageError('When? Give one of --crontab, --every, --at and --solar.');
  return make();
}

function solarFrom(text: string): Schedule {
  const [event = '', latitude = '', longitude = ''] = text.split(',').map((part) => part.trim());
  return solar(event as SolarEvent, Number(latitude || Number.NaN), Number(longitude || Number.NaN));
}
