/** What a task's `retry()` may change, as it is stored with the attempt that ended. */

/** What the next attempt does otherwise than this one. */
export interface RetryOverrides {
  readonly args?: readonly unknown[];
  readonly kwargs?: Readonly<Record<string, unknown>>;
  readonly queue?: string;
  readonly priority?: number;
  readonly headers?: Readonly<Record<string, unknown>>;
  /** Milliseconds since the epoch. */
  readonly expiresMs?: number;
  /** [hard, soft] in seconds. */
  readonly timeLimit?: readonly [number | null, number | null];
  readonly shadow?: string;
  readonly ignoreResult?: boolean;
  /** Signatures. */
  readonly link?: readonly object[];
  readonly linkError?: readonly object[];
  readonly argsrepr?: string;
  readonly kwargsrepr?: string;
  /** It is no other attempt: this one goes on, as this part. Made by `TaskContext.goOn` alone. */
  readonly part?: number;
}
