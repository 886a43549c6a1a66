/** All lines of a service in which tasks wait for a slot, whatever their keys are. */
import { mapConcurrently } from '../base/map-concurrently.ts';
import { isGrant } from '../flow/slots.ts';
import { attemptOf, partsOfKey, type SlotsKeyParts, taskIdOf } from '../ports/slot-keys.ts';
import type { Parked, SlotStore } from '../ports/slots.ts';

/** An attempt that has a slot, or waits for one. */
export interface LineTask {
  /** Task id. */
  readonly id: string;
  /** Number of the attempt, from 0. */
  readonly retries: number;
}

/** Who runs under a key for which others wait, and who they are. A `task` of `*` is shared by several. */
export interface WaitingLine extends SlotsKeyParts {
  /** Runs at the same time, as workers knew last. */
  readonly limit?: number;
  /** Those that run, and until when their slots are theirs. */
  readonly active: readonly (LineTask & { readonly until: Date })[];
  /** Those that were given a slot and are on their way to a worker. */
  readonly reserved: readonly (LineTask & { readonly until: Date })[];
  /** Those that wait, the next one first; no more than were asked for. */
  readonly parked: readonly (LineTask & { readonly since: Date; readonly expires?: Date; readonly queue: string })[];
  /** How many wait, up to 10,000. */
  readonly waiting: number;
}

/** How much is read. */
export interface LinesBounds {
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  /** Keys that are looked at, at most. Default 200. */
  readonly keys?: number;
  /** Of each line so many are listed, at most. Default 100. */
  readonly each?: number;
}

export interface WaitingLines {
  readonly lines: readonly WaitingLine[];
  /** There may be others: more keys have a line, or had one in the last hour. */
  readonly more: boolean;
}

const DEFAULT_KEYS = 200;
const DEFAULT_EACH = 100;
const MOST_COUNTED = 10_000;
// Reads side by side.
const WIDTH = 8;

/**
 * Keys are found by their notes (ports/line-notes.ts), and each line is looked into: two queries, and two reads a key, a third one of
 * what is longer than is listed. Keys for which nobody waits stand in no list.
 */
export async function waitingLines(
  store: SlotStore,
  { nowMs, keys: limit = DEFAULT_KEYS, each = DEFAULT_EACH }: LinesBounds,
): Promise<WaitingLines> {
  const { keys, more } = await store.lines({ nowMs, limit });
  const lines = await mapConcurrently(keys, WIDTH, (key) => lineOf(store, key, nowMs, each));
  return { lines: lines.filter((line) => line !== undefined), more };
}

async function lineOf(store: SlotStore, key: string, nowMs: number, each: number): Promise<WaitingLine | undefined> {
  const parked = await store.line(key, each);
  if (parked.length === 0) return undefined;
  const { holders, limit } = await store.read(key);
  const held = [...holders].filter(([, { leaseMs }]) => leaseMs >= nowMs);
  const holding = (granted: boolean): WaitingLine['active'] =>
    held
      .filter(([, entry]) => isGrant(entry) === granted)
      .map(([holder, { leaseMs }]) => ({ ...lineTask(holder), until: new Date(leaseMs) }));
  return {
    ...partsOfKey(key),
    ...(limit === undefined ? {} : { limit }),
    active: holding(false),
    reserved: holding(true),
    parked: parked.map((task) => ({
      ...lineTask(task.holder),
      since: new Date(task.sinceMs),
      ...(task.expiresMs === undefined ? {} : { expires: new Date(task.expiresMs) }),
      queue: queueOf(task),
    })),
    waiting: parked.length < each ? parked.length : await store.count(key, { most: MOST_COUNTED }),
  };
}

/** How many wait for each queue. What of a line is not listed counts for the queue of its first. */
export function parkedByQueue(lines: readonly WaitingLine[]): Map<string, number> {
  const counts = new Map<string, number>();
  const add = (queue: string, count: number): void => void counts.set(queue, (counts.get(queue) ?? 0) + count);
  for (const { parked, waiting } of lines) {
    for (const { queue } of parked) add(queue, 1);
    const [first] = parked;
    if (first !== undefined && waiting > parked.length) add(first.queue, waiting - parked.length);
  }
  return counts;
}

function lineTask(holder: string): LineTask {
  return { id: taskIdOf(holder), retries: attemptOf(holder) };
}

function queueOf({ wake }: Parked): string {
  return wake.kind === 'send' ? wake.message.queue : wake.queue;
}
