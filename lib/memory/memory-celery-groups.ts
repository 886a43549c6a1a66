import { checkGroupSize } from '../wire/celery-group.ts';
import { partitionKey } from '../ports/store-limits.ts';
import type { CeleryCount, CeleryGroup, CeleryGroups } from '../ports/celery-groups.ts';

interface Counter {
  count: number;
  closed: boolean;
  readonly counted: Set<number>;
}

/** Celery's groups in memory: the meaning of the port. */
export class MemoryCeleryGroups implements CeleryGroups {
  readonly #groups = new Map<string, CeleryGroup>();
  readonly #counters = new Map<string, Counter>();

  async define(group: CeleryGroup): Promise<void> {
    const { groupId, chord } = group;
    keyOf(groupId);
    checkGroupSize(group);
    if (!this.#groups.has(groupId)) this.#groups.set(groupId, group);
    if (chord && !this.#counters.has(groupId))
      this.#counters.set(groupId, { count: 0, closed: false, counted: new Set() });
    return Promise.resolve();
  }

  async members(groupId: string, nowMs: number): Promise<readonly string[] | undefined> {
    keyOf(groupId);
    const group = this.#groups.get(groupId);
    return Promise.resolve(group !== undefined && group.expiresAtSeconds * 1000 > nowMs ? group.memberIds : undefined);
  }

  count({ groupId, index }: { readonly groupId: string; readonly index: number }): Promise<CeleryCount | undefined> {
    const counter = this.#counters.get(groupId);
    if (counter === undefined) return Promise.resolve(undefined);
    if (!counter.counted.has(index)) counter.count += 1;
    counter.counted.add(index);
    return Promise.resolve({ count: counter.count, closed: counter.closed });
  }

  close(groupId: string): Promise<void> {
    const counter = this.#counters.get(groupId);
    if (counter !== undefined) counter.closed = true;
    return Promise.resolve();
  }

  forget(groupId: string): Promise<void> {
    if (!this.#counters.has(groupId)) this.#groups.delete(groupId);
    return Promise.resolve();
  }

  /** What a member in Python does: it adds one, and the one that completes the group deletes it. Gives the new count. */
  countInPython(groupId: string): number {
    const counter = this.#counters.get(groupId);
    if (counter === undefined) throw new Error(`Celery has no counter of group ${groupId}`);
    counter.count += 1;
    return counter.count;
  }

  /** What Celery does when it has sent a chord's body: group and counter go. */
  deleteInPython(groupId: string): void {
    this.#groups.delete(groupId);
    this.#counters.delete(groupId);
  }
}

function keyOf(groupId: string): string {
  return partitionKey(`b'celery-taskset-meta-${groupId}'`);
}
