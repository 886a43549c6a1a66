/** A binary heap whose items know their place, so that any of them can be moved or taken out in O(log n). */

export interface Placed {
  /** Kept by the heap: index of the item, or -1 outside of it. */
  place: number;
}

export class Heap<T extends Placed> {
  readonly #items: T[] = [];
  readonly #before: (left: T, right: T) => boolean;

  constructor(before: (left: T, right: T) => boolean) {
    this.#before = before;
  }

  get size(): number {
    return this.#items.length;
  }

  peek(): T | undefined {
    return this.#items[0];
  }

  push(item: T): void {
    item.place = this.#items.length;
    this.#items.push(item);
    this.#rise(item);
  }

  pop(): T | undefined {
    const first = this.#items[0];
    if (first !== undefined) this.remove(first);
    return first;
  }

  /** To be called after the item's order has changed. */
  moved(item: T): void {
    this.#rise(item);
    this.#sink(item);
  }

  remove(item: T): void {
    const place = item.place;
    const last = this.#items.pop();
    item.place = -1;
    if (last === undefined || last === item) return;
    this.#put(last, place);
    this.moved(last);
  }

  #rise(item: T): void {
    let place = item.place;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = this.#items[above];
      if (parent === undefined || !this.#before(item, parent)) break;
      this.#put(parent, place);
      place = above;
    }
    this.#put(item, place);
  }

  #sink(item: T): void {
    let place = item.place;
    for (;;) {
      const left = 2 * place + 1;
      const first = this.#items[left];
      if (first === undefined) break;
      const second = this.#items[left + 1];
      const child = second !== undefined && this.#before(second, first) ? second : first;
      if (!this.#before(child, item)) break;
      const below = child.place;
      this.#put(child, place);
      place = below;
    }
    this.#put(item, place);
  }

  #put(item: T, place: number): void {
    this.#items[place] = item;
    item.place = place;
  }
}
