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

/** Where messages wait that are due later than the queue can delay. */
export interface Timers {
  /** How many shards there are; each is read by itself. */
  readonly shards: number;
  /** Stores timers; the same id, attempt, time and sequence again changes nothing. */
  put(timers: readonly Timer[]): Promise<void>;
  /**
   * Timers of one shard with `dueMs <= untilMs`, at most `limit`, by due time and sequence: the earliest, or those that
   * follow `after`, which need not be there any more. Cost follows what is due.
   */
  due(shard: number, untilMs: number, limit: number, after?: Timer): Promise<Timer[]>;
  /** Deletes timers. Those that are gone already are not an error. */
  remove(timers: readonly Timer[]): Promise<void>;
}
