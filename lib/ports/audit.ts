/** Port of the audit list: who changed what, and when. For people: nothing decides by it. */

/** What somebody did, or tried to. */
export interface AuditEntry {
  /** No two have the same. Letters, digits and `-`. */
  readonly id: string;
  /** When it began, milliseconds since the epoch. */
  readonly atMs: number;
  /** Who, as the login knows them. */
  readonly by: string;
  /** What: `queue.pause`, `task.revoke` and so on. */
  readonly action: string;
  /** On what: names, ids; up to 20 of them. */
  readonly on: readonly string[];
  /** How many it was about, where that is more than `on` names. */
  readonly count?: number;
  /** For people: why, at what rate, what became of it. Never arguments or results. */
  readonly note?: string;
  /** `begun` until its end is known: what never ends was cut off. */
  readonly outcome: 'begun' | 'done' | 'failed';
  /** Name and message of what refused it. */
  readonly error?: string;
  /** When it goes, seconds since the epoch. */
  readonly expiresAtSeconds: number;
}

/** Where the next page begins: behind this entry. */
export type AuditPosition = Pick<AuditEntry, 'atMs' | 'id'>;

/** Who changed what. Entries are written when an action begins, and once more when it has ended. */
export interface Audit {
  /** Writes an entry, in place of an earlier one of the same `atMs` and `id`. */
  put(entry: AuditEntry): Promise<void>;
  /** The newest first, at most `limit`, those behind `after` alone, none that has expired. Strongly consistent. */
  list(query: {
    readonly limit: number;
    readonly nowMs: number;
    readonly after?: AuditPosition;
  }): Promise<readonly AuditEntry[]>;
}
