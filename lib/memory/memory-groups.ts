/** Groups in memory: the executable meaning of `Groups`. */
import { partOf } from '../wire/group-ids.ts';
import type { GroupCount, GroupMark, GroupMarked, GroupRecord, Groups } from '../ports/groups.ts';
import { partitionKey } from '../ports/store-limits.ts';

interface Part {
  readonly done: Set<number>;
  readonly failed: Set<number>;
}

interface Group {
  readonly parts: Map<string, Part>;
  readonly memberIds: Map<number, string>;
}

/** Groups in memory: the meaning of the port. */
export class MemoryGroups implements Groups {
  readonly #groups = new Map<string, Group>();
  readonly #definitions = new Map<string, GroupRecord>();

  async mark(marks: readonly GroupMark[]): Promise<GroupMarked[]> {
    for (const { groupId } of marks) keyOf(groupId);
    // As a store does that shares writes: all marks first, then the answers.
    for (const mark of marks) this.#add(mark);
    return Promise.resolve(marks.map((mark) => this.#add(mark)));
  }

  async count(groupId: string): Promise<GroupCount> {
    keyOf(groupId);
    const group = this.#groups.get(groupId);
    const leaves = [...(group?.parts ?? [])].filter(([key]) => key.startsWith('0#')).map(([, part]) => part);
    return Promise.resolve({
      done: leaves.reduce((sum, part) => sum + part.done.size, 0),
      failed: leaves.flatMap((part) => [...part.failed]).toSorted((left, right) => left - right),
      memberIds: new Map(group?.memberIds),
    });
  }

  async define(record: GroupRecord): Promise<void> {
    keyOf(record.groupId);
    this.#definitions.set(record.groupId, { ...record });
    return Promise.resolve();
  }

  definition(groupId: string, nowMs: number): Promise<GroupRecord | undefined> {
    const record = this.#definitions.get(groupId);
    return Promise.resolve(record !== undefined && record.expiresAtSeconds * 1000 > nowMs ? { ...record } : undefined);
  }

  forget(groupId: string): Promise<void> {
    this.#groups.delete(groupId);
    this.#definitions.delete(groupId);
    return Promise.resolve();
  }

  #add(mark: GroupMark): GroupMarked {
    const group = this.#group(mark.groupId);
    if (mark.memberId !== undefined) group.memberIds.set(mark.index, mark.memberId);
    let { index, failed } = mark;
    for (let level = 0; ; level += 1) {
      const { number, elements, top } = partOf(mark.size, level, index);
      const part = partIn(group, `${level}#${number}`);
      part.done.add(index);
      if (failed) part.failed.add(index);
      failed = part.failed.size > 0;
      const complete = part.done.size >= elements;
      if (!complete || top) return { complete, failed };
      index = number;
    }
  }

  #group(groupId: string): Group {
    let group = this.#groups.get(groupId);
    if (group === undefined) {
      group = { parts: new Map(), memberIds: new Map() };
      this.#groups.set(groupId, group);
    }
    return group;
  }
}

function keyOf(groupId: string): string {
  return partitionKey(`group#${groupId}`);
}

function partIn(group: Group, key: string): Part {
  let part = group.parts.get(key);
  if (part === undefined) {
    part = { done: new Set(), failed: new Set() };
    group.parts.set(key, part);
  }
  return part;
}
