/** A world sweeps only where there is something to do: what of a history nobody has rolled up, as it stands in the table. */
import { LATE_PREFIX, MINUTE_MS, ROLL_PARTITION, ROLLED_KEY, startOf } from '../../../lib/ports/history-place.ts';
import type { History } from '../../../lib/ports/history.ts';
import type { WorldHistory } from '../../../lib/testing/world-ports.ts';
import type { FakeTable } from './table.ts';

/** @param table of state */
export function tellingUnrolled(history: History, table: FakeTable): WorldHistory {
  // What was stored: looking through the table for it, at every step of a world, would take too long.
  const minutes = new Set<number>();
  const put = history.put.bind(history);
  return Object.assign(history, {
    async put(items: Parameters<History['put']>[0]) {
      await put(items);
      for (const { firstMs } of items) minutes.add(startOf(firstMs, MINUTE_MS));
    },
    oldestUnrolledMs(): number | undefined {
      const times: number[] = [];
      let rolledMs = 0;
      for (const { sk, until } of table.partition(ROLL_PARTITION)) {
        if (sk?.S === ROLLED_KEY) rolledMs = Number(until?.N ?? 0);
        else times.push(Number((sk?.S ?? '').slice(LATE_PREFIX.length)));
      }
      for (const startMs of minutes)
        if (startMs < rolledMs) minutes.delete(startMs);
        else times.push(startMs);
      return times.length === 0 ? undefined : Math.min(...times);
    },
  });
}
