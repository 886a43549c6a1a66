/** Work on several queues at a time: that one is empty is known only after a second, and an answer has some twenty. */
import { mapConcurrently } from '../base/map-concurrently.ts';

/** As many walks at a time: each asks again and again. */
export const QUEUES_AT_ONCE = 10;

/** Where one fails the others are ended first: nothing goes on behind an answer. @throws what the first threw */
export async function eachQueue(
  queues: readonly string[],
  signal: AbortSignal | undefined,
  work: (queue: string, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const failed = new AbortController();
  const either = signal === undefined ? failed.signal : AbortSignal.any([signal, failed.signal]);
  const errors: unknown[] = [];
  await mapConcurrently(queues, QUEUES_AT_ONCE, async (queue) => {
    if (either.aborted) return;
    try {
      await work(queue, either);
    } catch (error) {
      errors.push(error);
      failed.abort();
    }
  });
  if (errors.length > 0) throw errors[0];
}
