/** What a batch notes for the history. Types alone: deployed workers load what does it when the first task has ended. */
import type { ConcludeOutcome, ConcludeRequest } from '../ports/backend.ts';
import type { Delivery } from '../ports/delivery.ts';
import type { Message } from '../wire/message.ts';
import type { Committed } from './committed.ts';

/** What ended in one batch, written together. Nothing here throws for what a message holds. */
export interface EndNotes {
  /** A message's outcome, each time that it is settled. */
  note(message: Message, delivery: Delivery, committed: Committed): void | Promise<void>;
  /** A task that was concluded and not run. @param message where it can be read */
  noteConcluded(
    request: ConcludeRequest,
    outcome: ConcludeOutcome,
    delivery: Delivery,
    message?: Message,
  ): void | Promise<void>;
  /**
   * Tasks that will never run, at once.
   *
   * @param parentId the task whose end they follow from
   * @throws what passes
   */
  storeConcluded(
    requests: readonly ConcludeRequest[],
    outcomes: readonly ConcludeOutcome[],
    parentId: string,
  ): Promise<void>;
  /** Writes what was noted. @returns ids of messages whose ends were not stored, for a passing reason. */
  write(): readonly string[] | Promise<readonly string[]>;
}
