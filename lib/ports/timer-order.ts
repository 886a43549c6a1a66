/** Where a timer lies and what it is sorted by: one meaning for every store. */
import type { DueTimers, Timer, Timers } from './timers.ts';
import { sortKey, timeKey } from './store-limits.ts';
import type { Clock } from '../base/time.ts';
import { stableHash } from '../base/ids.ts';

/** The ordered group of a timer of a FIFO queue. */
export function groupOf({ message }: Timer): string {
  return `${message.queue}/${message.groupId ?? ''}`;
}

/** The shard a timer lies in. Those of one FIFO group share one, where they are sent one after another. */
export function timerShard(timer: Timer, shards: number): number {
  return stableHash(timer.sequence === undefined ? timer.id : groupOf(timer)) % shards;
}

/** What every sharded store does for `eachDue`: `due` gives a page of a shard, the first or the one behind `after`. */
export async function eachDueIn(
  shards: number,
  { untilMs, limit, parts }: DueTimers,
  visit: Parameters<Timers['eachDue']>[1],
  due: (shard: number, untilMs: number, limit: number, after?: Timer) => Promise<Timer[]>,
): Promise<void> {
  const all = Array.from({ length: shards }, (_, shard) => shard);
  await Promise.all(
    all
      .filter((shard) => parts === undefined || parts.includes(shard))
      .map(async (shard) => {
        for (let after: Timer | undefined; ;) {
          const page = await due(shard, untilMs, limit, after);
          if (page.length > 0) await visit(page, shard);
          after = page.at(-1);
          if (page.length < limit || after === undefined) return;
        }
      }),
  );
}

/** Sorts by due time, then by sequence. @throws StoreRefused */
export function timerSortKey({ dueMs, sequence, id, attempt }: Timer): string {
  return sortKey([timeKey(dueMs), ...(sequence === undefined ? [] : [sequence]), id, attempt].join('#'));
}

/** Per process and clock: the last sequence that was given. */
const last = new WeakMap<Clock, { ms: number; count: number }>();

/** A sequence behind all that this process has given, and behind those of others as far as the clocks agree. */
export function nextSequence(clock: Clock): string {
  const { ms, count } = last.get(clock) ?? { ms: 0, count: 0 };
  const nowMs = clock.nowMs();
  // A clock that steps back must not put the next one before the last.
  const next = nowMs > ms ? { ms: nowMs, count: 0 } : { ms, count: count + 1 };
  last.set(clock, next);
  return `${String(next.ms).padStart(13, '0')}.${String(next.count).padStart(6, '0')}`;
}
