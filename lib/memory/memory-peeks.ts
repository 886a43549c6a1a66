/** Looks into queues of memory: the executable meaning of `Peeks`. */
import type { PeekedMessage, PeekQuestion, Peeks } from '../ports/peeks.ts';

type Received = Omit<PeekedMessage, 'receives'> & { readonly receiveCount: number };

/** SQS's most in a request. */
const MOST_AT_ONCE = 10;

export class MemoryPeeks implements Peeks {
  readonly #receive: (question: PeekQuestion) => readonly Received[] | undefined;

  /** @param receive hides nothing of what it takes; undefined for a queue that is not there */
  constructor(receive: (question: PeekQuestion) => readonly Received[] | undefined) {
    this.#receive = receive;
  }

  peek(question: PeekQuestion): Promise<readonly PeekedMessage[] | undefined> {
    const received = this.#receive({ ...question, limit: Math.min(question.limit, MOST_AT_ONCE) });
    return Promise.resolve(
      received?.map(({ messageId, body, attributes, sentMs, receiveCount: receives, groupId }) => ({
        messageId,
        body,
        attributes: { ...attributes },
        sentMs,
        receives,
        ...(groupId === undefined ? {} : { groupId }),
      })),
    );
  }
}
