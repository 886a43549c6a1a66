/** Port of groups and chords: who of a group has finished. */

/** One finished member of a group. */
export interface GroupMark {
  /** Id of the group. */
  readonly groupId: string;
  /** Its index in the group, from 0. */
  readonly index: number;
  /** Members of the group. */
  readonly size: number;
  /** It ended otherwise than with a result. */
  readonly failed: boolean;
  /** Its task id, where that is not `groupMemberId(groupId, index)`. */
  readonly memberId?: string;
  /** When the mark goes, seconds since the epoch. */
  readonly expiresAtSeconds: number;
}

/** How the group stands, as far as the mark could see. */
export interface GroupMarked {
  /** Every member is marked. Said to whoever marks a complete group, again and again. */
  readonly complete: boolean;
  /** When complete: any member failed. Otherwise: any that the mark could see, its own at least. */
  readonly failed: boolean;
}

/** How many of a group have finished, and which of them failed. */
export interface GroupCount {
  /** Members that are marked, failed ones among them. */
  readonly done: number;
  /** Places of failed members, ascending. */
  readonly failed: readonly number[];
  /** Task ids that are not `groupMemberId`'s, by index. */
  readonly memberIds: ReadonlyMap<number, string>;
}

/** A group as its sender defined it. */
export interface GroupRecord {
  /** Id of the group. */
  readonly groupId: string;
  /** How many members it has. */
  readonly size: number;
  /** When it was sent, milliseconds since the epoch. */
  readonly createdMs: number;
  /** JSON text of any length: what a repair needs to send the members again. */
  readonly definition: string;
  /** When the definition goes, seconds since the epoch. */
  readonly expiresAtSeconds: number;
}

/**
 * Who of a group has finished. Members are elements of sets, never increments: marking one twice changes
 * nothing, so that redelivery can neither complete a group early nor keep it open.
 */
export interface Groups {
  /** In the order given. Marks of one group share writes where they can. */
  mark(marks: readonly GroupMark[]): Promise<GroupMarked[]>;
  /** Strongly consistent; reads sets of members, not members. */
  count(groupId: string): Promise<GroupCount>;
  /** Stores a definition, in place of an earlier one. */
  define(record: GroupRecord): Promise<void>;
  /** undefined for unknown and expired ones. */
  definition(groupId: string, nowMs: number): Promise<GroupRecord | undefined>;
  /** Deletes marks and definition. */
  forget(groupId: string): Promise<void>;
}
