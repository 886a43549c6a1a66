/** Signatures of status addresses: of one task of one app, until a time. Pure. */
import { createHmac, timingSafeEqual } from 'node:crypto';

/** What is signed. */
export interface StatusClaim {
  readonly app: string;
  readonly id: string;
  /** Seconds since the epoch. */
  readonly expires: number;
}

// Shorter ones could be tried out.
const MIN_KEY_CHARACTERS = 32;

/** Keys of a secret: the first signs, each is believed. Blanks or line ends stand between them. */
export function statusKeys(text: string): readonly string[] {
  return text.split(/\s+/).filter((key) => key.length >= MIN_KEY_CHARACTERS);
}

export function signStatus({ app, id, expires }: StatusClaim, key: string): string {
  // The parts have their lengths with them: no two claims have one text.
  const text = JSON.stringify(['celeriac-status', app, id, expires]);
  return createHmac('sha256', key).update(text).digest('base64url');
}

/** Whether one of the keys has signed it, and its time is not over. */
export function isSignedStatus(claim: StatusClaim, signature: string, keys: readonly string[], nowMs: number): boolean {
  const given = Buffer.from(signature);
  // Each key is tried, whichever it is: the time it takes tells nothing.
  const matches = keys.map((key) => {
    const own = Buffer.from(signStatus(claim, key));
    return own.length === given.length && timingSafeEqual(own, given);
  });
  return matches.includes(true) && Number.isSafeInteger(claim.expires) && nowMs < claim.expires * 1000;
}
