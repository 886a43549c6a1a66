/** A binary heap whose items know their index in it, so that any of them can be moved or taken out in O(log n). */

export interface HeapItem {
  /** Kept by the heap: index of the item, or -1 outside of it. */
  heapIndex: number;
}

export class Heap<T extends HeapItem> {
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
    item.heapIndex = this.#items.length;
    this.#items.push(item);
    this.#siftUp(item);
  }

  pop(): T | undefined {
    const first = this.#items[0];
    if (first !== undefined) this.remove(first);
    return first;
  }

  /** To be called after the item's order has changed. */
  moved(item: T): void {
    this.#siftUp(item);
    this.#siftDown(item);
  }

  remove(item: T): void {
    const index = item.heapIndex;
    const last = this.#items.pop();
    item.heapIndex = -1;
    if (last === undefined || last === item) return;
    this.#put(last, index);
    this.moved(last);
  }

  #siftUp(item: T): void {
    let index = item.heapIndex;
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = this.#items[above];
      if (parent === undefined || !this.#before(item, parent)) break;
      this.#put(parent, index);
      index = above;
    }
    this.#put(item, index);
  }

  #siftDown(item: T): void {
    let index = item.heapIndex;
    for (;;) {
      const left = 2 * index + 1;
      const first = this.#items[left];
      if (first === undefined) break;
      const second = this.#items[left + 1];
      const child = second !== undefined && this.#before(second, first) ? second : first;
      if (!this.#before(child, item)) break;
      const below = child.heapIndex;
      this.#put(child, index);
      index = below;
    }
    this.#put(item, index);
  }

  #put(item: T, index: number): void {
    this.#items[index] = item;
    item.heapIndex = index;
  }
}
