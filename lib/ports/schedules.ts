/** Ports of the beat: where entries live, and what fires them without a sweep. */
/** One stored schedule entry. Its meaning is the beat's; a store knows its name, its time and its revision. */
export interface ScheduleItem {
  /** Name of the entry. */
  readonly name: string;
  /** Raised by one at every write. */
  readonly revision: number;
  /** When the sweep must look at it; null: never. */
  readonly nextDueMs: number | null;
  /** JSON text. */
  readonly document: string;
}

/** Found in the store's index of due times, which may be behind: the entry's own `nextDueMs` counts. */
export interface DueEntry {
  /** Name of the entry. */
  readonly name: string;
  /** When it is due as the index has it, milliseconds since the epoch. */
  readonly dueMs: number;
  /** The entry; undefined where it is gone. */
  readonly item: ScheduleItem | undefined;
}

/** Where schedule entries live. */
export interface Schedules {
  /** Strongly consistent, in the order of `names`. */
  read(names: readonly string[]): Promise<(ScheduleItem | undefined)[]>;
  /** Entries by name, after a given one, at most `limit`. */
  list(after: string | undefined, limit: number): Promise<ScheduleItem[]>;
  /**
   * Hands what is due by `untilMs` to `visit`, earliest first, at most `limit` at a time, each entry as it is stored then. What
   * `visit` gives back has been dealt with, and is not found again under that time; all else is, also where `visit` throws.
   * Cost follows what is due.
   */
  eachDue(
    untilMs: number,
    limit: number,
    visit: (due: readonly DueEntry[]) => Promise<readonly DueEntry[]>,
  ): Promise<void>;
  /**
   * Stores each entry whose stored revision is one less (none: 0: it is made, and only made) and, before them, when they are
   * due: a crash between the two has `eachDue` find one too many, never an entry that nobody looks at. `false` for each whose
   * stored revision is another one; it keeps none of the others from being stored. Names are distinct within one call.
   */
  write(items: readonly ScheduleItem[]): Promise<boolean[]>;
  /** Deletes an entry of this revision. `false` where it has another one; true where it is gone already. */
  remove(name: string, revision: number): Promise<boolean>;
}

/** The scheduler's rules that fire entries without a sweep. */
export interface Rules {
  /** Whether an entry's rule is enabled; undefined where it has none. */
  isEnabled(entry: string): Promise<boolean | undefined>;
  /** Enables or disables an entry's rule; rejects where it has none. */
  setEnabled(entry: string, enabled: boolean): Promise<void>;
}
