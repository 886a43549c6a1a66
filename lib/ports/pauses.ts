/** Port of pauses: which queues are not to be worked on, and who said so. */

/** A queue that is paused. */
export interface Pause {
  /** Celery's name of the queue. */
  readonly queue: string;
  /** Since when, milliseconds since the epoch. */
  readonly sinceMs: number;
  /** Who paused it, for people. */
  readonly by: string;
  /** Why, for people. */
  readonly why?: string;
  /** Ids of the event source mappings that are to stay off: of the queue, and of its lanes. Absent where there are none. */
  readonly eventSources?: readonly string[];
}

/** Which queues are paused. The record is what counts: whatever feeds workers is kept in step with it. */
export interface Pauses {
  /** All of them, in the order of their names, read consistently. */
  list(): Promise<Pause[]>;
  /** Notes that a queue is paused. @returns the pause that stands: one that was noted before is kept as it is */
  put(pause: Pause): Promise<Pause>;
  /** Takes the note away. @returns what stood there */
  remove(queue: string): Promise<Pause | undefined>;
}
