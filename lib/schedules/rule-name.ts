/** Rules have names that whoever switches them can compute. */
import { stableHash } from '../base/ids.ts';

// Source: EventBridge API reference, PutRule: 1 to 64 characters of [.\-_A-Za-z0-9].
const MAX_RULE_NAME_CHARACTERS = 64;
const HASH_CHARACTERS = 7;

/** Longest prefix that leaves the entry's own name something to be recognised by. */
export const MAX_RULE_PREFIX_CHARACTERS = 40;

/** The rule of an entry: the prefix, what a rule's name can hold of the entry's name, and a hash of all of it. */
export function ruleName(prefix: string, entry: string): string {
  const hash = stableHash(entry).toString(36).padStart(HASH_CHARACTERS, '0');
  const room = MAX_RULE_NAME_CHARACTERS - prefix.length - hash.length - 2;
  const slug = entry.replace(/[^A-Za-z0-9_.-]+/g, '-').slice(0, Math.max(0, room));
  return `${prefix}-${slug}-${hash}`;
}
