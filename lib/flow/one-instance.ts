/** Who runs a task that does not run beside itself. Pure. */
import type { Holder, Slots, SlotsCondition } from '../ports/slots.ts';
import { isGrant, isSame, lapsed, partsOf } from './slots.ts';

/** What one who wants to run does, as the lock stands. */
export type Entry =
  /** It has the lock: an earlier answer was lost. */
  | { readonly kind: 'own' }
  /** Another delivery of the same task has it, or has had it: its record tells what becomes of this one. */
  | { readonly kind: 'other'; readonly leaseMs: number }
  | { readonly kind: 'locked'; readonly holder: string; readonly leaseMs: number }
  /** It may be taken, by a write that holds as long as the lock stands like this. */
  | { readonly kind: 'free'; readonly remove: readonly string[]; readonly when: SlotsCondition };

export function entryOf(slots: Slots, holder: string, mine: Holder, nowMs: number): Entry {
  const entry = slots.holders.get(holder);
  if (entry !== undefined) {
    if (isSame(entry, mine)) return { kind: 'own' };
    // It waited for its turn, before it was to be left out.
    if (isGrant(entry)) return { kind: 'free', remove: [], when: { same: new Map([[holder, entry]]) } };
    return { kind: 'other', leaseMs: entry.leaseMs };
  }
  const [id, attempt] = partsOf(holder);
  const dead = lapsed(slots, nowMs);
  for (const [name, each] of slots.holders) {
    const [otherId, otherAttempt] = partsOf(name);
    if (otherId !== id) {
      if (!dead.has(name)) return { kind: 'locked', holder: name, leaseMs: each.leaseMs };
    } else if (otherAttempt > attempt) return { kind: 'other', leaseMs: each.leaseMs };
    // The next attempt is there once this one has ended: what it left is nobody's.
    else dead.set(name, each);
  }
  return { kind: 'free', remove: [...dead.keys()], when: { absent: [holder], same: dead, atMost: dead.size } };
}
