/** Port of the backend: where results and state live. */
// --------------------------------------------------------------- backend

/** One stored task, as a reader sees it. Expired ones are never returned. */
export interface TaskRecord {
  /** Task id. */
  readonly id: string;
  /** The true state, even where `trackStarted` or `ignoreResult` hide it from readers. */
  readonly status: string;
  /** The `retries` number of the newest claimed message; its parts are counted behind the point (`attemptNumber()`). */
  readonly attempt?: number;
  /** Newest attempt whose outcome is committed. */
  readonly committed?: number;
  /** The delivery that holds the current attempt's claim. */
  readonly owner?: string;
  /** Until when that claim holds, milliseconds since the epoch. */
  readonly leaseMs?: number;
  /** Claims won for the current attempt. */
  readonly deliveries?: number;
  /** How many of those deliveries gave the message back on purpose. */
  readonly requeues?: number;
  /** When somebody revoked it, milliseconds since the epoch. */
  readonly revokedMs?: number;
  /** It was revoked with `terminate`: a run under way is to end too. */
  readonly terminate?: boolean;
  /** Name of the task. */
  readonly name?: string;
  /** Celery's name of the queue that it came from. */
  readonly queue?: string;
  /** When the current attempt was last claimed, milliseconds since the epoch. */
  readonly startedMs?: number;
  /** When it reached a final state, milliseconds since the epoch; absent before. */
  readonly finishedMs?: number;
  /** Celery's result document (JSON text): status, result, traceback, children, date_done, task_id. */
  readonly meta?: string;
  /** What settling needs beyond `meta`: JSON text written with the commit. */
  readonly settlement?: string;
  /** Newest attempt of which all that follows has been sent, where that is noted. */
  readonly settledAttempt?: number;
  /** The outcome is kept from readers (`ignoreResult`). */
  readonly ignored?: boolean;
  /** How the attempt ended after which it was opened again (`reopen`): JSON text. A delivery of that one may settle it yet. */
  readonly past?: string;
  /** What its run stored last, to go on from: JSON text. It outlives a failure, and not a success. */
  readonly checkpoint?: string;
  /** When the record goes, seconds since the epoch. */
  readonly expiresAtSeconds?: number;
}

/** One delivery asks to be the owner of an attempt. */
export interface ClaimRequest {
  /** Task id. */
  readonly id: string;
  /** The message's `retries` number, from 0. */
  readonly attempt: number;
  /** Unique for this delivery; only its holder may commit. */
  readonly owner: string;
  /** The caller's time, milliseconds since the epoch. */
  readonly nowMs: number;
  /** When the claim may be taken over: this invocation's own deadline plus a margin for clock skew. */
  readonly leaseMs: number;
  /** Name of the task. */
  readonly name: string;
  /** Celery's name of the queue that it came from. */
  readonly queue: string;
  /** What readers see meanwhile. */
  readonly meta: string;
  /** Leave a stored document as it is (RETRY and its exception stay readable while the next attempt runs). */
  readonly keepMeta?: boolean;
  /** When the record goes, seconds since the epoch. */
  readonly expiresAtSeconds: number;
}

/** What became of one claim. */
export type ClaimOutcome =
  /** Ours. `deliveries` counts this claim; `requeues` the deliveries of this attempt that were handed back on purpose. */
  | {
      readonly kind: 'claimed';
      readonly deliveries: number;
      readonly requeues: number;
      /** As in `TaskRecord`. */
      readonly checkpoint?: string;
    }
  /** This attempt (or the whole task) is committed: settle again from `record`. */
  | { readonly kind: 'finished'; readonly record: TaskRecord }
  /** A newer attempt exists; this message is history. */
  | { readonly kind: 'older'; readonly record: TaskRecord }
  | { readonly kind: 'revoked'; readonly record: TaskRecord }
  /** Another delivery owns the attempt until `leaseMs`. */
  | { readonly kind: 'busy'; readonly leaseMs: number; readonly record: TaskRecord };

/** The owner of an attempt writes its outcome. */
export interface CommitRequest {
  /** Task id. */
  readonly id: string;
  /** The message's `retries` number, from 0. */
  readonly attempt: number;
  /** As in the claim. */
  readonly owner: string;
  /** The caller's time, milliseconds since the epoch. */
  readonly nowMs: number;
  /** The state after it: RETRY or a final one. */
  readonly status: string;
  /** Whether nothing can follow `status`. */
  readonly final: boolean;
  /** Absent: the stored document stays (an ignored result). */
  readonly meta?: string;
  /** What settling needs beyond `meta`: JSON text. */
  readonly settlement?: string;
  /** The outcome is kept from readers (`ignoreResult`). */
  readonly ignored?: boolean;
  /** As in `TaskRecord`; '' for none from now on. Absent: what is stored stays. */
  readonly checkpoint?: string;
  /** When the record goes, seconds since the epoch. */
  readonly expiresAtSeconds: number;
}

