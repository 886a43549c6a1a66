/** Dead-letter queues in memory: the executable meaning of `DeadLetters`. */
import type { Clock } from '../base/time.ts';
import type { DeadLetters, QueueCounts, ReceivedLetter, ReceiveLetters } from '../ports/dead-letters.ts';
import type { MessageQueue, Stored } from './memory-queue.ts';

/** SQS's most in a request. */
const MOST_AT_ONCE = 10;

export class MemoryDeadLetters implements DeadLetters {
  readonly #queueOf: (queue: string) => MessageQueue;
  readonly #clock: Clock;

  /** @param queueOf the dead-letter queue of a queue */
  constructor(queueOf: (queue: string) => MessageQueue, clock: Clock) {
    this.#queueOf = queueOf;
    this.#clock = clock;
  }

  async receive(queue: string, { limit, hiddenSeconds }: ReceiveLetters): Promise<ReceivedLetter[]> {
    const nowMs = this.#clock.nowMs();
    const letters = this.#queueOf(queue).collect(nowMs, Math.min(limit, MOST_AT_ONCE), (letter) => {
      letter.receiveCount += 1;
      letter.visibleMs = nowMs + hiddenSeconds * 1000;
      letter.receipt = `${letter.messageId}#${letter.receiveCount}`;
      return true;
    });
    return Promise.resolve(letters.map(letterOf));
  }

  async show(queue: string, receipts: readonly string[]): Promise<void> {
    const nowMs = this.#clock.nowMs();
    for (const receipt of receipts) {
      const letter = this.#byReceipt(queue, receipt);
      if (letter !== undefined && letter.visibleMs > nowMs) this.#queueOf(queue).show(letter, nowMs);
    }
    return Promise.resolve();
  }

  async remove(queue: string, receipts: readonly string[]): Promise<void> {
    for (const receipt of receipts) {
      const letter = this.#byReceipt(queue, receipt);
      if (letter !== undefined) this.#queueOf(queue).remove(letter);
    }
    return Promise.resolve();
  }

  async count(queue: string): Promise<QueueCounts> {
    const { visible, delayed, inFlight: hidden } = depthOf(this.#queueOf(queue), this.#clock.nowMs());
    return Promise.resolve({ visible, delayed, hidden });
  }

  #byReceipt(queue: string, receipt: string): Stored | undefined {
    const letter = this.#queueOf(queue).get(receipt.slice(0, receipt.lastIndexOf('#')));
    return letter?.receipt === receipt ? letter : undefined;
  }
}

/** What can be received now, is delayed, and was received and not deleted yet. */
export function depthOf(messages: MessageQueue, nowMs: number): { visible: number; delayed: number; inFlight: number } {
  const depth = { visible: 0, delayed: 0, inFlight: 0 };
  for (const message of messages.values()) {
    if (message.visibleMs <= nowMs) depth.visible += 1;
    else if (message.receiveCount === 0) depth.delayed += 1;
    else depth.inFlight += 1;
  }
  return depth;
}

function letterOf({ messageId, receipt = '', body, attributes, sentMs, groupId }: Stored): ReceivedLetter {
  return { messageId, receipt, body, attributes, sentMs, ...(groupId === undefined ? {} : { groupId }) };
}
