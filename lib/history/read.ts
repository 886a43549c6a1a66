/** The history, minute by minute, the newest first: all that ended in one minute lies together, each attempt once. */
import { errorLine } from '../base/error-text.ts';
import { HISTORY_SHARDS } from '../base/limits.ts';
import type { History, HistoryItem } from '../ports/history.ts';
import type { Logger } from '../ports/log.ts';
import { distinct, type HistoryEntry, unpackHistory } from '../wire/history-entry.ts';

export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

export function startOf(ms: number, lengthMs: number): number {
  return Math.floor(ms / lengthMs) * lengthMs;
}

export interface ReadPorts {
  readonly history: History;
  readonly logger: Logger;
}

/** How much may be read, and how far that went. */
export interface Budget {
  /** Queries that may still be made. */
  queries: number;
  /** All that ended at or after it has been read, milliseconds since the epoch. */
  reachedMs: number;
}

export interface Minute {
  /** When it begins. */
  readonly startMs: number;
  /** In no order. */
  readonly entries: readonly HistoryEntry[];
}

/** What ended from `fromMs` on and before `untilMs`. Stops, between two minutes, where the budget is used up. */
export async function* minutesOf(
  { fromMs, untilMs }: { readonly fromMs: number; readonly untilMs: number },
  budget: Budget,
  ports: ReadPorts,
): AsyncGenerator<Minute> {
  budget.reachedMs = untilMs;
  const firstMs = startOf(fromMs, MINUTE_MS);
  for (let hourMs = startOf(untilMs - 1, HOUR_MS); hourMs + HOUR_MS > firstMs; hourMs -= HOUR_MS) {
    const range = { fromMs: Math.max(firstMs, hourMs), untilMs: Math.min(untilMs, hourMs + HOUR_MS) };
    const parts = Array.from({ length: HISTORY_SHARDS }, (_, shard) => new Part({ shard, ...range }, budget, ports));
    for (;;) {
      if (budget.queries <= 0) return;
      const newest = await Promise.all(parts.map((part) => part.newestMinuteMs()));
      const startMs = Math.max(...newest);
      if (startMs === -Infinity) break;
      const entries = (await Promise.all(parts.map((part) => part.take(startMs)))).flat();
      const within = distinct(entries).filter(({ endedMs }) => endedMs >= fromMs && endedMs < untilMs);
      budget.reachedMs = startMs;
      yield { startMs, entries: within };
    }
    budget.reachedMs = range.fromMs;
  }
  budget.reachedMs = fromMs;
}

/** One part of an hour, read page by page. */
class Part {
  readonly #query: Parameters<History['page']>[0];
  readonly #budget: Budget;
  readonly #ports: ReadPorts;
  #items: readonly HistoryItem[] = [];
  #after: unknown;
  #isRead = false;

  constructor(query: Parameters<History['page']>[0], budget: Budget, ports: ReadPorts) {
    this.#query = query;
    this.#budget = budget;
    this.#ports = ports;
  }

  async newestMinuteMs(): Promise<number> {
    const [first] = await this.#ahead();
    return first === undefined ? -Infinity : startOf(first.firstMs, MINUTE_MS);
  }

  /** All of a minute, which is the newest that is left or newer. */
  async take(startMs: number): Promise<HistoryEntry[]> {
    const entries: HistoryEntry[] = [];
    for (let items = await this.#ahead(); items.length > 0; items = await this.#ahead()) {
      const others = items.findIndex(({ firstMs }) => firstMs < startMs);
      const taken = others === -1 ? items : items.slice(0, others);
      for (const item of taken) entries.push(...this.#unpack(item));
      this.#items = items.slice(taken.length);
      if (others !== -1) break;
    }
    return entries;
  }

  async #ahead(): Promise<readonly HistoryItem[]> {
    while (this.#items.length === 0 && !this.#isRead) {
      this.#budget.queries -= 1;
      const { items, next } = await this.#ports.history.page({
        ...this.#query,
        ...(this.#after === undefined ? {} : { after: this.#after }),
      });
      this.#items = items;
      this.#after = next;
      this.#isRead = next === undefined;
    }
    return this.#items;
  }

  /** What cannot be read, of a later version say, hides nothing else. */
  #unpack({ data, name }: HistoryItem): readonly HistoryEntry[] {
    try {
      return unpackHistory(data);
    } catch (error) {
      this.#ports.logger.log('warn', `History written by ${name} cannot be read: ${errorLine(error)}`);
      return [];
    }
  }
}
