/** How long the record of a task is kept: its result is read from it, and it says that the task has run. */
import { MIN_FIFO_RECORD_SECONDS, MIN_RECORD_SECONDS } from '../base/limits.ts';
import { isFifo } from '../options/declared-queue.ts';
import type { Settings } from '../options/settings.ts';

/** Epoch seconds. @param fromMs when the task ends, or is due again, or its lease ends */
export function recordExpiresAtSeconds(
  fromMs: number,
  queue: string,
  settings: Pick<Settings, 'queues' | 'resultExpiresSeconds'>,
): number {
  const leastSeconds = isFifo(queue, settings) ? MIN_FIFO_RECORD_SECONDS : MIN_RECORD_SECONDS;
  return Math.floor(fromMs / 1000) + Math.max(leastSeconds, settings.resultExpiresSeconds);
}
