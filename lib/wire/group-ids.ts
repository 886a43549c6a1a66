/** How a group's members are laid out in sets: a tree, so that no item is hot and none grows. */
import { GROUP_PART_MEMBERS, GROUP_RETENTION_SECONDS } from '../base/limits.ts';
import { derivedId } from '../base/ids.ts';

/** One set: of members (level 0), or of complete sets of the level below. */
export interface GroupPart {
  readonly level: number;
  readonly number: number;
  /** How many elements make it complete. */
  readonly elements: number;
  /** Nothing stands above it. */
  readonly top: boolean;
}

/** The set of a level that holds an element. */
export function partOf(size: number, level: number, index: number): GroupPart {
  const here = elementsAt(size, level);
  const number = Math.floor(index / GROUP_PART_MEMBERS);
  return {
    level,
    number,
    elements: Math.min(GROUP_PART_MEMBERS, here - number * GROUP_PART_MEMBERS),
    top: here <= GROUP_PART_MEMBERS,
  };
}

/** Elements of a level: members at level 0, sets of the level below above it. */
function elementsAt(size: number, level: number): number {
  let elements = size;
  for (let count = 0; count < level; count += 1) elements = Math.ceil(elements / GROUP_PART_MEMBERS);
  return elements;
}

/** The task id of a member that was given none: whoever knows the group knows all of them. */
export function groupMemberId(groupId: string, index: number): string {
  return derivedId(`${groupId}:member:${index}`);
}

/** When what is known of a group goes, epoch seconds: its members may wait longer for their turn than results are kept. */
export function groupExpiresAtSeconds(nowMs: number, resultExpiresSeconds: number): number {
  return Math.floor(nowMs / 1000) + resultExpiresSeconds + GROUP_RETENTION_SECONDS;
}
