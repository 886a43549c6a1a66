/** Secrets are compared in a time that says nothing of them. */
import { createHash, timingSafeEqual } from 'node:crypto';

export function isSameText(left: string, right: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(left), digest(right));
}
