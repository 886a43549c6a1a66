/** Why an attempt cannot be claimed or concluded: one reading of a record for every backend. Pure. */
import type { ClaimOutcome, ReopenRequest, TaskRecord } from './backend.ts';

export type ClaimRefusal = Exclude<ClaimOutcome, { kind: 'claimed' }>;

/**
 * undefined: nothing stands in the way (any more).
 *
 * @param revokedCounts whether a revoked task is refused: for claims, not for conclusions
 */
export function refusalOf(
  record: TaskRecord,
  attempt: number,
  nowMs: number,
  revokedCounts: boolean,
): ClaimRefusal | undefined {
  const known = record.attempt ?? -1;
  if (record.finishedMs !== undefined) return { kind: attempt < known ? 'older' : 'finished', record };
  if (attempt < known) return { kind: 'older', record };
  if (attempt === known && record.committed === attempt) return { kind: 'finished', record };
  if (attempt === known && (record.leaseMs ?? 0) >= nowMs) {
    return { kind: 'busy', leaseMs: record.leaseMs ?? 0, record };
  }
  if (revokedCounts && record.revokedMs !== undefined) return { kind: 'revoked', record };
  return undefined;
}

/** Whether a record is open as this request would have it, and nobody has claimed it since. */
export function isReopened(record: TaskRecord, { attempt, meta, past }: ReopenRequest): boolean {
  return (
    record.finishedMs === undefined &&
    record.attempt === attempt &&
    record.committed === attempt &&
    record.meta === meta &&
    record.past === past
  );
}
