/**
 * Port of the marks of keys: which task stands for a key, so that a second call sends nothing (`unique`, `throttle`), or
 * replaces its arguments (`debounce`). Every write is conditional on what stands there.
 */
import type { OutgoingMessage } from './broker.ts';

/** A task that stands for a key. */
export interface KeyMark {
  /** Task id. */
  readonly id: string;
  /** Until when it stands at the longest, milliseconds since the epoch. */
  readonly expiresMs: number;
  /** Its message is known to be sent. */
  readonly sent: boolean;
}

/** A mark of one task. */
export interface OwnMark {
  /** The task and its key: `itemKey(task, key)`. */
  readonly key: string;
  /** Task id. */
  readonly id: string;
}

/** One task asks to be the one that stands. */
export interface TakeMarkRequest extends OwnMark {
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  /** Until when it is to stand, milliseconds since the epoch. */
  readonly expiresMs: number;
  /** Id of a task that stands and has ended: it gives way. */
  readonly instead?: string;
}

/** Calls of one key that will run once, from the first of them to the run. */
export interface Episode {
  /** Id of the task that will run. */
  readonly id: string;
  /** When the first call came, milliseconds since the epoch. */
  readonly firstMs: number;
  /** When it is to run, milliseconds since the epoch. */
  readonly dueMs: number;
  /** What is sent then. */
  readonly message: OutgoingMessage;
  /** No call can join it any more. */
  readonly sealed: boolean;
  /** When its token comes, where one is known to be sent: milliseconds since the epoch. */
  readonly tokenMs?: number;
}

/** A call that joins an episode. */
export interface JoinRequest extends OwnMark {
  /** The episode's new time, milliseconds since the epoch. */
  readonly dueMs: number;
  /** Its new message. */
  readonly message: OutgoingMessage;
}

/** What became of sealing an episode. */
export type SealOutcome =
  | { readonly kind: 'sealed'; readonly episode: Episode }
  /** Calls have come since: it is due later. */
  | { readonly kind: 'waits'; readonly episode: Episode }
  /** It has run, or another one stands. */
  | { readonly kind: 'gone' };

/** Which task stands for a key. */
export interface Marks {
  /**
   * Takes each key that is free, whose mark is over, or whose mark is this task's own; `sent` is not said of it any more.
   *
   * @returns what stands of each key instead, undefined where it was taken.
   */
  take(requests: readonly TakeMarkRequest[]): Promise<(KeyMark | undefined)[]>;
  /** Notes that the messages of these are sent, where they still stand. */
  noteSent(marks: readonly OwnMark[]): Promise<void>;
  /** Frees keys for which these stand; of others nothing is changed. `unsent`: only where its message is not known to be sent. */
  clear(marks: readonly OwnMark[], unsent?: boolean): Promise<void>;

  /** The episode of a key; undefined for none. */
  episode(key: string): Promise<Episode | undefined>;
  /** Opens one where there is none, this very one, or `instead` has been sealed. @returns whether it is open. */
  open(key: string, episode: Episode, instead?: string): Promise<boolean>;
  /** Joins the episode of that id while it is open. @returns whether it was. */
  join(request: JoinRequest): Promise<boolean>;
  /** Notes when its token comes. */
  noteToken(mark: OwnMark, tokenMs: number): Promise<void>;
  /** Seals the episode of that id where it is due: from then on none can join. */
  seal(mark: OwnMark, nowMs: number): Promise<SealOutcome>;
  /** Forgets the episode of that id. */
  close(mark: OwnMark): Promise<void>;
}

/** Partition of the mark of one key. */
export function uniquePartition(key: string): string {
  return `unique#${key}`;
}

/** Partition of the episode of one key. */
export function debouncePartition(key: string): string {
  return `debounce#${key}`;
}
