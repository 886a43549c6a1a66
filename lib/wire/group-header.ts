/** Our header's part on members of groups. */
import type { GroupHeader } from './message.ts';
import { MAX_GROUP_MEMBERS } from '../base/limits.ts';
import { isName } from './message-bounds.ts';

const MAX_POLICY_CHARACTERS = 32;

/** Untrusted. */
export function readGroupHeader(value: unknown): GroupHeader | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { size, policy } = value as { readonly size?: unknown; readonly policy?: unknown };
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 1 || size > MAX_GROUP_MEMBERS) return undefined;
  return { size, ...(isName(policy, MAX_POLICY_CHARACTERS) ? { policy } : {}) };
}
