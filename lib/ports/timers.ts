/** Port of the timers: stored messages that are due later. */
import type { OutgoingMessage } from './broker.ts';

// ---------------------------------------------------------------- timers

/** A stored message that is due later. */
export interface Timer {
  /** Task id. */
  readonly id: string;
  readonly attempt: number;
  readonly dueMs: number;
  readonly message: OutgoingMessage;
  /** Of a FIFO queue: its place among the timers of its group that are due at the same time. Absent on other queues. */
  readonly sequence?: string;
}

export interface Timers {
  readonly shards: number;
  /** Stores timers; the same id, attempt, time and sequence again changes nothing. */
  put(timers: readonly Timer[]): Promise<void>;
  /**
   * Timers of one shard with `dueMs <= untilMs`, at most `limit`, by due time and sequence: the earliest, or those that
   * follow `after`, which need not be there any more. Cost follows what is due.
   */
  due(shard: number, untilMs: number, limit: number, after?: Timer): Promise<Timer[]>;
  remove(timers: readonly Timer[]): Promise<void>;
}
