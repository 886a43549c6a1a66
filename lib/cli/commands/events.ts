/** `celeriac events`: what ends, as it ends. */
import type { HistoryQuery } from '../../history/list.ts';
import type { TaskEnd } from '../../history/end-view.ts';
import { MAX_LISTED_HISTORY } from '../../base/limits.ts';
import type { CommandModule, JsonSchema } from '../command.ts';
import { CommandFailed } from '../failures.ts';
import { span } from '../format.ts';
import { printable } from '../output.ts';
import { stateStyle } from '../task-text.ts';
import type { Terminal } from '../terminal.ts';
import { type CommonOptions, notes, onService } from '../tools.ts';
import { secondsOption, watching } from '../watching.ts';
import { TIME } from './task-schema.ts';

interface EventsOptions extends CommonOptions {
  readonly task?: string;
  readonly queue?: string;
  readonly state?: readonly string[];
  readonly since?: string;
  readonly interval: number;
  readonly follow: boolean;
}

const TEXT = { type: 'string' };
const COUNT = { type: 'integer', minimum: 0 };
const orNull = (type: string): JsonSchema => ({ type: [type, 'null'] });
const FIELDS = {
  id: TEXT,
  attempt: COUNT,
  task: TEXT,
  queue: TEXT,
  state: TEXT,
  endedAt: TIME,
  startedAt: { anyOf: [TIME, { type: 'null' }] },
  waitSeconds: orNull('number'),
  runSeconds: orNull('number'),
  deliveries: COUNT,
  lostRuns: COUNT,
  repr: orNull('string'),
  error: orNull('string'),
  parentId: orNull('string'),
  deadLetter: orNull('string'),
  scheduleEntry: orNull('string'),
};

/** A line of `celeriac events --json`. */
export const EVENTS_SCHEMA: JsonSchema = {
  type: 'object',
  properties: FIELDS,
  required: Object.keys(FIELDS),
  additionalProperties: false,
};

const INTERVAL_SECONDS = 2;
// What ends in a batch is written down with the batch: some of it is older by then.
const LATE_MS = 60_000;

export const events: CommandModule = {
  define(command, tools) {
    onService(command)
      .description('Ends of tasks as they come, retries among them, the oldest first.')
      .option('-t, --task <name>', 'of this task')
      .option('-Q, --queue <name>', 'of this queue')
      .option('--state <states...>', 'of these states: FAILURE, REJECTED')
      .option('--since <time>', 'begins with what ended since then: 10m, or ISO 8601')
      .option('--no-follow', 'ends when it has shown what there is')
      .addOption(secondsOption('--interval <duration>', 'time between two looks', 1).default(INTERVAL_SECONDS))
      .addHelpText(
        'after',
        `${notes(['events', 'events --task orders.charge --state FAILURE REJECTED', 'events --since 10m --no-follow --json'], 'service.grantHistory: dynamodb:Query on items history#* of the state table')}\n\nA look is four queries for what ended in the last minute or two: at one each two seconds 170,000 a day, some five cents and what they read. It shows what ended, not what began; history: 'off' leaves nothing to show.`,
      )
      .action((options: EventsOptions) =>
        tools.with(options, async ({ service, output }) => {
          const { clock } = tools.terminal;
          const tail = new Tail(queryOf(options), clock.nowMs());
          const looks = async (): Promise<void> => {
            for (const end of await tail.look((query) => service.app.history.list(query), clock.nowMs()))
              output.show({ ...end }, () => lineOf(end, options, tools.terminal));
            if (tail.missed)
              output.say('More has ended than a look shows: --task, --queue and --state leave some out.');
          };
          await watching(options.follow, options.interval, tools, looks);
          if (!options.follow && tail.missed) throw new CommandFailed('');
        }),
      );
  },
};

function queryOf({ task, queue, state, since }: EventsOptions): HistoryQuery {
  return {
    ...(task === undefined ? {} : { task }),
    ...(queue === undefined ? {} : { queue }),
    ...(state === undefined ? {} : { state }),
    ...(since === undefined ? {} : { from: since }),
  };
}

type Listed = (
  query: HistoryQuery,
) => Promise<{ readonly entries: readonly TaskEnd[]; readonly cursor: string | null }>;

/** What has not been shown yet, look by look. */
export class Tail {
  readonly #query: HistoryQuery;
  /** By attempt, when it ended: what may come again in the next look. */
  #shown = new Map<string, number>();
  /** What ended before is not asked for. */
  readonly #notBeforeMs: number;
  #fromMs: number;
  #begun = false;
  /** The last look could not show all. */
  missed = false;

  constructor(query: HistoryQuery, nowMs: number) {
    this.#query = query;
    this.#fromMs = nowMs;
    this.#notBeforeMs = query.from === undefined ? nowMs : -Infinity;
  }

  /** The oldest first. */
  async look(list: Listed, nowMs: number): Promise<readonly TaskEnd[]> {
    // The first look begins where it was asked to: with what ends from now on, unless something else was said.
    const from = this.#begun ? new Date(this.#fromMs - LATE_MS) : (this.#query.from ?? new Date(this.#fromMs));
    const { entries, cursor } = await list({ ...this.#query, from, limit: MAX_LISTED_HISTORY });
    this.#begun = true;
    this.missed = cursor !== null;
    const fresh = entries.filter((end) => end.endedAt.getTime() >= this.#notBeforeMs && !this.#shown.has(keyOf(end)));
    for (const end of entries) this.#shown.set(keyOf(end), end.endedAt.getTime());
    // Nothing older is asked for again.
    this.#shown = new Map([...this.#shown].filter(([, endedMs]) => endedMs >= nowMs - 2 * LATE_MS));
    this.#fromMs = nowMs;
    return fresh.toReversed();
  }
}

function keyOf({ id, attempt }: TaskEnd): string {
  return `${attempt} ${id}`;
}

const SHORT_ID_CHARACTERS = 8;

function lineOf(end: TaskEnd, { utc = false }: CommonOptions, terminal: Terminal): string {
  const { id, task, queue, state, endedAt, runSeconds, repr, error, deadLetter } = end;
  const time = endedAt.toISOString();
  return [
    terminal.style('dim', utc ? time : time.slice(11, 19)),
    printable(queue),
    terminal.style('bold', printable(task)),
    printable(utc ? id : id.slice(0, SHORT_ID_CHARACTERS)),
    ...(repr === null ? [] : [printable(repr)]),
    terminal.style(stateStyle(state), state),
    ...(runSeconds === null ? [] : [span(runSeconds * 1000)]),
    ...(error === null ? [] : [printable(error)]),
    ...(deadLetter === null ? [] : [`put aside: ${printable(deadLetter)}`]),
  ].join('  ');
}
