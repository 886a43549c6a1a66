/** Timers in memory: the executable meaning of `Timers`. */
import type { DueTimers, Timer, Timers, TimerWrite } from '../ports/timers.ts';
import { checkItem } from '../ports/store-limits.ts';
import { eachDueIn, timerShard, timerSortKey } from '../ports/timer-order.ts';
import { Heap, type HeapItem } from './heap.ts';

interface Held extends HeapItem {
  readonly key: string;
  readonly timer: Timer;
}

interface Shard {
  readonly heap: Heap<Held>;
  readonly byKey: Map<string, Held>;
}

/** Timers in memory: the meaning of the port. */
export class MemoryTimers implements Timers {
  readonly #shards: readonly Shard[];

  /** Empty; `shards` as the app's `timerShards` says. */
  constructor(options: { readonly shards: number }) {
    this.#shards = Array.from({ length: options.shards }, () => ({ heap: new Heap(earlier), byKey: new Map() }));
  }

  async put(timers: readonly Timer[]): Promise<readonly number[]> {
    // One request, which DynamoDB takes whole or not at all.
    for (const timer of timers)
      checkItem({ sk: timerSortKey(timer), ...timer, message: JSON.stringify(timer.message) });
    for (const timer of timers) {
      const shard = this.#shardOf(timer);
      const key = timerSortKey(timer);
      const known = shard.byKey.get(key);
      if (known !== undefined) shard.heap.remove(known);
      const held: Held = { key, timer: structuredClone(timer), heapIndex: -1 };
      shard.byKey.set(key, held);
      shard.heap.push(held);
    }
    return Promise.resolve(timers.map((timer) => timerShard(timer, this.#shards.length)));
  }

  writeOf({ id, dueMs, message }: Timer): Promise<TimerWrite> {
    // Of no table: there is nothing that would take it.
    const Item = { pk: { S: `memory#${id}` }, due: { N: String(dueMs) }, message: { S: JSON.stringify(message) } };
    return Promise.resolve({ TableName: 'memory', Item });
  }

  eachDue(due: DueTimers, visit: Parameters<Timers['eachDue']>[1]): Promise<void> {
    return eachDueIn(this.#shards.length, due, visit, (shard, untilMs, limit, after) =>
      this.#due(shard, untilMs, limit, after),
    );
  }

  #due(shard: number, untilMs: number, limit: number, after?: Timer): Promise<Timer[]> {
    const heap = this.#shards[shard]?.heap;
    const afterKey = after === undefined ? '' : timerSortKey(after);
    const taken: Held[] = [];
    const found: Held[] = [];
    for (let next = heap?.peek(); next !== undefined && found.length < limit; next = heap?.peek()) {
      if (next.timer.dueMs > untilMs) break;
      heap?.remove(next);
      taken.push(next);
      if (next.key > afterKey) found.push(next);
    }
    for (const held of taken) heap?.push(held);
    return Promise.resolve(found.map(({ timer }) => structuredClone(timer)));
  }

  remove(timers: readonly Timer[]): Promise<void> {
    for (const timer of timers) {
      const { heap, byKey } = this.#shardOf(timer);
      const held = byKey.get(timerSortKey(timer));
      if (held === undefined) continue;
      byKey.delete(held.key);
      heap.remove(held);
    }
    return Promise.resolve();
  }

  /** When the earliest timer is due, or undefined. @param isPaused tells of queues whose timers do not count */
  nextDueMs(isPaused: (queue: string) => boolean = () => false): number | undefined {
    let next: number | undefined;
    for (const shard of this.#shards) {
      const dueMs = earliestIn(shard, isPaused)?.dueMs;
      if (dueMs !== undefined && (next === undefined || dueMs < next)) next = dueMs;
    }
    return next;
  }

  /** How many timers are stored. */
  size(): number {
    return this.#shards.reduce((sum, { heap }) => sum + heap.size, 0);
  }

  #shardOf(timer: Timer): Shard {
    const shard = this.#shards[timerShard(timer, this.#shards.length)];
    if (shard === undefined) throw new RangeError('there are no shards');
    return shard;
  }
}

function earliestIn({ heap, byKey }: Shard, isPaused: (queue: string) => boolean): Timer | undefined {
  const first = heap.peek()?.timer;
  if (first === undefined || !isPaused(first.message.queue)) return first;
  const others = [...byKey.values()].filter(({ timer }) => !isPaused(timer.message.queue));
  return others.toSorted((left, right) => left.timer.dueMs - right.timer.dueMs)[0]?.timer;
}

function earlier(left: Held, right: Held): boolean {
  return left.key < right.key;
}
