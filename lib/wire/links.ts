/** Links, as signatures and messages have them: one, or a list. */
import { readSignature, type Signature } from './signature.ts';

export function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : value === undefined || value === null ? [] : [value];
}

/** Links, one or a list of them. Untrusted: what is no signature is left out. */
export function readLinks(value: unknown): readonly Signature[] {
  return listOf(value).flatMap((link) => readSignature(link) ?? []);
}
