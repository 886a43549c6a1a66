/** Port of rate limits: one line per limit and key, in which each start takes a place. */

/** Places for some attempts of one limit and key. */
export interface RateRequest {
  /** The limit and its key: `rateKey(task, key)`. */
  readonly key: string;
  /** How many places; 0 only tells how the line stands, and moves it where the pace is another now. */
  readonly count: number;
  /** Microseconds from one place to the next. */
  readonly paceMicros: number;
  /** The caller's time, milliseconds since the epoch. */
  readonly nowMs: number;
}

/** How a line stands after a request. */
export interface RateLine {
  /** When the next start may be, microseconds since the epoch: the last place of the request is one pace before. */
  readonly nextMicros: number;
  /** The last change of its pace while somebody stood in it. */
  readonly changed?: {
    /** When, microseconds since the epoch. */
    readonly atMicros: number;
    /** The pace before, microseconds. */
    readonly fromMicros: number;
  };
}

/** A place that an attempt keeps while its message waits where it is. */
export interface KeptSlot {
  /** Microseconds since the epoch. */
  readonly slotMicros: number;
  /** Of the limit when it was given, microseconds. */
  readonly paceMicros: number;
  /** How often it came too late for a place before. */
  readonly lates: number;
}

/** An attempt and the place that it keeps. */
export interface KeepSlotRequest {
  /** Task id. */
  readonly id: string;
  /** The message's `retries` number, from 0. */
  readonly attempt: number;
  /** The place. */
  readonly slot: KeptSlot;
  /** The place that it is kept instead of; absent for the first. */
  readonly instead?: KeptSlot;
  /** When it goes, seconds since the epoch. */
  readonly expiresAtSeconds: number;
}

/** Who may start when, under the limits of a service. Every write is conditional: a place may be lost, never given twice. */
export interface Rates {
  /**
   * Takes places at the end of the line, or from now on where nobody stands in it.
   *
   * @returns undefined where others were quicker again and again: no place was taken.
   */
  reserve(request: RateRequest): Promise<RateLine | undefined>;
  /** Keeps a place of an attempt. @returns the one that is kept: another's, where that came first. */
  keep(request: KeepSlotRequest): Promise<KeptSlot>;
  /** The place that an attempt keeps; undefined for none. */
  kept(id: string, attempt: number): Promise<KeptSlot | undefined>;
  /** Notes a limit that holds in place of what a task declares, `'0'` for none; undefined takes the note away. */
  setLimit(task: string, limit: string | undefined): Promise<void>;
  /** All limits that are noted, by task. */
  limits(): Promise<ReadonlyMap<string, string>>;
}
