/**
 * Every letter of a dead-letter queue, once: SQS knows no list, only receiving. What was looked at and stays is hidden
 * until all have been seen, and shown again then, also where something fails on the way.
 */
import { LETTER_HIDDEN_SECONDS, MAX_HIDDEN_LETTERS, SQS_MAX_BATCH_ENTRIES } from '../base/limits.ts';
import type { DeadLetters, ReceivedLetter } from '../ports/dead-letters.ts';

/** How a queue is walked through. */
export interface Walk {
  readonly letters: DeadLetters;
  /** Celery's name of the queue. */
  readonly queue: string;
  /** Ends it: what has been begun is finished. */
  readonly signal?: AbortSignal | undefined;
  /** For so much longer a letter is hidden: what is done with it takes its time. */
  readonly extraSeconds?: number;
  /** Only as many are received at a time. */
  readonly atOnce?: number;
}

/** What became of letters: those that were deleted, or are to be, are not shown again. */
export interface Visited {
  /** Message ids of letters that are gone. */
  readonly gone: ReadonlySet<string>;
  /** Enough has been seen. */
  readonly enough?: boolean;
}

/** @returns whether all were seen, as far as anybody can tell. */
export async function walkLetters(
  { letters, queue, signal, extraSeconds = 0, atOnce = SQS_MAX_BATCH_ENTRIES }: Walk,
  visit: (received: readonly ReceivedLetter[]) => Promise<Visited>,
): Promise<boolean> {
  const how = { limit: Math.min(atOnce, SQS_MAX_BATCH_ENTRIES), hiddenSeconds: LETTER_HIDDEN_SECONDS + extraSeconds };
  const seen = new Set<string>();
  // Newest receipt of each letter that stays.
  let hidden = new Map<string, string>();
  let newInSlice = 0;
  // Letters that came again since the last new one.
  let again = 0;
  const showAll = async (): Promise<void> => {
    const receipts = [...hidden.values()];
    hidden = new Map();
    if (receipts.length > 0) await letters.show(queue, receipts);
  };
  try {
    while (signal?.aborted !== true) {
      const received = await letters.receive(queue, how);
      if (received.length === 0) return true;
      for (const { messageId, receipt } of received) hidden.set(messageId, receipt);
      // Hidden for as long as that takes, it may come a second time.
      const fresh = received.filter(({ messageId }) => !seen.has(messageId));
      for (const { messageId } of fresh) seen.add(messageId);
      newInSlice += fresh.length;
      again = fresh.length > 0 ? 0 : again + received.length;
      // All that is hidden came again and nothing else: it takes longer to receive than it stays hidden.
      if (again > hidden.size) return false;
      const { gone, enough } = fresh.length === 0 ? { gone: new Set<string>() } : await visit(fresh);
      for (const messageId of gone) hidden.delete(messageId);
      if (enough === true) return false;
      if (hidden.size < MAX_HIDDEN_LETTERS) continue;
      // As many as SQS lets anybody hide: others are seen only where these are shown first.
      await showAll();
      if (newInSlice === 0) return false;
      newInSlice = 0;
    }
    return false;
  } finally {
    await showAll();
  }
}
