/** How often each kind of failures came in a time, as the sweeper counts it from the history. Pure. */
import { MAX_COUNTED_FAILURES } from '../base/limits.ts';
import type { NoticeMinute } from '../ports/notices.ts';
import { compress, decompress } from '../wire/compression.ts';
import type { HistoryEntry } from '../wire/history-entry.ts';

/** One kind of failures in a time. Times are milliseconds since the epoch. */
export interface FailureCount {
  readonly count: number;
  readonly task: string;
  /** Of the last one, `name: message`, as are the following four. */
  readonly error: string;
  readonly id: string;
  readonly queue: string;
  readonly state: string;
  readonly retries: number;
  readonly firstMs: number;
  readonly lastMs: number;
}

/** By key. */
export type FailureCounts = ReadonlyMap<string, FailureCount>;

/** Of kinds that there was no room for: as many failures, and nothing else that is true of all. */
export const OTHER_KINDS = '(others)';

/** Those that mails tell of: whoever ended them has given them a key. */
export function countFailures(entries: Iterable<HistoryEntry>): FailureCounts {
  const counts = new Map<string, FailureCount>();
  for (const { kind, task, error = 'Error', id, queue, state, attempt: retries, endedMs } of entries)
    if (kind !== undefined)
      add(counts, kind, { count: 1, task, error, id, queue, state, retries, firstMs: endedMs, lastMs: endedMs });
  return counts;
}

export function mergeCounts(all: Iterable<FailureCounts>): FailureCounts {
  const sum = new Map<string, FailureCount>();
  for (const counts of all) for (const [key, each] of counts) add(sum, key, each);
  return sum;
}

export function totalCount(counts: FailureCounts): number {
  return [...counts.values()].reduce((sum, { count }) => sum + count, 0);
}

/** The most frequent kinds first; of two that came as often, the one that came first. */
export function byFrequency(counts: FailureCounts): (readonly [key: string, count: FailureCount])[] {
  return [...counts].toSorted(
    ([leftKey, left], [rightKey, right]) =>
      Number(leftKey === OTHER_KINDS) - Number(rightKey === OTHER_KINDS) ||
      right.count - left.count ||
      left.firstMs - right.firstMs ||
      (leftKey < rightKey ? -1 : 1),
  );
}

function add(counts: Map<string, FailureCount>, key: string, added: FailureCount): void {
  const known = counts.get(key);
  const last = known !== undefined && known.lastMs > added.lastMs ? known : added;
  counts.set(key, {
    ...last,
    count: added.count + (known?.count ?? 0),
    firstMs: Math.min(added.firstMs, known?.firstMs ?? Infinity),
  });
}

type Row = readonly [key: string, count: FailureCount];

/** The most frequent kinds by name, the others as one: each item stays far below what a store takes. */
export function packFailures(counts: FailureCounts): Pick<NoticeMinute, 'count' | 'data'> {
  const sorted = byFrequency(counts);
  const named = new Map<string, FailureCount>(sorted.slice(0, MAX_COUNTED_FAILURES));
  for (const [, each] of sorted.slice(MAX_COUNTED_FAILURES)) add(named, OTHER_KINDS, each);
  return { count: totalCount(counts), data: compress('zlib', JSON.stringify([...named])) };
}

/** @throws what is no such item */
export function unpackFailures(data: Uint8Array): FailureCounts {
  const rows = JSON.parse(Buffer.from(decompress('zlib', data)).toString('utf8')) as readonly Row[];
  return new Map(rows);
}
