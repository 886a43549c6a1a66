/** `celeriac stats`: how many tasks ended, how they ended, and how long they waited and ran. */
import { Option } from 'commander';

import type { Stats, StatsCounts } from '../../history/stats.ts';
import type { CommandModule, JsonSchema } from '../command.ts';
import { span } from '../format.ts';
import type { Column, Output, Row } from '../output.ts';
import { type CommonOptions, notes, onService } from '../tools.ts';
import { secondsOption, watching } from '../watching.ts';
import { TIME } from './task-schema.ts';

interface StatsOptions extends CommonOptions {
  readonly task?: string;
  readonly from?: string;
  readonly to?: string;
  readonly every: 'minute' | 'hour' | 'day';
  readonly buckets?: boolean;
  readonly watch?: boolean;
  readonly interval: number;
}

const COUNT = { type: 'integer', minimum: 0 };
const SECONDS = { type: 'number' };
const PERCENTILES = {
  anyOf: [
    { type: 'null' },
    {
      type: 'object',
      properties: { p50: SECONDS, p95: SECONDS, p99: SECONDS },
      required: ['p50', 'p95', 'p99'],
      additionalProperties: false,
    },
  ],
};
const COUNTS = {
  count: COUNT,
  states: { type: 'object', additionalProperties: COUNT },
  lostRuns: COUNT,
  waitSeconds: PERCENTILES,
  runSeconds: PERCENTILES,
};

/** A line of `celeriac stats --json`: of a task, of all of them (`task` is null), or of a bucket. */
export const STATS_SCHEMA: JsonSchema = {
  type: 'object',
  properties: {
    task: { type: ['string', 'null'] },
    start: TIME,
    every: { enum: ['minute', 'hour', 'day'] },
    ...COUNTS,
  },
  required: ['every', ...Object.keys(COUNTS)],
  additionalProperties: false,
};

// Each look reads the buckets that were asked for, and what the last minutes have not rolled up.
const INTERVAL_SECONDS = 10;
const SHORTEST_INTERVAL_SECONDS = 2;

export const stats: CommandModule = {
  define(command, tools) {
    onService(command)
      .description('How many tasks ended and how, and how long they waited and ran, by task: the last hour.')
      .option('-t, --task <name>', 'of this task alone')
      .option('--from <time>', 'since then: 2h, 1d, or ISO 8601 (default: 60 minutes, 24 hours or 30 days)')
      .option('--to <time>', 'up to then')
      .addOption(
        new Option('--every <length>', 'what is counted together').choices(['minute', 'hour', 'day']).default('minute'),
      )
      .option('--buckets', 'each minute, hour or day instead of each task')
      .option('-w, --watch', 'again and again, until Ctrl+C')
      .addOption(
        secondsOption('--interval <duration>', 'time between two looks', SHORTEST_INTERVAL_SECONDS).default(
          INTERVAL_SECONDS,
        ),
      )
      .addHelpText(
        'after',
        `${notes(['stats', 'stats --task orders.charge --from 1d --every hour --buckets', 'stats --watch --json'], 'service.grantHistory: dynamodb:Query on items history#*, stats#*, history-roll of the state table')}\n\nA look reads the counts of that time, which are a few kilobytes a minute, and what has ended in the last two minutes.`,
      )
      .action((options: StatsOptions) =>
        tools.with(options, async ({ service, output }) => {
          const { task, from, to, every } = options;
          const query = { every, ...given({ task, from, to }) };
          await watching(options.watch === true, options.interval, tools, async () =>
            show(await service.app.stats(query), options, output),
          );
        }),
      );
  },
};

function given(fields: Readonly<Record<string, string | undefined>>): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(fields).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  );
}

type Line = StatsCounts & { readonly task?: string | null; readonly start?: Date } & Row;

function show({ every, buckets, total, tasks }: Stats, options: StatsOptions, output: Output): void {
  const lines: readonly Line[] =
    options.buckets === true
      ? buckets.map((bucket) => ({ every, ...bucket }))
      : [...tasks.map((counts) => ({ every, ...counts })), { every, task: null, ...total }];
  const shown = output.json || options.buckets === true || total.count > 0 ? lines : [];
  output.list(shown, columns(options), 'Nothing has ended in that time. What goes on: celeriac inspect queues');
}

function columns({ buckets }: StatsOptions): readonly Column<Line>[] {
  const long = (seconds: number | undefined): string => (seconds === undefined ? '–' : span(seconds * 1000));
  const of =
    (...states: readonly string[]) =>
    ({ states: counts }: Line): number =>
      states.reduce((sum, state) => sum + (counts[state] ?? 0), 0);
  const bad = of('FAILURE', 'REJECTED');
  return [
    buckets === true
      ? { head: 'FROM', of: ({ start }) => start?.toISOString().replace(':00.000Z', 'Z') ?? '' }
      : { head: 'TASK', of: ({ task }) => task ?? '(all)' },
    { head: 'ENDED', of: ({ count }) => count, right: true },
    { head: 'SUCCESS', of: of('SUCCESS'), right: true },
    { head: 'FAILED', of: bad, right: true, style: (line) => (bad(line) === 0 ? undefined : 'red') },
    { head: 'RETRIED', of: of('RETRY'), right: true },
    {
      head: 'LOST',
      of: ({ lostRuns }) => lostRuns,
      right: true,
      style: ({ lostRuns }) => (lostRuns === 0 ? undefined : 'red'),
    },
    { head: 'REVOKED', of: of('REVOKED'), right: true },
    { head: 'WAIT P50', of: ({ waitSeconds }) => long(waitSeconds?.p50), right: true },
    { head: 'P95', of: ({ waitSeconds }) => long(waitSeconds?.p95), right: true },
    { head: 'RUN P50', of: ({ runSeconds }) => long(runSeconds?.p50), right: true },
    { head: 'P95', of: ({ runSeconds }) => long(runSeconds?.p95), right: true },
    { head: 'P99', of: ({ runSeconds }) => long(runSeconds?.p99), right: true },
  ];
}
