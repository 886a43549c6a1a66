/** Port of the broker: where messages go. */
import type { Payload } from '../wire/packing.ts';

// ---------------------------------------------------------------- broker

/** One message to send. */
export interface OutgoingMessage {
  /** The queue's Celery name, as declared in `queues`. */
  readonly queue: string;
  /** Send to the queue's dead-letter queue instead. */
  readonly deadLetter?: boolean;
  /** The SQS message body. */
  readonly body: string;
  /** 0 to 900 seconds; must be absent or 0 on a FIFO queue. */
  readonly delaySeconds?: number;
  /** FIFO: the ordered group. Standard: the fair-queue tenant. At most 128 characters. */
  readonly groupId?: string;
  /** FIFO only. */
  readonly deduplicationId?: string;
  /** String message attributes, at most ten. */
  readonly attributes?: Readonly<Record<string, string>>;
  /** What `body` points to, where whoever sends it has to store it first. No adapter looks at it. */
  readonly payload?: Payload;
}

/** What became of one message of a `send`, in the order given. */
export type SendOutcome =
  | { readonly ok: true; readonly messageId: string }
  | {
      readonly ok: false;
      readonly code: string;
      readonly message: string;
      /** Whether sending the same item again can succeed. */
      readonly retryable: boolean;
      /** The error behind it, where there is one. */
      readonly cause?: unknown;
    };

/** Where messages go. Receiving is no part of it: Lambda's event source mapping pushes batches. */
export interface Broker {
  /**
   * Sends every item, packed into as few requests as the service takes, and reports on each, in order.
   * Throws only when nothing is known about any of them.
   */
  send(items: readonly OutgoingMessage[]): Promise<SendOutcome[]>;
  /** Makes a received message visible again after `delaySeconds` (0 to 43,200). A receipt that is no longer valid is not an error. */
  changeVisibility(queue: string, receipt: string, delaySeconds: number): Promise<void>;
}
