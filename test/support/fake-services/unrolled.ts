/** A world sweeps only where there is something to do: what of a history nobody has rolled up, by what was stored. */
import type { WorldHistory } from '../../../lib/testing/world-ports.ts';
import { MINUTE_MS, startOf } from '../../../lib/ports/history-place.ts';
import type { History } from '../../../lib/ports/history.ts';

export function tellingUnrolled(history: History): WorldHistory {
  const minutes = new Set<number>();
  const late = new Map<number, string>();
  const { put, noteLate, clearLate, rolled } = history;
  return Object.assign(history, {
    async put(items: Parameters<History['put']>[0]) {
      await put.call(history, items);
      for (const { firstMs } of items) minutes.add(startOf(firstMs, MINUTE_MS));
    },
    async noteLate(minute: Parameters<History['noteLate']>[0]) {
      await noteLate.call(history, minute);
      late.set(minute.startMs, minute.token);
    },
    async clearLate(minute: Parameters<History['clearLate']>[0]) {
      await clearLate.call(history, minute);
      if (late.get(minute.startMs) === minute.token) late.delete(minute.startMs);
    },
    async rolled(untilMs: number) {
      await rolled.call(history, untilMs);
      for (const startMs of minutes) if (startMs < untilMs) minutes.delete(startMs);
    },
    oldestUnrolledMs: () => {
      const all = [...minutes, ...late.keys()];
      return all.length === 0 ? undefined : Math.min(...all);
    },
  });
}