/** Records a final state for a task that nobody runs (expired, revoked, unknown, lost, a chain step that will never come). */
export interface ConcludeRequest {
  /** Task id. */
  readonly id: string;
  /** The message's `retries` number, from 0. */
  readonly attempt: number;
  /** The caller's time, milliseconds since the epoch. */
  readonly nowMs: number;
  /** The final state. */
  readonly status: string;
  /** Name of the task. */
  readonly name: string;
  /** Celery's name of the queue that its message was in. */
  readonly queue: string;
  /** Celery's result document, JSON text. */
  readonly meta: string;
  /** What settling needs beyond `meta`: JSON text. */
  readonly settlement?: string;
  /** When the record goes, seconds since the epoch. */
  readonly expiresAtSeconds: number;
}

/** What became of one conclusion: recorded, or why not. */
export type ConcludeOutcome =
  | { readonly kind: 'concluded' }
  | Exclude<ClaimOutcome, { kind: 'claimed' } | { kind: 'revoked' }>;

/** A task that has ended is to have one more attempt. */
export interface ReopenRequest {
  /** Task id. */
  readonly id: string;
  /** The attempt that counts as the last one: the next is greater. -1 for a task that never ran. */
  readonly attempt: number;
  /** The end that was seen: milliseconds since the epoch; undefined where there was no record. */
  readonly finishedMs: number | undefined;
  /** The caller's time, milliseconds since the epoch. */
  readonly nowMs: number;
  /** The true state until the next attempt is claimed. */
  readonly status: string;
  /** Name of the task. */
  readonly name: string;
  /** Celery's name of the queue that its message was in. */
  readonly queue: string;
  /** What readers see meanwhile. */
  readonly meta: string;
  /** As in `TaskRecord`. */
  readonly past?: string;
  /** When the record goes, seconds since the epoch. */
  readonly expiresAtSeconds: number;
}

/** A run stores something. */
export type UpdateRequest = {
  /** Task id. */
  readonly id: string;
  /** The message's `retries` number, from 0. */
  readonly attempt: number;
  /** As in the claim. */
  readonly owner: string;
} & (
  | { readonly status: string; readonly meta: string }
  /** As in `TaskRecord`. Deliveries are counted anew: this one is the first since then. */
  | { readonly checkpoint: string }
);

/** What became of a state that a run stores. `terminated`: its task was revoked with `terminate`, and nothing was stored. */
export type UpdateOutcome = 'stored' | 'terminated' | 'lost';

/** Where results and state live. Every write is conditional; none but `reopen` ever overwrites a final state. */
export interface Backend {
  /** Makes one delivery the owner of an attempt. Ids are distinct within one call. */
  claim(requests: readonly ClaimRequest[]): Promise<ClaimOutcome[]>;
  /** Writes the outcome of an attempt; `false` where owner or attempt are no longer ours. */
  commit(requests: readonly CommitRequest[]): Promise<boolean[]>;
  /** Gives a claim back so that a redelivery can take it at once. `false` where it was no longer ours. */
  release(request: { readonly id: string; readonly attempt: number; readonly owner: string }): Promise<boolean>;
  /** Notes that all that follows from a committed attempt has been sent. Of an attempt that is not committed, nothing. */
  noteSettled(request: { readonly id: string; readonly attempt: number }): Promise<void>;
  /** Stores a custom state, progress or a checkpoint for a running attempt. `lost` where it is no longer ours. */
  update(request: UpdateRequest): Promise<UpdateOutcome>;
  /** Records final states of tasks that nobody runs, and tells of each whether it did, in order. */
  conclude(requests: readonly ConcludeRequest[]): Promise<ConcludeOutcome[]>;
  /**
   * Marks a task as revoked. One that is not running becomes REVOKED at once (`meta`); a running
   * attempt goes on, but is never started again; with `terminate` it is told to end. Returns the state the task has now.
   */
  revoke(request: {
    readonly id: string;
    readonly nowMs: number;
    readonly meta: string;
    readonly expiresAtSeconds: number;
    /** Noted beside it, also where it was revoked without before; a later one without leaves the note. */
    readonly terminate?: boolean;
  }): Promise<string>;
  /**
   * Opens a task that has ended again, or makes a record as if it had: an attempt that is newer may be claimed, one of the
   * same number finds how it ended. The same request again changes nothing. `false` where it does not stand any more as it
   * was seen.
   */
  reopen(request: ReopenRequest): Promise<boolean>;
  /** Of each whether it was revoked with `terminate`, in order. May lag behind by some seconds: it is asked again and again. */
  terminated(ids: readonly string[]): Promise<boolean[]>;
  /**
   * Strongly consistent; in the order of `ids`; undefined for unknown and expired ones. `reads: 'state'` is of whoever needs no text of
   * theirs (`meta`, `settlement`, `past`, `checkpoint`): those that are stored elsewhere, compressed or encrypted stay as they lie. Default: all.
   */
  get(ids: readonly string[], nowMs: number, reads?: 'all' | 'state'): Promise<(TaskRecord | undefined)[]>;
  /** Deletes results. Unknown ids are not an error. */
  forget(ids: readonly string[]): Promise<void>;
}
