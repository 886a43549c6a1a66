/** Port of purges: all that lies in a queue is deleted. */

/** What became of it. `busy`: the queue was purged less than 60 seconds ago. */
export type PurgeOutcome = 'purged' | 'busy';

/** Who empties queues. */
export interface Purges {
  /**
   * Deletes what lies in a queue, what is delayed and what workers have received too. It takes up to 60 seconds, and what is
   * sent meanwhile may be deleted as well. @param queue Celery's name of it; of a queue with lanes this one alone
   */
  purge(queue: string): Promise<PurgeOutcome>;
}
