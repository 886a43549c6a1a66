/** What a batch notes for the history. Types alone: deployed workers load what does it when the first task has ended. */
import type { ConcludeOutcome, ConcludeRequest } from '../ports/backend.ts';
import type { Delivery } from '../ports/delivery.ts';
import type { Message } from '../wire/message.ts';
import type { Committed } from './committed.ts';

/** What ended in one batch, written together. Nothing here throws, whatever a message holds. */
export interface EndNotes {
  /** A message's outcome, each time that it is settled. */
  note(message: Message, delivery: Delivery, committed: Committed): void | Promise<void>;
  /**
   * Tasks that were concluded and not run.
   *
   * @param delivery the message that comes again should they not be written
   * @param cause the task whose end they follow from
   * @param message that of the one task that is concluded, where it can be read
   */
  noteConcluded(
    requests: readonly ConcludeRequest[],
    outcomes: readonly ConcludeOutcome[],
    delivery: Delivery,
    cause: string,
    message?: Message,
  ): void | Promise<void>;
  /** Writes what was noted. @returns ids of messages whose ends were not stored, for a passing reason. */
  write(): readonly string[] | Promise<readonly string[]>;
}
