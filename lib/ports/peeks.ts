/** Port of peeks: what lies at the front of a queue, received and visible again at once. For people. */

/** Which queue is looked into, and how far. */
export interface PeekQuestion {
  /** Celery's name of the queue, or of its lane. */
  readonly queue: string;
  /** Its dead-letter queue instead. */
  readonly deadLetter?: boolean;
  /** At most so many, 1 to 10. */
  readonly limit: number;
}

/** A message that was seen, and lies there still. */
export interface PeekedMessage {
  /** SQS's id of it, the same at every receipt. */
  readonly messageId: string;
  /** The SQS message body. */
  readonly body: string;
  /** String message attributes: those of a dead letter tell why it lies there. */
  readonly attributes: Readonly<Record<string, string>>;
  /** When it was sent, milliseconds since the epoch. */
  readonly sentMs: number;
  /** How often it was received, this time included. */
  readonly receives: number;
  /** Fair-queue tenant, or FIFO group. */
  readonly groupId?: string;
}

/** Who looks into queues. */
export interface Peeks {
  /**
   * Messages that are visible now, each once; what is delayed or in flight is not seen. A look is a receive to the queue: one
   * that was received as often as its redrive policy allows leaves for the lost queue by it.
   *
   * @returns undefined for a queue that is not known here
   */
  peek(question: PeekQuestion): Promise<readonly PeekedMessage[] | undefined>;
}
