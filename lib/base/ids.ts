/** Ids that follow from names, and the orders and hashes of keys. */
import { createHash } from 'node:crypto';

/**
 * The same name gives the same UUID: children get their ids this way before anything is sent, so that
 * sending them twice makes one task.
 */
export function derivedId(name: string): string {
  const hex = createHash('sha256').update(name).digest('hex');
  // RFC 9562 version 8 (custom) and variant bits: a valid UUID that cannot collide with random ones.
  const variant = ((Number.parseInt(hex.slice(16, 17), 16) & 0x3) | 0x8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** A stable non-negative 32-bit hash of a string (FNV-1a), for spreading keys over shards. */
export function stableHash(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index += 1) {
    hash ^= text.charCodeAt(index);
    hash = Math.imul(hash, 0x01000193);
  }
  return hash >>> 0;
}

/** The order of entries in `list`, and of marks of one time in `due`: DynamoDB's sort keys, which are UTF-8 bytes. */
export function byBytes(left: string, right: string): number {
  return Buffer.compare(Buffer.from(left), Buffer.from(right));
}
