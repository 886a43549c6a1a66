/** One DynamoDB table: partitions of items in the order of their sort keys, and what each item was before its last write. */
import { byUtf8, type Item, keyText } from './values.ts';

export interface KeySchema {
  readonly partition: string;
  readonly sort?: string;
}

export interface ItemKey {
  readonly partition: string;
  readonly sort: string;
}

interface Held {
  readonly sort: string;
  item: Item | undefined;
  /** What a read that is not consistent may still see. */
  earlier: Item | undefined;
}

interface Partition {
  /** In the order of their sort keys. */
  readonly held: Held[];
  /** The place of an item deleted by the partition's last write. */
  deleted: Held | undefined;
}

export class FakeTable {
  readonly name: string;
  readonly schema: KeySchema;
  readonly #partitions = new Map<string, Partition>();

  constructor(name: string, schema: KeySchema) {
    this.name = name;
    this.schema = schema;
  }

  get keys(): readonly string[] {
    return this.schema.sort === undefined ? [this.schema.partition] : [this.schema.partition, this.schema.sort];
  }

  /** Where an item is kept: its key attributes must be there, and be within the limits. */
  itemKeyOf(item: Item): ItemKey {
    const { partition, sort } = this.schema;
    return {
      partition: keyText(item[partition], 'partition'),
      sort: sort === undefined ? '' : keyText(item[sort], 'sort'),
    };
  }

  keyOf(item: Item): Item {
    return Object.fromEntries(
      this.keys.flatMap((name) => (item[name] === undefined ? [] : [[name, item[name]] as const])),
    );
  }

  read({ partition, sort }: ItemKey, consistent: boolean): Item | undefined {
    const held = this.#partitions.get(partition)?.held ?? [];
    const found = held[indexOf(held, sort)];
    if (found?.sort !== sort) return undefined;
    if (consistent) return found.item;
    // Who asks again sees what is written by now: staleness passes.
    const { earlier } = found;
    found.earlier = found.item;
    return earlier;
  }

  write({ partition: name, sort }: ItemKey, item: Item | undefined): void {
    const partition = this.#partitions.get(name) ?? { held: [], deleted: undefined };
    this.#partitions.set(name, partition);
    const { held, deleted } = partition;
    partition.deleted = undefined;
    if (deleted !== undefined && deleted.sort !== sort) held.splice(indexOf(held, deleted.sort), 1);
    const at = indexOf(held, sort);
    const found = held[at]?.sort === sort ? held[at] : undefined;
    if (found === undefined) {
      if (item !== undefined) held.splice(at, 0, { sort, item, earlier: undefined });
      return;
    }
    found.earlier = found.item;
    found.item = item;
    if (item === undefined) partition.deleted = found;
  }

  /** In the order of their sort keys, or against it, beginning behind `after`. */
  *partition(name: string, consistent = true, after?: string, forward = true): Generator<Item> {
    const held = this.#partitions.get(name)?.held ?? [];
    const [step, first] = forward ? [1, 0] : [-1, held.length - 1];
    let at = after === undefined ? first : indexOf(held, after) - (forward ? 0 : 1);
    if (forward && after !== undefined && held[at]?.sort === after) at += 1;
    for (; at >= 0 && at < held.length; at += step) {
      const item = consistent ? held[at]?.item : held[at]?.earlier;
      if (item !== undefined) yield item;
    }
  }

  *items(): Generator<Item> {
    for (const name of this.#partitions.keys()) yield* this.partition(name);
  }
}

/** The first place that is not before `sort`. */
function indexOf(held: readonly Held[], sort: string): number {
  let [low, high] = [0, held.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (byUtf8(held[middle]?.sort ?? '', sort) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
