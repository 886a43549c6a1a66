/** Port of leases: who runs an attempt says that it still does. For processes that live longer than an invocation of Lambda. */

/** The owner of an attempt keeps it. */
export interface LeaseRenewal {
  /** Task id. */
  readonly id: string;
  /** The message's `retries` number, from 0. */
  readonly attempt: number;
  /** As in the claim. */
  readonly owner: string;
  /** When the claim may be taken over from now on, milliseconds since the epoch. */
  readonly leaseMs: number;
  /** When the record goes, seconds since the epoch. */
  readonly expiresAtSeconds: number;
}

/** Claims that are renewed. */
export interface Leases {
  /** `false` where the attempt is no longer the owner's: taken over, given back, or ended. Asked again it answers the same. */
  renew(renewal: LeaseRenewal): Promise<boolean>;
}
