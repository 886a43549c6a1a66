/** Numbers over time, as the plots take them: one list of instants, and one for each line. Pure. */
import type { OverviewAnswer } from '../../answers.ts';
import { plainText } from './hostile-text.ts';
import { clockTime, count, duration, instant } from './words.ts';

type Bucket = OverviewAnswer['buckets'][number];
/** What is not known is a gap in the line. */
export type Values = readonly (number | null)[];

export interface Series {
  /** Seconds since the epoch. */
  readonly times: readonly number[];
  readonly succeeded: Values;
  readonly failed: Values;
  readonly wait: Percentiles;
  readonly run: Percentiles;
  /** The last minute or hour is not over: what it counts is counted so far. */
  readonly isLastOpen: boolean;
}
interface Percentiles {
  readonly p50: Values;
  readonly p95: Values;
  readonly p99: Values;
}

const FAILURES: readonly string[] = ['FAILURE', 'REJECTED'];

export function failuresOf({ states }: Pick<Bucket, 'states'>): number {
  return FAILURES.reduce((sum, state) => sum + (states[state] ?? 0), 0);
}

export function seriesOf({ buckets, every, until }: Pick<OverviewAnswer, 'buckets' | 'every' | 'until'>): Series {
  const last = buckets.at(-1);
  const percentiles = (of: 'waitSeconds' | 'runSeconds'): Percentiles => {
    const values = (name: 'p50' | 'p95' | 'p99'): Values =>
      // A logarithm has no place for 0: under a millisecond is a millisecond there.
      buckets.map((bucket) => (bucket[of] === null ? null : Math.max(LEAST_SECONDS, bucket[of][name])));
    return { p50: values('p50'), p95: values('p95'), p99: values('p99') };
  };
  return {
    times: buckets.map(({ start }) => instant(start) / 1000),
    succeeded: buckets.map(({ states }) => states['SUCCESS'] ?? 0),
    failed: buckets.map(failuresOf),
    wait: percentiles('waitSeconds'),
    run: percentiles('runSeconds'),
    isLastOpen: last !== undefined && instant(last.start) + EVERY_MS[every] > instant(until),
  };
}
const LEAST_SECONDS = 0.001;
const EVERY_MS = { minute: 60_000, hour: 3_600_000 } as const;

/** A line ends where its last whole minute or hour does: what is counted so far is no fall. */
export function wholeOf(values: Values, isLastOpen: boolean): Values {
  return isLastOpen ? values.map((value, index) => (index === values.length - 1 ? null : value)) : values;
}

/** What is counted so far alone. */
export function openOf(values: Values, isLastOpen: boolean): Values {
  return values.map((value, index) => (isLastOpen && index === values.length - 1 ? value : null));
}

/** Those from one time until another. */
export function marksWithin<Mark extends { readonly at: number }>(
  marks: readonly Mark[],
  from: number,
  until: number,
): readonly Mark[] {
  return marks.filter(({ at }) => at >= from && at < until);
}

/** When other code was deployed, as plots mark it. */
export function deployMarks(
  deploys: OverviewAnswer['deploys'],
  nowMs: number,
): readonly { readonly at: number; readonly text: string }[] {
  return deploys.map(({ at, version }) => ({
    at: instant(at) / 1000,
    text: `Deployed ${clockTime(at, nowMs)}, version ${plainText(version, 20)}`,
  }));
}

/** The trend in a sentence, for who cannot see the plot. */
export function trendText(name: string, values: Values, format: (value: number) => string): string {
  const known = values.filter((value) => value !== null);
  const last = known.at(-1);
  if (last === undefined) return `${name}: nothing is known of this time.`;
  return `${name}: ${format(last)} at the end, from ${format(Math.min(...known))} to ${format(Math.max(...known))}.`;
}

/** Points of a line in a box of 96 by 24, and of the area under it; empty for fewer than two values. */
export function sparkPath(
  values: readonly number[],
  width = 96,
  height = 24,
): { readonly line: string; readonly area: string } {
  if (values.length < 2) return { line: '', area: '' };
  const most = Math.max(...values, 1);
  const points = values.map((value, index) => {
    const x = (index / (values.length - 1)) * width;
    const y = height - 2 - (Math.max(0, value) / most) * (height - 4);
    return `${x.toFixed(1)} ${y.toFixed(1)}`;
  });
  const line = `M${points.join('L')}`;
  return { line, area: `${line}L${width} ${height}L0 ${height}Z` };
}

export interface Fact {
  readonly name: string;
  readonly value: string;
  readonly more: string;
  readonly tone?: 'warn' | 'bad';
}

/** Six numbers, each with what it is compared to. */
export function factsOf({
  total,
  before,
  queues,
}: Pick<OverviewAnswer, 'total' | 'before' | 'queues'>): readonly Fact[] {
  const failed = failuresOf(total);
  const sum = (of: 'ready' | 'inFlight' | 'delayed'): number => queues.reduce((all, queue) => all + queue[of], 0);
  const dead = queues.reduce((all, queue) => all + (queue.dead ?? 0), 0);
  return [
    {
      name: 'Finished',
      value: count(total.count),
      more: before === null ? 'attempts' : `${count(before.count)} in the time before`,
    },
    {
      name: 'Failed',
      value: count(failed),
      more: before === null ? '' : `${count(failuresOf(before))} in the time before`,
      ...(failed > 0 ? { tone: 'bad' as const } : {}),
    },
    { name: 'Waiting, p95', value: duration(total.waitSeconds?.p95), more: compared(before?.waitSeconds?.p95) },
    { name: 'Run time, p95', value: duration(total.runSeconds?.p95), more: compared(before?.runSeconds?.p95) },
    {
      name: 'Running now',
      value: count(sum('inFlight')),
      more: `${count(sum('ready'))} ready, ${count(sum('delayed'))} delayed`,
    },
    {
      name: 'Dead letters',
      value: count(dead),
      more: `in ${count(queues.filter((queue) => (queue.dead ?? 0) > 0).length)} of ${count(queues.length)} queues`,
      ...(dead > 0 ? { tone: 'bad' as const } : {}),
    },
  ];
}

function compared(seconds: number | undefined): string {
  return seconds === undefined ? '' : `was ${duration(seconds)} before`;
}
