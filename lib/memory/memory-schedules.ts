/** Schedule entries in memory: the executable meaning of `Schedules`. */
import type { DueEntry, ScheduleItem, Schedules } from '../ports/schedules.ts';
import { byBytes } from '../base/ids.ts';
import { checkItem, sortKey, timeKey } from '../ports/store-limits.ts';
import { Heap, type HeapItem } from './heap.ts';

type DueMark = Pick<DueEntry, 'name' | 'dueMs'>;

interface Mark extends HeapItem, DueMark {}

/** Schedule entries in memory: the meaning of the port. */
export class MemorySchedules implements Schedules {
  readonly #items = new Map<string, ScheduleItem>();
  readonly #marks = new Map<string, Mark>();
  readonly #heap: Heap<Mark> = new Heap<Mark>(before);

  read(names: readonly string[]): Promise<(ScheduleItem | undefined)[]> {
    return Promise.resolve(names.map((name) => this.#items.get(name)));
  }

  list(after: string | undefined, limit: number): Promise<ScheduleItem[]> {
    const items = [...this.#items.values()]
      .filter(({ name }) => after === undefined || byBytes(name, after) > 0)
      .toSorted((left, right) => byBytes(left.name, right.name));
    return Promise.resolve(items.slice(0, limit));
  }

  async eachDue(
    untilMs: number,
    limit: number,
    visit: (due: readonly DueEntry[]) => Promise<readonly DueEntry[]>,
  ): Promise<void> {
    let after: DueMark | undefined;
    for (;;) {
      const marks = this.#due(untilMs, limit, after);
      if (marks.length > 0)
        this.#drop(await visit(marks.map((mark) => ({ ...mark, item: this.#items.get(mark.name) }))));
      after = marks.at(-1);
      if (marks.length < limit || after === undefined) return;
    }
  }

  #due(untilMs: number, limit: number, after: DueMark | undefined): DueMark[] {
    const taken: Mark[] = [];
    const due: DueMark[] = [];
    for (let mark = this.#heap.peek(); mark !== undefined && mark.dueMs <= untilMs && due.length < limit;) {
      this.#heap.remove(mark);
      taken.push(mark);
      if (after === undefined || before(after, mark)) due.push({ name: mark.name, dueMs: mark.dueMs });
      mark = this.#heap.peek();
    }
    for (const mark of taken) this.#heap.push(mark);
    return due;
  }

  async write(items: readonly ScheduleItem[]): Promise<boolean[]> {
    for (const item of items) {
      if (item.nextDueMs !== null) sortKey(`${timeKey(item.nextDueMs)}#${item.name}`);
      checkItem({ pk: 'schedule', sk: sortKey(item.name), ...item, name: null });
    }
    for (const { name, nextDueMs } of items) if (nextDueMs !== null) this.#mark({ name, dueMs: nextDueMs });
    return Promise.resolve(items.map((item) => this.#write(item)));
  }

  #write(item: ScheduleItem): boolean {
    if ((this.#items.get(item.name)?.revision ?? 0) !== item.revision - 1) return false;
    this.#items.set(item.name, { ...item });
    return true;
  }

  remove(name: string, revision: number): Promise<boolean> {
    const item = this.#items.get(name);
    if (item !== undefined && item.revision !== revision) return Promise.resolve(false);
    this.#items.delete(name);
    return Promise.resolve(true);
  }

  /** When the earliest mark is due, or undefined. */
  nextDueMs(): number | undefined {
    return this.#heap.peek()?.dueMs;
  }

  #drop(marks: readonly DueMark[]): void {
    for (const mark of marks) {
      const held = this.#marks.get(keyOf(mark));
      if (held === undefined) continue;
      this.#marks.delete(keyOf(mark));
      this.#heap.remove(held);
    }
  }

  #mark(mark: DueMark): void {
    const key = keyOf(mark);
    if (this.#marks.has(key)) return;
    const held: Mark = { ...mark, heapIndex: -1 };
    this.#marks.set(key, held);
    this.#heap.push(held);
  }
}

function keyOf({ name, dueMs }: DueMark): string {
  return `${dueMs}#${name}`;
}

function before(left: DueMark, right: DueMark): boolean {
  return left.dueMs < right.dueMs || (left.dueMs === right.dueMs && byBytes(left.name, right.name) < 0);
}
