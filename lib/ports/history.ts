/** Port of the history: what ended, as workers wrote it down, and what the sweeper made of it. */

/** Ends that one invocation wrote together: all within one minute. */
export interface HistoryItem {
  /** When the first of them was, milliseconds since the epoch. */
  readonly firstMs: number;
  /** Which invocation wrote it, and which of its items this is: the same item written twice is one. */
  readonly name: string;
  /** The ends, packed; at most 400 KB with its keys. */
  readonly data: Uint8Array;
}

/** One page of one part of an hour. */
export interface HistoryPage {
  /** The newest first. */
  readonly items: readonly HistoryItem[];
  /** Where the next page begins; undefined for the last one. */
  readonly next?: unknown;
}

/** Which items are asked for: all lie within one hour. */
export interface HistoryQuery {
  /** Part of the hour, from 0 to `HISTORY_SHARDS` - 1. */
  readonly shard: number;
  /** Milliseconds since the epoch. */
  readonly fromMs: number;
  /** Excluded; milliseconds since the epoch, at most the end of the hour. */
  readonly untilMs: number;
  /** `next` of the page before. */
  readonly after?: unknown;
}

/** How long a bucket of statistics is. */
export type StatsEvery = 'minute' | 'hour' | 'day';

/** Counts of all tasks in one minute, hour or day. */
export interface StatsBucket {
  /** How long it is; `deploy`: a mark, whose data is a version. */
  readonly every: StatsEvery | 'deploy';
  /** When it begins, milliseconds since the epoch. */
  readonly startMs: number;
  /** How many ends it counts. */
  readonly count: number;
  /** The counts, packed; at most 400 KB with its keys. */
  readonly data: Uint8Array;
}

/** A minute that was written to when it may have been rolled up. */
export interface LateMinute {
  /** When it begins, milliseconds since the epoch. */
  readonly startMs: number;
  /** Another one each time that it is noted. */
  readonly token: string;
}

/** How far the sweeper is. */
export interface RollState {
  /** Every minute before it is rolled up, milliseconds since the epoch; undefined before the first time. */
  readonly untilMs?: number;
  /** Minutes to be rolled up again. */
  readonly late: readonly LateMinute[];
}

/** Where the history and its statistics live. Times to live are seconds since the epoch. */
export interface History {
  /** Stores items, each by itself: where it throws, some may be stored. */
  put(items: readonly (HistoryItem & { readonly shard: number; readonly expiresAtSeconds: number })[]): Promise<void>;
  /** Items of one part of an hour, the newest first. Strongly consistent. */
  page(query: HistoryQuery): Promise<HistoryPage>;
  /** Notes a minute that is to be rolled up again. */
  noteLate(minute: LateMinute & { readonly expiresAtSeconds: number }): Promise<void>;
  /** Forgets the note, unless the minute has been noted again. */
  clearLate(minute: LateMinute): Promise<void>;
  /** Strongly consistent. @param limit of the notes */
  rollState(limit: number): Promise<RollState>;
  /** Notes how far the sweeper is; it never goes back. */
  rolled(untilMs: number): Promise<void>;
  /** Stores a bucket, unless one that counts more stands there. */
  putBucket(bucket: StatsBucket & { readonly expiresAtSeconds: number }): Promise<void>;
  /** Buckets that begin in this time, in order, at most `limit`. Strongly consistent. */
  buckets(query: {
    readonly every: StatsBucket['every'];
    readonly fromMs: number;
    readonly untilMs: number;
    readonly limit: number;
  }): Promise<readonly StatsBucket[]>;
}
