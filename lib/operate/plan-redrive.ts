/** What becomes of a dead letter whose task is to run once more, by what is stored of the task. Pure. */
import { FAILURE, REJECTED } from '../base/states.ts';
import type { TaskRecord } from '../ports/backend.ts';
import { hasEndedNext } from '../worker/decide.ts';

export type RedrivePlan =
  /** The record is opened again after attempt `last`, and the message goes as the next one. */
  | { readonly kind: 'reopen'; readonly last: number }
  /** It is open, since an earlier redrive died, or since no end was ever stored: the message goes as attempt `next`. */
  | { readonly kind: 'open'; readonly next: number }
  /** It has ended otherwise than this letter says: what follows from that is sent again, and nothing runs. */
  | { readonly kind: 'settle' }
  /** A newer attempt exists: it was redriven before. */
  | { readonly kind: 'superseded' }
  /** This very attempt runs. */
  | { readonly kind: 'running'; readonly untilMs: number };

// What a letter says: the task was rejected, or has failed.
const DEAD: ReadonlySet<string> = new Set([FAILURE, REJECTED]);

/** @param retries of the letter, in whichever of its parts the attempt ended */
export function planRedrive(retries: number, record: TaskRecord | undefined, nowMs: number): RedrivePlan {
  if (record === undefined) return { kind: 'reopen', last: retries };
  const known = record.attempt ?? -1;
  const attempt = Math.floor(known) === retries ? known : retries;
  if (record.finishedMs !== undefined) {
    // A retry that could not be sent has failed as the attempt that it announced: its letter is the one before.
    const last = hasEndedNext(record, attempt) ? known : attempt;
    if (known > last) return { kind: 'superseded' };
    return DEAD.has(record.status)
      ? { kind: 'reopen', last }
      : known > attempt
        ? { kind: 'superseded' }
        : { kind: 'settle' };
  }
  const claimed = record.committed !== known;
  if (known > attempt && (claimed || known > attempt + 1 || record.owner !== undefined)) return { kind: 'superseded' };
  const leaseMs = record.leaseMs ?? 0;
  if (known === attempt && claimed && leaseMs >= nowMs) return { kind: 'running', untilMs: leaseMs };
  return { kind: 'open', next: Math.floor(Math.max(known, attempt)) + 1 };
}
