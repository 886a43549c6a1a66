/** Counts of what ended, by minute, hour or day. */
import { refuseUnknownKeys, shown } from '../base/checks.ts';
import { InvalidOption } from '../base/errors.ts';
import { MAX_HISTORY_QUERIES, MAX_STATS_BUCKETS } from '../base/limits.ts';
import type { StatsEvery } from '../ports/history.ts';
import { addCounts, addTask, type Counts, countsOf, endsIn, noCounts, type TaskCounts } from './counts.ts';
import { type Histogram, percentile } from './histogram.ts';
import { type Budget, DAY_MS, HOUR_MS, MINUTE_MS, minutesOf, type ReadPorts, startOf } from './read.ts';
import { type Bucket, readBuckets } from './read-buckets.ts';
import { type Since, timeRange, type TimeRange } from './time-range.ts';

/** Which counts are asked for. */
export interface StatsQuery {
  /** Name of a task. Default: all of them. */
  readonly task?: string;
  /** The first bucket holds it. Default: 60 minutes, 24 hours or 30 days ago, by `every`. */
  readonly from?: Since;
  /** The last bucket is before it. Default: now. */
  readonly to?: Since;
  /** How long each bucket is; days are UTC's. Default `'minute'`. */
  readonly every?: StatsEvery;
}

/** Seconds, right to 5 %. */
export interface Percentiles {
  /** Half of them took at most so long. */
  readonly p50: number;
  /** 95 of a hundred. */
  readonly p95: number;
  /** 99 of a hundred. */
  readonly p99: number;
}

/** Counts of ends of attempts. */
export interface StatsCounts {
  /** How many attempts ended, retries among them. */
  readonly count: number;
  /** How many in each state. */
  readonly states: Readonly<Record<string, number>>;
  /**
   * How many of their runs ended without a word, beside those counted above: a worker died, or ran out of time. They are counted once
   * the attempt has ended. Runs of `idempotent` tasks, which claim nothing, are not known.
   */
  readonly lostRuns: number;
  /** From when a message was last sent, or was due, until its run began; null where nothing ran. */
  readonly waitSeconds: Percentiles | null;
  /** How long runs took; null where nothing ran. */
  readonly runSeconds: Percentiles | null;
}

/** Counts of what ended, over time and by task. */
export interface Stats {
  /** How long each bucket is. */
  readonly every: StatsEvery;
  /** Every bucket of the time, in order, those with no counts too. */
  readonly buckets: readonly (StatsCounts & { readonly start: Date })[];
  /** Of the whole time. */
  readonly total: StatsCounts;
  /** The same by task, the most frequent first; tasks that a bucket has no room to name are `'(others)'`. */
  readonly tasks: readonly (StatsCounts & { readonly task: string })[];
}

const KEYS: ReadonlySet<string> = new Set<keyof StatsQuery>(['task', 'from', 'to', 'every']);
const LENGTH_MS = { minute: MINUTE_MS, hour: HOUR_MS, day: DAY_MS } as const;
const FINER = { hour: 'minute', day: 'hour' } as const;
const DEFAULT_MS = { minute: HOUR_MS, hour: DAY_MS, day: 30 * DAY_MS } as const;
// What is not rolled up yet is read as it was written, so far back at most: the sweeper stands still where it is more.
const FRESH_MS = HOUR_MS;

/** @throws InvalidOption */
export async function statsOf(query: StatsQuery, nowMs: number, ports: ReadPorts): Promise<Stats> {
  const { task, every, range } = checked(query, nowMs);
  const { untilMs: rolledMs } = await ports.history.rollState(1);
  const freshMs = Math.max(rolledMs ?? 0, startOf(nowMs - FRESH_MS, MINUTE_MS));
  const found = new Map<number, Counts>();
  for (const { startMs, counts } of await countsIn(every, range, { rolledMs: rolledMs ?? 0, freshMs }, ports)) {
    const sum = found.get(startMs) ?? new Map<string, TaskCounts>();
    addCounts(sum, counts);
    found.set(startMs, sum);
  }
  const starts = Array.from(
    { length: (range.untilMs - range.fromMs) / LENGTH_MS[every] },
    (_, index) => range.fromMs + index * LENGTH_MS[every],
  );
  const all: Counts = new Map();
  for (const counts of found.values()) addCounts(all, counts);
  const of = (counts: Counts): TaskCounts => (task === undefined ? summed(counts) : (counts.get(task) ?? noCounts()));
  return {
    every,
    buckets: starts.map((startMs) => ({ start: new Date(startMs), ...viewOf(of(found.get(startMs) ?? new Map())) })),
    total: viewOf(of(all)),
    tasks: [...all]
      .filter(([name]) => task === undefined || name === task)
      .toSorted(([left, one], [right, other]) => endsIn(other) - endsIn(one) || (left < right ? -1 : 1))
      .map(([name, counts]) => ({ task: name, ...viewOf(counts) })),
  };
}

