/** Port of the locks: who alone may do something, and until when. */

/** A lock and who has it. */
export interface LockHolding {
  /** The lock's key. */
  readonly key: string;
  /** Of one acquiring: no two have the same. */
  readonly owner: string;
  /** When it lapses by the owner's clock, milliseconds since the epoch. */
  readonly untilMs: number;
  /** Greater than that of every holding of the key before. */
  readonly token: number;
  /** What its owner says of it, for people. */
  readonly info?: string;
}

/** Somebody wants a lock. */
export interface LockRequest {
  /** The lock's key. */
  readonly key: string;
  /** Of this acquiring, asked again too. */
  readonly owner: string;
  /** The caller's time, milliseconds since the epoch. */
  readonly nowMs: number;
  /** When it lapses unless it is renewed, milliseconds since the epoch. */
  readonly untilMs: number;
  /** For people, up to 1,024 characters. */
  readonly info?: string;
}

/** Its owner keeps a lock for longer. */
export type LockRenewal = Pick<LockRequest, 'key' | 'owner' | 'nowMs' | 'untilMs'>;

/** Stands for who gave a lock back, where it was taken away. */
export const NOBODY = '';

/** Locks of a service. Every write is conditional: no two have a lock at the same time, as far as clocks agree. */
export interface Locks {
  /**
   * Takes a lock that nobody has, that has lapsed, or that this owner has.
   *
   * @returns who has it now: the caller where `owner` is its own, with the token that counts. undefined where others were
   * quicker again and again.
   */
  acquire(request: LockRequest): Promise<LockHolding | undefined>;
  /** @returns whether it was the owner's and had not lapsed, and is its own until `untilMs`. */
  renew(renewal: LockRenewal): Promise<boolean>;
  /** Gives a lock back. @returns whether it was the owner's; asked again, too. */
  release(holding: Pick<LockHolding, 'key' | 'owner'>): Promise<boolean>;
  /**
   * Takes a lock from whoever has it.
   *
   * @param token only that holding. undefined: whichever there is.
   * @returns the holding that was ended, lapsed or not; undefined where there was none.
   */
  free(key: string, token: number | undefined): Promise<LockHolding | undefined>;
  /** Locks that somebody has at `nowMs`, at most `limit`, in no order. */
  held(nowMs: number, limit: number): Promise<LockHolding[]>;
}
