/** Port of the timers: stored messages that are due later. */
import type { OutgoingMessage } from './broker.ts';

// ---------------------------------------------------------------- timers

/** A stored message that is due later. */
export interface Timer {
  /** Task id. */
  readonly id: string;
  /** The message's `retries` number, from 0. */
  readonly attempt: number;
  /** When it is due, milliseconds since the epoch. */
  readonly dueMs: number;
  /** What is sent then. */
  readonly message: OutgoingMessage;
  /** Of a FIFO queue: its order among the timers of its group that are due at the same time. Absent on other queues. */
  readonly sequence?: string;
}

/** Which timers are asked for. */
export interface DueTimers {
  /** Those that are due then or before, milliseconds since the epoch. */
  readonly untilMs: number;
  /** Timers in a page. */
  readonly limit: number;
  /** Only those in these parts of the store; numbers of no part are passed over. Default: all. */
  readonly parts?: readonly number[];
}

/** A timer as a write that somebody else makes: DynamoDB's `Put` of a TransactWriteItems, in its client's form. */
export interface TimerWrite {
  /** The table of state. */
  readonly TableName: string;
  /** Its key and fields. */
  readonly Item: Readonly<Record<string, { readonly S: string } | { readonly N: string }>>;
}

/** Where messages wait that are due later than the queue can delay. */
export interface Timers {
  /**
   * Stores timers; the same id, attempt, time and sequence again changes nothing.
   *
   * @returns in which part of the store each lies, which `eachDue` may be asked for alone.
   */
  put(timers: readonly Timer[]): Promise<readonly number[]>;
  /** What `put` would write of one timer, to be written by somebody else. Nothing is asked. Absent: the outbox needs it. */
  writeOf?(timer: Timer): Promise<TimerWrite>;
  /**
   * Shows what is due, part by part and page by page: timers by due time and sequence, the next page of a part when the visit
   * of the last has ended, whatever has become of its timers. Those of one FIFO group lie in one part; parts are shown side
   * by side. Cost follows what is due.
   */
  eachDue(due: DueTimers, visit: (page: readonly Timer[], part: number) => Promise<void>): Promise<void>;
  /** Deletes timers. Those that are gone already are not an error. */
  remove(timers: readonly Timer[]): Promise<void>;
}
