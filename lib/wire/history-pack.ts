/** Ends of attempts, packed for one item. Apart from what reads them: a deployed worker only writes. Pure. */
import { compress } from './compression.ts';
import type { HistoryEntry, HistoryRow, PackedHistory } from './history-entry.ts';

/** Small where tasks, queues and times are alike, as in a batch. */
export function packHistory(entries: readonly HistoryEntry[]): Uint8Array {
  const names = new Map<string, number>();
  const indexOf = (name: string): number => {
    const known = names.get(name) ?? names.size;
    names.set(name, known);
    return known;
  };
  const baseMs = entries[0]?.endedMs ?? 0;
  const rows = entries.map(({ id, attempt, task, queue, state, endedMs, startedMs, dueMs, ...rest }): HistoryRow => [
    id,
    attempt,
    [indexOf(task), indexOf(queue), indexOf(state)],
    [
      endedMs - baseMs,
      startedMs === undefined ? null : endedMs - startedMs,
      dueMs === undefined ? null : endedMs - dueMs,
    ],
    ...(Object.keys(rest).length === 0 ? ([] as const) : ([rest] as const)),
  ]);
  const packed: PackedHistory = { n: [...names.keys()], t: baseMs, r: rows };
  return compress('zlib', JSON.stringify(packed));
}
