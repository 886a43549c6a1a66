/** Standard Webhooks: how a request says from whom it is, and when. https://www.standardwebhooks.com */
import { createHmac } from 'node:crypto';

const PREFIX = 'whsec_';
// Source: the specification, "Signature scheme".
const MIN_KEY_BYTES = 24;
const MAX_KEY_BYTES = 64;

/** Undefined for what is no secret: `whsec_` and 24 to 64 bytes in base64. */
export function keyOf(secret: unknown): Buffer | undefined {
  if (typeof secret !== 'string' || !/^whsec_[A-Za-z0-9+/]+={0,2}$/.test(secret)) return undefined;
  const key = Buffer.from(secret.slice(PREFIX.length), 'base64');
  return key.length >= MIN_KEY_BYTES && key.length <= MAX_KEY_BYTES ? key : undefined;
}

/** What is signed. `body` as it is sent, byte for byte. */
export interface Signed {
  readonly id: string;
  readonly timestampSeconds: number;
  readonly body: string;
}

/** The header `webhook-signature`: one signature for each key, so that whoever checks may know the new one or the old one. */
export function signatureOf({ id, timestampSeconds, body }: Signed, keys: readonly Buffer[]): string {
  const text = `${id}.${timestampSeconds}.${body}`;
  return keys.map((key) => `v1,${createHmac('sha256', key).update(text).digest('base64')}`).join(' ');
}
