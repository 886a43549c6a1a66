/** Port of the dead-letter queues: what was put aside, taken up again. For people: no task asks for it. */

/** A letter that was received: hidden from others until it is shown, deleted, or its time is over. */
export interface ReceivedLetter {
  /** SQS's id of the letter, the same at every receipt. */
  readonly messageId: string;
  /** Names this receipt. */
  readonly receipt: string;
  /** The body of the message that was put aside, as it came. */
  readonly body: string;
  /** String message attributes: why it lies here. */
  readonly attributes: Readonly<Record<string, string>>;
  /** When it was put aside, milliseconds since the epoch. */
  readonly sentMs: number;
  /** FIFO group, or fair-queue tenant. */
  readonly groupId?: string;
}

/** How letters are received. */
export interface ReceiveLetters {
  /** At most so many, 1 to 10. */
  readonly limit: number;
  /** Hidden for so long, 0 to 43,200. */
  readonly hiddenSeconds: number;
}

/** What lies in a queue, about: SQS counts late, by up to a minute. */
export interface QueueCounts {
  /** Can be received now. */
  readonly visible: number;
  /** Received, and neither deleted nor visible again. */
  readonly hidden: number;
  /** Sent with a delay that is not over. */
  readonly delayed: number;
}

/** The dead-letter queues of a service, each under Celery's name of its queue. Lanes share that of their queue. */
export interface DeadLetters {
  /**
   * Takes letters that are visible. None where there is none at the moment. Of a FIFO queue those of one group come in
   * order, and while one of them is hidden, none behind it does.
   */
  receive(queue: string, how: ReceiveLetters): Promise<ReceivedLetter[]>;
  /** Makes letters visible again at once. Receipts that are no longer valid are no error. */
  show(queue: string, receipts: readonly string[]): Promise<void>;
  /** Deletes letters. Those that are gone are no error. @throws where one was not deleted: it may come again. */
  remove(queue: string, receipts: readonly string[]): Promise<void>;
  /** What lies there. */
  count(queue: string): Promise<QueueCounts>;
}
