/** Ids of tasks by their beginning: records are found by whole ids alone, and what is listed anyway has some of them. */
import type { HistoryBook } from '../history/history-book.ts';
import type { Ports } from '../ports/ports.ts';
import { scheduledTasks } from './scheduled.ts';
import { waitingLines } from './waiting-lines.ts';

/** What is searched. */
export interface IdSources {
  readonly ports: Pick<Ports, 'timers' | 'slots' | 'clock'>;
  readonly history: Pick<HistoryBook, 'list'>;
  /** Parts of the table of timers. */
  readonly timerShards: number;
}

const LISTED = 1000;
// Each hour is some queries.
const HISTORY_FROM = '6h';

/**
 * Ids that begin so, of tasks that ended within six hours (the last 1,000), that wait for their time (the next 1,000), and that wait
 * for a slot or hold one before others. What may not be read, or is not kept, is left out.
 */
export async function idsBeginningWith(beginning: string, sources: IdSources): Promise<readonly string[]> {
  const { ports, history, timerShards: shards } = sources;
  const { timers, slots, clock } = ports;
  const searches: readonly (() => Promise<readonly string[]>)[] = [
    async () => (await history.list({ from: HISTORY_FROM, limit: LISTED })).entries.map(({ id }) => id),
    async () => (await scheduledTasks(timers, { shards, limit: LISTED })).tasks.map(({ id }) => id),
    async () => {
      if (slots === undefined) return [];
      const { lines } = await waitingLines(slots, { nowMs: clock.nowMs(), each: LISTED });
      return lines.flatMap(({ active, reserved, parked }) => [...active, ...reserved, ...parked].map(({ id }) => id));
    },
  ];
  const found = await Promise.all(searches.map((search) => search().catch((): readonly string[] => [])));
  return [...new Set(found.flat().filter((id) => id.startsWith(beginning)))].toSorted();
}
