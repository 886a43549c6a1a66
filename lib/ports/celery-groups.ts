/** Port of groups that Celery's own workers count: what its DynamoDB backend stores (celery/backends/dynamodb.py). */

/** A group as Celery stores it before its members are sent. */
export interface CeleryGroup {
  /** Id of the group. */
  readonly groupId: string;
  /** Task ids, in order. */
  readonly memberIds: readonly string[];
  /** Its members count towards a body. */
  readonly chord: boolean;
  /** The caller's time, milliseconds since the epoch. */
  readonly nowMs: number;
  /** When it goes, seconds since the epoch. */
  readonly expiresAtSeconds: number;
}

/** How far a chord's counter is. */
export interface CeleryCount {
  /** Members that have finished. Celery's own workers add to it without looking: more than there are is possible. */
  readonly count: number;
  /** Whether its body has been sent from here. */
  readonly closed: boolean;
}

/**
 * Celery counts a chord by adding one for each member, and whoever reaches the number of members sends the body
 * and deletes the counter. Ours count themselves by name: one that comes back adds nothing.
 */
export interface CeleryGroups {
  /** Stores a group and the counter of a chord at nought; one that is there stays as it is. */
  define(group: CeleryGroup): Promise<void>;
  /** Ids of the members, in order; undefined where nobody has stored such a group, it has expired, or Celery has deleted it. */
  members(groupId: string, nowMs: number): Promise<readonly string[] | undefined>;
  /** Counts a member of ours, once. undefined where there is no counter: Celery has sent the body. */
  count(request: {
    readonly groupId: string;
    /** Its index in the group, from 0. */
    readonly index: number;
    readonly expiresAtSeconds: number;
  }): Promise<CeleryCount | undefined>;
  /** The body has been sent. The counter stays until it expires: without it, Celery fails a body whose member comes back. */
  close(groupId: string): Promise<void>;
  /** Deletes a group that is no chord's; a chord's counter stays for members that come back. */
  forget(groupId: string): Promise<void>;
}
