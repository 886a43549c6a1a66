/** Rate limits in memory: the executable meaning of `Rates`. */
import { CONTROL_RATE_PREFIX, keptSlotPartition, movedMicros, ratePartition } from '../ports/rate-line.ts';
import type { KeepSlotRequest, KeptSlot, RateLine, RateRequest, Rates } from '../ports/rates.ts';
import { partitionKey, sortKey } from '../ports/store-limits.ts';

interface Line extends RateLine {
  readonly paceMicros: number;
}

/** Rate limits in memory: the meaning of the port. */
export class MemoryRates implements Rates {
  readonly #lines = new Map<string, Line>();
  readonly #limits = new Map<string, string>();
  readonly #kept = new Map<string, KeptSlot>();

  reserve({ key, count, paceMicros, nowMs }: RateRequest): Promise<RateLine | undefined> {
    const partition = partitionKey(ratePartition(key));
    const nowMicros = nowMs * 1000;
    const line = this.#lines.get(partition);
    const after = afterReserving(line, { count, paceMicros, nowMicros });
    this.#lines.set(partition, after);
    const { nextMicros, changed } = after;
    return Promise.resolve({ nextMicros, ...(changed === undefined ? {} : { changed: { ...changed } }) });
  }

  keep({ id, attempt, slot, instead }: KeepSlotRequest): Promise<KeptSlot> {
    const key = keyOf(id, attempt);
    const kept = this.#kept.get(key);
    if (kept !== undefined && kept.slotMicros !== instead?.slotMicros) return Promise.resolve({ ...kept });
    this.#kept.set(key, { ...slot });
    return Promise.resolve({ ...slot });
  }

  setLimit(task: string, limit: string | undefined): Promise<void> {
    const key = sortKey(`${CONTROL_RATE_PREFIX}${task}`);
    if (limit === undefined) this.#limits.delete(key);
    else this.#limits.set(key, limit);
    return Promise.resolve();
  }

  limits(): Promise<ReadonlyMap<string, string>> {
    const entries = [...this.#limits].map(([key, limit]) => [key.slice(CONTROL_RATE_PREFIX.length), limit] as const);
    return Promise.resolve(new Map(entries));
  }

  kept(id: string, attempt: number): Promise<KeptSlot | undefined> {
    const kept = this.#kept.get(keyOf(id, attempt));
    return Promise.resolve(kept === undefined ? undefined : { ...kept });
  }
}

function afterReserving(
  line: Line | undefined,
  { count, paceMicros, nowMicros }: { readonly count: number; readonly paceMicros: number; readonly nowMicros: number },
): Line {
  // Nobody stands in it: it begins now.
  if (line === undefined || line.nextMicros < nowMicros)
    return { nextMicros: nowMicros + count * paceMicros, paceMicros };
  if (line.paceMicros === paceMicros) return { ...line, nextMicros: line.nextMicros + count * paceMicros };
  const fromMicros = line.paceMicros;
  return {
    nextMicros: movedMicros(line.nextMicros, nowMicros, fromMicros, paceMicros) + count * paceMicros,
    paceMicros,
    changed: { atMicros: nowMicros, fromMicros },
  };
}

function keyOf(id: string, attempt: number): string {
  return `${partitionKey(keptSlotPartition(id))}/${sortKey(String(attempt))}`;
}
