/** The history in memory: the executable meaning of `History`. */
import {
  historyPartition,
  historySortKey,
  lateSortKey,
  MINUTE_MS,
  ROLL_PARTITION,
  startOf,
  statsPartition,
} from '../ports/history-place.ts';
import type {
  History,
  HistoryItem,
  HistoryPage,
  HistoryQuery,
  LateMinute,
  RollState,
  StatsBucket,
} from '../ports/history.ts';
import { checkItem, partitionKey, sortKey, timeKey } from '../ports/store-limits.ts';

// As a page of a store: small, so that whoever reads goes on to the next.
const PAGE = 20;

/** The history in memory: the meaning of the port. */
export class MemoryHistory implements History {
  readonly #items = new Map<string, Map<string, HistoryItem>>();
  readonly #late = new Map<string, LateMinute>();
  readonly #buckets = new Map<string, Map<string, StatsBucket>>();
  #rolledMs: number | undefined;

  put(items: Parameters<History['put']>[0]): Promise<void> {
    for (const { shard, firstMs, name, data, expiresAtSeconds } of items) {
      const pk = partitionKey(historyPartition(firstMs, shard));
      const sk = sortKey(historySortKey(firstMs, name));
      checkItem({ pk, sk, data, ttl: expiresAtSeconds });
      partOf(this.#items, pk).set(sk, { firstMs, name, data });
    }
    return Promise.resolve();
  }

  page({ shard, fromMs, untilMs, after }: HistoryQuery): Promise<HistoryPage> {
    const pk = partitionKey(historyPartition(fromMs, shard));
    const keys = [...(this.#items.get(pk) ?? [])]
      .filter(
        ([key, { firstMs }]) =>
          firstMs >= fromMs && firstMs < untilMs && (after === undefined || key < (after as string)),
      )
      .toSorted(([left], [right]) => (left < right ? 1 : -1));
    const page = keys.slice(0, PAGE);
    const items = page.map(([, item]) => ({ ...item }));
    return Promise.resolve(keys.length > PAGE ? { items, next: page.at(-1)?.[0] } : { items });
  }

  noteLate({ startMs, token, expiresAtSeconds }: Parameters<History['noteLate']>[0]): Promise<void> {
    const sk = sortKey(lateSortKey(startMs));
    checkItem({ pk: ROLL_PARTITION, sk, token, ttl: expiresAtSeconds });
    this.#late.set(sk, { startMs, token });
    return Promise.resolve();
  }

  clearLate({ startMs, token }: LateMinute): Promise<void> {
    const sk = sortKey(lateSortKey(startMs));
    if (this.#late.get(sk)?.token === token) this.#late.delete(sk);
    return Promise.resolve();
  }

  rollState(limit: number): Promise<RollState> {
    const late = [...this.#late.values()].toSorted((left, right) => left.startMs - right.startMs).slice(0, limit);
    return Promise.resolve({ ...(this.#rolledMs === undefined ? {} : { untilMs: this.#rolledMs }), late });
  }

  rolled(untilMs: number): Promise<void> {
    this.#rolledMs = Math.max(untilMs, this.#rolledMs ?? 0);
    return Promise.resolve();
  }

  putBucket({ every, startMs, count, data, expiresAtSeconds }: Parameters<History['putBucket']>[0]): Promise<void> {
    const [pk, sk] = [partitionKey(statsPartition(every)), sortKey(timeKey(startMs))];
    checkItem({ pk, sk, count, data, ttl: expiresAtSeconds });
    const buckets = partOf(this.#buckets, pk);
    if ((buckets.get(sk)?.count ?? 0) <= count) buckets.set(sk, { every, startMs, count, data });
    return Promise.resolve();
  }

  buckets({ every, fromMs, untilMs, limit }: Parameters<History['buckets']>[0]): Promise<readonly StatsBucket[]> {
    const buckets = [...(this.#buckets.get(statsPartition(every))?.values() ?? [])]
      .filter(({ startMs }) => startMs >= fromMs && startMs < untilMs)
      .toSorted((left, right) => left.startMs - right.startMs);
    return Promise.resolve(buckets.slice(0, limit).map((bucket) => ({ ...bucket })));
  }

  /** The first minute that no sweep has rolled up, or is to roll up again; undefined where there is none. For worlds. */
  oldestUnrolledMs(): number | undefined {
    const times = [...this.#late.values()].map(({ startMs }) => startMs);
    const fromMs = this.#rolledMs ?? 0;
    for (const items of this.#items.values())
      for (const { firstMs } of items.values()) if (firstMs >= fromMs) times.push(startOf(firstMs, MINUTE_MS));
    return times.length === 0 ? undefined : times.reduce((least, ms) => Math.min(least, ms));
  }

  /** Every item there is; for checkers. */
  all(): HistoryItem[] {
    return [...this.#items.values()].flatMap((items) => [...items.values()]);
  }
}

function partOf<T>(parts: Map<string, Map<string, T>>, key: string): Map<string, T> {
  const part = parts.get(key) ?? new Map<string, T>();
  parts.set(key, part);
  return part;
}
