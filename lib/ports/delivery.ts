/** What a worker is handed and what it answers, whatever the transport. */

/** One receipt of a message. */
export interface Delivery {
  /** SQS message id: names the item in a partial batch response. */
  readonly messageId: string;
  /** Names this receipt, to make the message visible again. */
  readonly receipt: string;
  /** The SQS message body: Celery's envelope. */
  readonly body: string;
  /** Celery name of the queue it came from. */
  readonly queue: string;
  /** SQS's approximate receive count: for information only, throttles burn it. */
  readonly receiveCount: number;
  /** When it was sent, milliseconds since the epoch; absent where the transport does not tell. */
  readonly sentMs?: number;
  /** FIFO group, or fair-queue tenant. */
  readonly groupId?: string;
  /** Celery name of the queue whose redrive policy moved the message to the lost queue. */
  readonly lostFrom?: string;
}

/** The invocation a batch arrives in. */
export interface Invocation {
  /** When the process is killed, milliseconds since the epoch. */
  readonly deadlineMs: number;
  /** Names this invocation in logs and claims. */
  readonly requestId: string;
  /** Of a process that lives on: it renews what it holds. Absent: everything holds until the deadline. */
  readonly keeper?: LeaseKeeper;
}

/** Something that is held for a while, and renewed. */
export interface Lease {
  /** Keeps it until `untilMs`, milliseconds since the epoch. False where it is somebody else's by now. */
  renew(untilMs: number): Promise<boolean>;
  /** Gives it back before its time. */
  giveBack(): Promise<void>;
}

/** Renews leases, for whoever holds something for longer than its process may be thought alive without a word. */
export interface LeaseKeeper {
  /** For how long a lease is taken, and renewed, milliseconds. */
  readonly leaseMs: number;
  /** Renews it until what is returned is called; a renewal may be under way then. */
  keep(lease: Lease): () => void;
  /** Calls back once nothing of it counts any more: it is another's, or goes back since the process ends. */
  onLost(callback: () => void): void;
}

/** Lambda's partial batch response. */
export interface BatchResponse {
  /** Messages that are to come again, by message id; all others are deleted. */
  batchItemFailures: { itemIdentifier: string }[];
}

/** Name under which brokers know the service's lost queue. */
export const LOST_QUEUE = '__lost__';
