/** The two kinds of SQS queue in memory: what is receivable, and when. */
import { Heap, type HeapItem } from './heap.ts';

export interface Stored extends HeapItem {
  readonly messageId: string;
  readonly body: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly groupId: string | undefined;
  readonly sentMs: number;
  /** Position among everything that was ever sent. */
  readonly order: number;
  readonly lostFrom: string | undefined;
  visibleMs: number;
  receiveCount: number;
  /** The newest receipt; older ones are no longer valid. */
  receipt: string | undefined;
}

export interface MessageQueue {
  readonly fifo: boolean;
  get(messageId: string): Stored | undefined;
  values(): Iterable<Stored>;
  add(message: Stored): void;
  /** Takes up to `max` receivable messages through `take`, which hides them; what it refuses leaves the queue. */
  collect(nowMs: number, max: number, take: (message: Stored) => boolean): Stored[];
  /** Changes when a message is visible. */
  show(message: Stored, visibleMs: number): void;
  remove(message: Stored): void;
  nextVisibleMs(): number | undefined;
}

export class StandardQueue implements MessageQueue {
  readonly fifo = false as const;
  readonly #messages = new Map<string, Stored>();
  readonly #heap: Heap<Stored> = new Heap(
    (left, right) =>
      left.visibleMs < right.visibleMs || (left.visibleMs === right.visibleMs && left.order < right.order),
  );

  get(messageId: string): Stored | undefined {
    return this.#messages.get(messageId);
  }

  values(): Iterable<Stored> {
    return this.#messages.values();
  }

  add(message: Stored): void {
    this.#messages.set(message.messageId, message);
    this.#heap.push(message);
  }

  collect(nowMs: number, max: number, take: (message: Stored) => boolean): Stored[] {
    const taken: Stored[] = [];
    // Back in the heap only at the end: a visibility timeout of zero would hand out one message twice.
    while (taken.length < max) {
      const message = this.#heap.peek();
      if (message === undefined || message.visibleMs > nowMs) break;
      this.#heap.remove(message);
      if (take(message)) taken.push(message);
      else this.#messages.delete(message.messageId);
    }
    for (const message of taken) this.#heap.push(message);
    return taken;
  }

  show(message: Stored, visibleMs: number): void {
    message.visibleMs = visibleMs;
    this.#heap.moved(message);
  }

  remove(message: Stored): void {
    if (this.#messages.delete(message.messageId)) this.#heap.remove(message);
  }

  nextVisibleMs(): number | undefined {
    return this.#heap.peek()?.visibleMs;
  }
}

interface Group extends HeapItem {
  readonly id: string;
  /** In the order sent. */
  readonly messages: Map<string, Stored>;
  /** Received at least once: only these can be in flight. */
  readonly touched: Set<Stored>;
  /** When its last message in flight is visible again: until then the whole group waits. */
  readyMs: number;
}

export class FifoQueue implements MessageQueue {
  readonly fifo = true as const;
  readonly #messages = new Map<string, Stored>();
  readonly #groups = new Map<string, Group>();
  readonly #heap: Heap<Group> = new Heap(
    (left, right) =>
      left.readyMs < right.readyMs || (left.readyMs === right.readyMs && headOrder(left) < headOrder(right)),
  );

  get(messageId: string): Stored | undefined {
    return this.#messages.get(messageId);
  }

  values(): Iterable<Stored> {
    return this.#messages.values();
  }

  add(message: Stored): void {
    this.#messages.set(message.messageId, message);
    const id = message.groupId ?? '';
    const group = this.#groups.get(id);
    if (group !== undefined) {
      group.messages.set(message.messageId, message);
      return;
    }
    const made: Group = {
      id,
      messages: new Map([[message.messageId, message]]),
      touched: new Set(),
      readyMs: message.visibleMs,
      heapIndex: -1,
    };
    this.#groups.set(id, made);
    this.#heap.push(made);
  }

  collect(nowMs: number, max: number, take: (message: Stored) => boolean): Stored[] {
    const taken: Stored[] = [];
    const visited: Group[] = [];
    while (taken.length < max) {
      const group = this.#heap.peek();
      if (group === undefined || group.readyMs > nowMs) break;
      this.#heap.remove(group);
      visited.push(group);
      for (const message of group.messages.values()) {
        if (taken.length >= max) break;
        if (take(message)) {
          taken.push(message);
          group.touched.add(message);
        } else this.#drop(group, message);
      }
    }
    for (const group of visited) this.#settle(group);
    return taken.toSorted((left, right) => left.order - right.order);
  }

  show(message: Stored, visibleMs: number): void {
    message.visibleMs = visibleMs;
    const group = this.#groups.get(message.groupId ?? '');
    if (group !== undefined) this.#settle(group);
  }

  remove(message: Stored): void {
    const group = this.#groups.get(message.groupId ?? '');
    if (group === undefined) return;
    this.#drop(group, message);
    this.#settle(group);
  }

  nextVisibleMs(): number | undefined {
    return this.#heap.peek()?.readyMs;
  }

  #drop(group: Group, message: Stored): void {
    this.#messages.delete(message.messageId);
    group.messages.delete(message.messageId);
    group.touched.delete(message);
  }

  /** Puts the group where its messages now want it. */
  #settle(group: Group): void {
    if (group.messages.size === 0) {
      this.#groups.delete(group.id);
      if (group.heapIndex >= 0) this.#heap.remove(group);
      return;
    }
    group.readyMs = headMs(group);
    for (const { visibleMs } of group.touched) group.readyMs = Math.max(group.readyMs, visibleMs);
    if (group.heapIndex >= 0) this.#heap.moved(group);
    else this.#heap.push(group);
  }
}

function headOf(group: Group): Stored | undefined {
  return group.messages.values().next().value;
}

function headOrder(group: Group): number {
  return headOf(group)?.order ?? 0;
}

function headMs(group: Group): number {
  return headOf(group)?.visibleMs ?? 0;
}
