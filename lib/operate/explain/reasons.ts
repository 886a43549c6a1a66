/** Why a task does not run, runs or has ended, as data. */

/** A task that holds a slot. */
export interface SlotHolder {
  /** Task id. */
  readonly id: string;
  /** Until when the slot is its own at the latest. */
  readonly until: Date;
}

/** How much lies in a queue; SQS may be a minute behind with it. */
export interface QueueCount {
  /** Celery's name of the queue. */
  readonly queue: string;
  /** To be received now. */
  readonly ready: number;
  /** Received, and not done with. */
  readonly inFlight: number;
  /** Sent with a delay that is not over. */
  readonly delayed: number;
}

/** One thing that says why a task stands where it stands. */
export type Reason =
  /** It has ended, and nothing follows. */
  | {
      readonly kind: 'ended';
      readonly state: string;
      readonly at: Date;
      readonly started?: Date;
      /** `name: message`; absent where readers may not see it. */
      readonly error?: string;
    }
  /** Its `expires` passed before it began. */
  | { readonly kind: 'expired'; readonly at: Date }
  /** Somebody revoked it. `ended`: it will not run; otherwise it runs on, and is not started again. */
  | { readonly kind: 'revoked'; readonly at: Date; readonly ended: boolean; readonly terminate: boolean }
  /** It was left out, since another task ran in its place (`oneInstance`). */
  | { readonly kind: 'skipped'; readonly by: string; readonly until: Date }
  /** Its message was put aside. */
  | {
      readonly kind: 'dead-lettered';
      readonly queue: string;
      readonly reason: string;
      readonly error: string;
      readonly deliveries: number;
    }
  /** A worker runs it. */
  | {
      readonly kind: 'running';
      readonly since: Date;
      /** When its worker is ended at the latest, or tells again that it lives. */
      readonly until: Date;
      /** The invocation, or the process. */
      readonly by: string;
      /** Deliveries of this attempt. */
      readonly deliveries: number;
      /** Of a task that goes on in parts, once it has a checkpoint: which this is, from 1. */
      readonly part?: number;
      /** When the first part began. */
      readonly begun?: Date;
      /** When its last checkpoint was stored. */
      readonly checkpoint?: Date;
    }
  /** A part of it has ended, and its next one is on its way to a worker. */
  | { readonly kind: 'part'; readonly part: number; readonly begun: Date; readonly checkpoint?: Date }
  /** Its worker died: its message comes again when SQS shows it. */
  | { readonly kind: 'worker-lost'; readonly since: Date; readonly until: Date; readonly deliveries: number }
  /** An attempt has failed, and the next one is due then. */
  | { readonly kind: 'retry'; readonly at: Date; readonly attempt: number; readonly error?: string }
  /** It waits for a slot of a concurrency, or of its one instance. */
  | {
      readonly kind: 'slot';
      /** Whose slots: `concurrency`, or the one of `oneInstance`. */
      readonly of: 'concurrency' | 'oneInstance';
      /** Name of the task; `*` where tasks share the key. */
      readonly task: string;
      /** `''` for no key. */
      readonly key: string;
      readonly limit?: number;
      readonly held: readonly SlotHolder[];
      /** Its place in the line, from 1. */
      readonly place: number;
      /** How many stand there; more than that where `more`. */
      readonly waiting: number;
      readonly more: boolean;
      /** When its message was sent. */
      readonly since: Date;
      readonly expires?: Date;
    }
  /** It was given a slot, kept until then, and is on its way to a worker. */
  | {
      readonly kind: 'granted';
      readonly of: 'concurrency' | 'oneInstance';
      readonly task: string;
      readonly key: string;
      readonly until: Date;
    }
  /** A rate limit lets it start then. `late`: so many slots of it passed while it waited in its queue. */
  | { readonly kind: 'rate'; readonly at: Date; readonly late: number }
  /** It is not to start before. */
  | { readonly kind: 'delayed'; readonly until: Date }
  /** Calls of its key are gathered, and it runs once then. */
  | { readonly kind: 'debounced'; readonly until: Date; readonly since: Date }
  /** Calls of this key are answered with it, until it has started, or ended. */
  | { readonly kind: 'unique'; readonly key: string; readonly until: string }
  /** It was put aside, and is to run once more. */
  | { readonly kind: 'redriven'; readonly attempt: number }
  /** Its message is in the queue, or on its way there. `since`: from then on. */
  | { readonly kind: 'queued'; readonly queue: string; readonly since?: Date; readonly count?: QueueCount }
  /** Workers of the queue get nothing. */
  | {
      readonly kind: 'paused';
      readonly queue: string;
      readonly by: string;
      readonly since: Date;
      readonly why?: string;
    }
  /** How far its group is; of a group's own id: that it is one. */
  | {
      readonly kind: 'group';
      readonly id: string;
      readonly done: number;
      readonly failed: number;
      readonly size?: number;
    }
  /** Nothing is stored of it. What lies in the queues may be it. */
  | { readonly kind: 'unknown'; readonly queues: readonly QueueCount[] };

/** Why a task stands where it stands. */
export interface Explanation {
  /** Task id. */
  readonly id: string;
  /** Its true state; PENDING also where nothing is stored of it. */
  readonly state: string;
  /** Name of the task, where it is known. */
  readonly task?: string;
  /** Celery's name of its queue, where it is known. */
  readonly queue?: string;
  /** Number of its newest attempt that is known, from 0. */
  readonly retries?: number;
  /** Its arguments as its message shows them; known of what waits in a table. */
  readonly args?: string;
  /** The task that sent it. */
  readonly parentId?: string;
  /** The process that sent it. */
  readonly origin?: string;
  /** What counts most comes first; there is one at least. */
  readonly reasons: readonly Reason[];
}
