/** Counts of a time by task, as a bucket of statistics holds them, and packed. Pure. */
import { MAX_DECOMPRESSED_BYTES, MAX_HISTORY_ITEM_BYTES, MAX_STATS_TASKS } from '../base/limits.ts';
import { compress, decompress } from '../wire/compression.ts';
import type { HistoryEntry } from '../wire/history-entry.ts';
import { addInto, count, type Histogram } from './histogram.ts';

/** Counts of one task. */
export interface TaskCounts {
  /** How many attempts ended in each state. */
  readonly states: Map<string, number>;
  /** From when a message was sent or due until its run began, of what ran. */
  readonly wait: Histogram;
  /** From the beginning of a run to its end. */
  readonly run: Histogram;
  /** Runs that ended without a word: a worker died, or ran out of time. */
  lost: number;
}

/** By name of the task. */
export type Counts = Map<string, TaskCounts>;

/** Under which tasks are counted that a bucket has no room to name. */
export const OTHER_TASKS = '(others)';

export function noCounts(): TaskCounts {
  return { states: new Map(), wait: new Map(), run: new Map(), lost: 0 };
}

export function countsOf(entries: Iterable<HistoryEntry>): Counts {
  const counts: Counts = new Map();
  for (const { task, state, startedMs, endedMs, dueMs, lost = 0 } of entries) {
    const own = of(counts, task);
    own.states.set(state, (own.states.get(state) ?? 0) + 1);
    own.lost += lost;
    if (startedMs === undefined) continue;
    count(own.run, endedMs - startedMs);
    if (dueMs !== undefined) count(own.wait, startedMs - dueMs);
  }
  return counts;
}

export function addTask(sum: TaskCounts, other: TaskCounts): void {
  for (const [state, times] of other.states) sum.states.set(state, (sum.states.get(state) ?? 0) + times);
  addInto(sum.wait, other.wait);
  addInto(sum.run, other.run);
  sum.lost += other.lost;
}

export function addCounts(sum: Counts, other: Counts): void {
  for (const [task, counts] of other) addTask(of(sum, task), counts);
}

export function endsIn({ states }: TaskCounts): number {
  return [...states.values()].reduce((sum, times) => sum + times, 0);
}

export function totalOf(counts: Counts): number {
  return [...counts.values()].reduce((sum, each) => sum + endsIn(each), 0);
}

function of(counts: Counts, task: string): TaskCounts {
  const known = counts.get(task) ?? noCounts();
  counts.set(task, known);
  return known;
}

type Pairs<K> = readonly (readonly [K, number])[];
// What is 0 is left out, as it is in buckets that were stored before it was counted.
type PackedTask = readonly [
  task: string,
  states: Pairs<string>,
  wait: Pairs<number>,
  run: Pairs<number>,
  lost?: number,
];

/**
 * The most frequent tasks by name, the others as one: anybody who may send can make up names, of any length. A bucket that
 * the store refused would keep all later ones from being made.
 */
export function packCounts(counts: Counts): Uint8Array {
  const sorted = [...counts].toSorted(
    ([leftName, left], [rightName, right]) => endsIn(right) - endsIn(left) || (leftName < rightName ? -1 : 1),
  );
  for (let named = MAX_STATS_TASKS; ; named = Math.floor(named / 2)) {
    const text = textOf(sorted, named);
    if (named > 0 && Buffer.byteLength(text) > MAX_DECOMPRESSED_BYTES) continue;
    const packed = compress('zlib', text);
    // Without a name there are a few hundred classes of time, and as many states as there are.
    if (named === 0 || packed.byteLength <= MAX_HISTORY_ITEM_BYTES) return packed;
  }
}

function textOf(sorted: readonly (readonly [string, TaskCounts])[], named: number): string {
  const counts: Counts = new Map(sorted.slice(0, named));
  if (sorted.length > named) {
    // Nothing is added to what was given.
    const others = noCounts();
    for (const [, rest] of sorted.slice(named)) addTask(others, rest);
    const known = counts.get(OTHER_TASKS);
    if (known !== undefined) addTask(others, known);
    counts.set(OTHER_TASKS, others);
  }
  const packed = [...counts].map(([task, { states, wait, run, lost }]): PackedTask => [
    task,
    [...states],
    [...wait],
    [...run],
    ...((lost === 0 ? [] : [lost]) as readonly [number?]),
  ]);
  return JSON.stringify(packed);
}

/** @throws what is no such bucket */
export function unpackCounts(data: Uint8Array): Counts {
  const packed = JSON.parse(Buffer.from(decompress('zlib', data)).toString('utf8')) as readonly PackedTask[];
  return new Map(
    packed.map(([task, states, wait, run, lost = 0]) => [
      task,
      { states: new Map(states), wait: new Map(wait), run: new Map(run), lost },
    ]),
  );
}
