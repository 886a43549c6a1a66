/** Port of queue depths: how much lies where, for people. */

/** Which queue is asked for. */
export interface DepthQuestion {
  /** Celery's name of the queue. */
  readonly queue: string;
  /** Of its dead-letter queue instead. */
  readonly deadLetter?: boolean;
}

/** Counts of messages; a service may be a minute behind with them. */
export interface QueueDepth {
  /** To be received now. */
  readonly ready: number;
  /** Received, and neither deleted nor visible again. */
  readonly inFlight: number;
  /** Sent with a delay that is not over. */
  readonly delayed: number;
}

/** How much lies in queues. */
export interface QueueDepths {
  /** In the order of the questions; undefined for a queue that is not known here. */
  count(questions: readonly DepthQuestion[]): Promise<(QueueDepth | undefined)[]>;
  /** How long a message is kept from when it was sent; undefined for a queue that is not known here. */
  retentionSeconds(queue: string): Promise<number | undefined>;
}
