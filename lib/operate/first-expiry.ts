/** When SQS deletes the first message of a queue that is not received from, as far as anybody can tell. Pure. */

/** What is known of a queue, with its lanes. */
export interface Waiting {
  /** How long a message is kept from when it was sent; undefined where that is not known. */
  readonly keptSeconds: number | undefined;
  /** Messages that lie there; undefined where they were not counted. */
  readonly messages: number | undefined;
  /** Age of the oldest, minutes late and without those that were received three times; undefined where nobody tells. */
  readonly oldestSeconds: number | undefined;
}

/** `age`: of the oldest message, about. `empty`: none lies there, so that it is one that is sent from now on. */
export interface FirstExpiry {
  readonly at: Date;
  readonly by: 'age' | 'empty';
}

/** undefined where nobody tells how old the messages are. */
export function firstExpiry({ keptSeconds, messages, oldestSeconds }: Waiting, nowMs: number): FirstExpiry | undefined {
  if (keptSeconds === undefined) return undefined;
  const inSeconds = (seconds: number): Date => new Date(nowMs + Math.max(0, seconds) * 1000);
  if (oldestSeconds !== undefined) return { at: inSeconds(keptSeconds - oldestSeconds), by: 'age' };
  return messages === 0 ? { at: inSeconds(keptSeconds), by: 'empty' } : undefined;
}
