/** What a task stores to go on from, and when it does. Pure. */
import { PART_RESERVE_SECONDS } from '../base/limits.ts';
import { decodeJson } from '../wire/json.ts';

/** As it is stored. */
export interface Checkpoint {
  /** The part that begins with it, from 2. */
  readonly part: number;
  /** When the attempt's first part began, milliseconds since the epoch. */
  readonly sinceMs: number;
  /** When it was stored, milliseconds since the epoch. */
  readonly atMs?: number;
  /** Ids of what the parts before have sent. */
  readonly children?: readonly string[];
  /** The part before has given its message back, which was no delivery in vain: in a FIFO queue. */
  readonly back?: true;
  readonly state: unknown;
}

/** Undefined where there is none. */
export function readCheckpoint(text: string | undefined): Checkpoint | undefined {
  return text === undefined || text === '' ? undefined : (decodeJson(text) as Checkpoint);
}

/** How far a task has come, as its record tells. */
export interface Progress {
  /** The part that runs, or runs next. */
  readonly part: number;
  /** When the attempt's first part began, milliseconds since the epoch. */
  readonly sinceMs: number;
  /** When its last checkpoint was stored, milliseconds since the epoch. */
  readonly atMs?: number;
}

/** @param runsSinceMs when the run under way began; undefined where none is. A checkpoint of its own is of the next part. */
export function progressOf(text: string | undefined, runsSinceMs: number | undefined): Progress | undefined {
  // Encrypted, it tells whoever has no key nothing.
  const checkpoint = text?.startsWith('{"part":') === true ? readCheckpoint(text) : undefined;
  if (checkpoint === undefined) return undefined;
  const { part, sinceMs, atMs } = checkpoint;
  const isOwn = runsSinceMs !== undefined && atMs !== undefined && atMs > runsSinceMs;
  return { part: isOwn ? part - 1 : part, sinceMs, ...(atMs === undefined ? {} : { atMs }) };
}

// How much longer than its longest one so far the next step may take.
const STEP_GROWTH = 1.25;

/**
 * Whether a part ends at this checkpoint: what is left is less than the reserve, or than the next step may take, measured by the
 * longest one so far.
 */
export function isNearlyOver({
  leftMs,
  wholeMs,
  stretchMs,
}: {
  /** Until the part must have ended. */
  readonly leftMs: number;
  /** The same at its beginning. */
  readonly wholeMs: number;
  /** The longest time between two checkpoints of it. */
  readonly stretchMs: number;
}): boolean {
  if (leftMs === Infinity) return false;
  return leftMs <= Math.max(Math.min(PART_RESERVE_SECONDS * 1000, wholeMs / 10), stretchMs * STEP_GROWTH);
}
