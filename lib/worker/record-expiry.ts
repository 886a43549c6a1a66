/** How long the record of a task is kept: its result is read from it, and it says that the task has run. */
import { MIN_RECORD_SECONDS } from '../base/limits.ts';

/** Epoch seconds. @param fromMs when the task ends, or is due again, or its lease ends */
export function recordExpiresAtSeconds(fromMs: number, resultExpiresSeconds: number): number {
  return Math.floor(fromMs / 1000) + Math.max(MIN_RECORD_SECONDS, resultExpiresSeconds);
}
