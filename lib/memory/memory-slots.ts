import { byBytes } from '../base/ids.ts';
import { firstLineNote, lineNoteAt } from '../ports/line-notes.ts';
import type {
  CountOptions,
  Holder,
  LastPlace,
  Lines,
  LinesQuery,
  Parked,
  Place,
  Slots,
  SlotsCondition,
  SlotsOutcome,
  SlotStore,
  SlotsWrite,
} from '../ports/slots.ts';
import {
  checkParked,
  holderOf,
  holdersAt,
  holderText,
  lineOf,
  placeKey,
  placeOf,
  sinceOf,
  taskIdOf,
} from '../ports/slot-keys.ts';
import { checkItem } from '../ports/store-limits.ts';

interface Item {
  readonly holders: Map<string, string>;
  line?: string | undefined;
  checkMs?: number | undefined;
  limit?: number | undefined;
}

/** Slots in memory: the meaning of the port. */
export class MemorySlots implements SlotStore {
  readonly #items = new Map<string, Item>();
  readonly #since = new Map<string, number>();
  readonly #lines = new Map<string, Map<string, Parked>>();
  /** Of each key the newest. */
  readonly #notes = new Map<string, string>();
  /** By task id. */
  readonly #places = new Map<string, Pick<LastPlace, 'key' | 'place'>>();

  read(key: string): Promise<Slots> {
    return Promise.resolve(slotsOf(this.#items.get(itemKey(key))));
  }

  async write(write: SlotsWrite): Promise<SlotsOutcome> {
    const at = itemKey(write.key);
    const before = this.#items.get(at);
    const puts = [...(write.put ?? [])].map(([holder, entry]) => [holder, holderText(entry)] as const);
    if ((before === undefined && puts.length === 0) || !holds(write.when, slotsOf(before)))
      return Promise.resolve({ done: false, seen: slotsOf(before) });
    const after: Item = { ...before, holders: new Map(before?.holders) };
    for (const holder of write.remove ?? []) after.holders.delete(holder);
    for (const [holder, text] of puts) after.holders.set(holder, text);
    if (write.line !== undefined) after.line = write.line ?? undefined;
    if (write.checkMs !== undefined) after.checkMs = write.checkMs ?? undefined;
    if (write.limit !== undefined) after.limit = write.limit;
    checkItem({ at, line: after.line, ...Object.fromEntries(after.holders) });
    this.#items.set(at, after);
    return Promise.resolve({ done: true });
  }

  async park(key: string, parked: readonly Parked[], notedMs?: number): Promise<void> {
    for (const each of parked) checkParked(key, each);
    const line = this.#lines.get(lineOf(key)) ?? new Map<string, Parked>();
    this.#lines.set(lineOf(key), line);
    for (const each of parked) {
      line.set(placeKey(each), structuredClone(each));
      this.#places.set(taskIdOf(each.holder), { key, place: placeOf(placeKey(each)) });
    }
    if (notedMs !== undefined) await this.noteLine(key, notedMs);
  }

  noteLine(key: string, nowMs: number): Promise<void> {
    const { sort } = lineNoteAt(key, nowMs);
    const latest = this.#notes.get(key) ?? '';
    this.#notes.set(key, byBytes(sort, latest) > 0 ? sort : latest);
    return Promise.resolve();
  }

  lines({ nowMs, limit }: LinesQuery): Promise<Lines> {
    const first = firstLineNote(nowMs);
    const keys = [...this.#notes].filter(([, sort]) => sort >= first).map(([key]) => key);
    return Promise.resolve({ keys: keys.toSorted(byBytes).slice(0, limit), more: keys.length > limit });
  }

  since({ sinceMs, holder }: Place, _expiresAtSeconds: number): Promise<number> {
    const at = sinceOf(holder);
    const first = this.#since.get(at) ?? sinceMs;
    this.#since.set(at, first);
    return Promise.resolve(first);
  }

  line(key: string, limit: number): Promise<Parked[]> {
    const line = this.#lines.get(lineOf(key)) ?? new Map<string, Parked>();
    const places = [...line.keys()].toSorted().slice(0, limit);
    return Promise.resolve(places.flatMap((place) => structuredClone(line.get(place)) ?? []));
  }

  parked(key: string, place: Place): Promise<Parked | undefined> {
    return Promise.resolve(structuredClone(this.#lines.get(lineOf(key))?.get(placeKey(place))));
  }

  unpark(key: string, place: Place, token?: string): Promise<void> {
    const line = this.#lines.get(lineOf(key));
    const at = placeKey(place);
    if (token === undefined || line?.get(at)?.token === token) line?.delete(at);
    if (line?.size === 0) this.#lines.delete(lineOf(key));
    return Promise.resolve();
  }

  count(key: string, { before, most = Infinity }: CountOptions = {}): Promise<number> {
    const places = [...(this.#lines.get(lineOf(key))?.keys() ?? [])];
    const end = before === undefined ? undefined : placeKey(before);
    return Promise.resolve(Math.min(most, places.filter((place) => end === undefined || place < end).length));
  }

  async lastPlace(id: string): Promise<LastPlace | undefined> {
    const last = this.#places.get(id);
    if (last === undefined) return undefined;
    const parked = await this.parked(last.key, last.place);
    return { ...last, ...(parked === undefined ? {} : { parked }) };
  }
}

function itemKey(key: string): string {
  const { partition, sort } = holdersAt(key);
  return `${partition} ${sort}`;
}

function slotsOf(item: Item | undefined): Slots {
  const holders = [...(item?.holders ?? [])].map(([holder, text]) => [holder, holderOf(text)] as const);
  const { line, checkMs, limit } = item ?? {};
  return {
    holders: new Map(holders),
    ...(line === undefined ? {} : { line }),
    ...(checkMs === undefined ? {} : { checkMs }),
    ...(limit === undefined ? {} : { limit }),
  };
}

function holds(when: SlotsCondition, { holders, line, checkMs }: Slots): boolean {
  const { same = new Map<string, Holder>(), present = [], absent = [], atMost = Infinity, atLeast = 0 } = when;
  return (
    [...same].every(([holder, entry]) => {
      const held = holders.get(holder);
      return held !== undefined && holderText(held) === holderText(entry);
    }) &&
    present.every((holder) => holders.has(holder)) &&
    absent.every((holder) => !holders.has(holder)) &&
    holders.size <= atMost &&
    holders.size >= atLeast &&
    (when.line === undefined || when.line === (line ?? null)) &&
    (when.checkMs === undefined || when.checkMs === (checkMs ?? null))
  );
}