interface Rolled {
  /** Every minute before it is rolled up. */
  readonly rolledMs: number;
  /** What ended since is read as it was written. */
  readonly freshMs: number;
}

/**
 * Coarse buckets where all of their minutes are rolled up; finer ones for the rest, so that nothing is counted in a bucket
 * and as it was written, should the sweeper have died between the two.
 */
async function countsIn(
  every: StatsEvery,
  { fromMs, untilMs }: TimeRange,
  rolled: Rolled,
  ports: ReadPorts,
): Promise<Bucket[]> {
  const doneMs = Math.min(untilMs, Math.max(fromMs, startOf(rolled.rolledMs, LENGTH_MS[every])));
  const done = await readBuckets(every, { fromMs, untilMs: doneMs }, ports);
  if (every === 'minute') return [...done, ...(await fresh(Math.max(doneMs, rolled.freshMs), untilMs, ports))];
  const rest = await countsIn(FINER[every], { fromMs: doneMs, untilMs }, rolled, ports);
  return [...done, ...rest.map(({ startMs, counts }) => ({ startMs: startOf(startMs, LENGTH_MS[every]), counts }))];
}

async function fresh(fromMs: number, untilMs: number, ports: ReadPorts): Promise<Bucket[]> {
  if (fromMs >= untilMs) return [];
  const budget: Budget = { queries: MAX_HISTORY_QUERIES, reachedMs: untilMs };
  const buckets: Bucket[] = [];
  for await (const { startMs, entries } of minutesOf({ fromMs, untilMs }, budget, ports))
    buckets.push({ startMs, counts: countsOf(entries) });
  return buckets;
}

function summed(counts: Counts): TaskCounts {
  const sum = noCounts();
  for (const each of counts.values()) addTask(sum, each);
  return sum;
}

function viewOf(counts: TaskCounts): StatsCounts {
  return {
    count: endsIn(counts),
    states: Object.fromEntries([...counts.states].toSorted(([left], [right]) => (left < right ? -1 : 1))),
    lostRuns: counts.lost,
    waitSeconds: percentilesOf(counts.wait),
    runSeconds: percentilesOf(counts.run),
  };
}

function percentilesOf(histogram: Histogram): Percentiles | null {
  const [p50, p95, p99] = [0.5, 0.95, 0.99].map((share) => (percentile(histogram, share) ?? Number.NaN) / 1000) as [
    number,
    number,
    number,
  ];
  return histogram.size === 0 ? null : { p50, p95, p99 };
}

function checked(
  query: StatsQuery,
  nowMs: number,
): { readonly task: string | undefined; readonly every: StatsEvery; readonly range: TimeRange } {
  refuseUnknownKeys(query, KEYS, 'stats()');
  const { task, every = 'minute' } = query;
  if (task !== undefined && (typeof task !== 'string' || task === ''))
    throw new InvalidOption(`task of stats(): ${shown(task)} given; the name of a task is allowed.`);
  if (!Object.hasOwn(LENGTH_MS, every))
    throw new InvalidOption(`every of stats(): ${shown(every)} given; 'minute', 'hour' and 'day' are allowed.`);
  const given = timeRange(query, { nowMs, defaultMs: DEFAULT_MS[every], what: 'stats()' });
  const lengthMs = LENGTH_MS[every];
  // Whole buckets, those at both ends too.
  const range = {
    fromMs: startOf(given.fromMs, lengthMs),
    untilMs: startOf(given.untilMs + lengthMs - 1, lengthMs),
  };
  const buckets = (range.untilMs - range.fromMs) / lengthMs;
  if (buckets > MAX_STATS_BUCKETS)
    throw new InvalidOption(
      `from of stats(): ${buckets} buckets lie between it and \`to\`; up to ${MAX_STATS_BUCKETS} are allowed. Give a later one, or a longer \`every\`.`,
    );
  return { task, every, range };
}
