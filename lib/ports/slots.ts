/**
 * Port of slots: who runs under a key at the moment, and who waits for that. Every method is one request; what follows from
 * what is decided by lib/flow.
 */
import type { OutgoingMessage } from './broker.ts';

/** Who holds a slot, and how long that counts. */
export interface Holder {
  /** Milliseconds since the epoch: later than this it is dead, and its slot another's. */
  readonly leaseMs: number;
  /** The delivery that runs, or what gave the slot to a task that is on its way: at most 255 characters. */
  readonly by: string;
}

/** A key's holders, as they stand. Where nobody ever asked for a slot there are none. */
export interface Slots {
  /** By the attempt that holds: `<task id>#<attempt>`. */
  readonly holders: ReadonlyMap<string, Holder>;
  /** Somebody may wait: what the last who came to wait has written. */
  readonly line?: string;
  /** When somebody will look whether a holder has died, milliseconds since the epoch. */
  readonly checkMs?: number;
  /** Slots of the key, as the last writer knew them. */
  readonly limit?: number;
}

/** What must hold for a write, all of it. */
export interface SlotsCondition {
  /** These hold, with this very lease and name. */
  readonly same?: ReadonlyMap<string, Holder>;
  /** These hold, whatever their entry is. */
  readonly present?: readonly string[];
  /** These do not hold. */
  readonly absent?: readonly string[];
  /** There are no more holders than this. */
  readonly atMost?: number;
  /** There are no fewer holders than this. */
  readonly atLeast?: number;
  /** The line is this; null: there is none. */
  readonly line?: string | null;
  /** The next look is this; null: there is none. */
  readonly checkMs?: number | null;
}

/** A change of a key's holders. */
export interface SlotsWrite {
  /** The key, as `slotsKey()` and its kin make it. */
  readonly key: string;
  /** Who holds from now on, in place of an entry of the same name. */
  readonly put?: ReadonlyMap<string, Holder>;
  /** Who holds no longer. None of them is in `put`. */
  readonly remove?: readonly string[];
  /** null takes it away. */
  readonly line?: string | null;
  /** null takes it away. */
  readonly checkMs?: number | null;
  /** Slots of the key. */
  readonly limit?: number;
  /** When nobody can need the item any more, seconds since the epoch. */
  readonly expiresAtSeconds: number;
  /** What must hold. */
  readonly when: SlotsCondition;
}

/** What became of a write. */
export type SlotsOutcome =
  | { readonly done: true }
  /** Its condition did not hold: how the key stood. */
  | { readonly done: false; readonly seen: Slots };

/** Where a waiting task stands in its key's line. */
export interface Place {
  /** When it came, milliseconds since the epoch: the same whenever it comes again. */
  readonly sinceMs: number;
  /** `<task id>#<attempt>`. */
  readonly holder: string;
}

/** A task that waits. For most of them this is all that is left of their message. */
export interface Parked extends Place {
  /** Of this very time of waiting. */
  readonly token: string;
  /** What has it come. `show`: its message waits where it is, under its receipt. */
  readonly wake:
    | { readonly kind: 'send'; readonly message: OutgoingMessage }
    | { readonly kind: 'show'; readonly queue: string; readonly receipt: string };
  /** How often it was given a slot before and came too late for it. */
  readonly grants: number;
  /** It need not run later than this, milliseconds since the epoch; absent for no end. */
  readonly expiresMs?: number;
}

/** Where a task stood when it last came to wait. */
export interface LastPlace {
  /** The key, as `slotsKey()` and its kin make it. */
  readonly key: string;
  /** Its place in the line. */
  readonly place: Place;
  /** What stands there still; absent where it has been sent for, or has ended. */
  readonly parked?: Parked;
}

/** Which lines are asked for. */
export interface LinesQuery {
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  /** At most so many keys. */
  readonly limit: number;
}

/** Keys for which somebody waits, or did less than an hour ago. */
export interface Lines {
  /** As `slotsKey()` and its kin make them, each once. */
  readonly keys: readonly string[];
  /** There may be others. */
  readonly more: boolean;
}

/** Which of those that wait are counted. */
export interface CountOptions {
  /** Those in front of this place; absent for all. */
  readonly before?: Place;
  /** No more than this are looked at. */
  readonly most?: number;
}

/** Who runs under a key, and who waits. */
export interface SlotStore {
  /** How a key stands, read consistently. */
  read(key: string): Promise<Slots>;
  /** One conditional write. Of a key that nobody ever asked for nothing changes but by `put`: such a write is not done. */
  write(write: SlotsWrite): Promise<SlotsOutcome>;
  /**
   * Stores who waits, in place of what stood at the same place; in the same requests, of each task where it stands. Of one key
   * no place twice. With `notedMs` also that somebody waits for the key, as `noteLine` does.
   */
  park(key: string, parked: readonly Parked[], notedMs?: number): Promise<void>;
  /** Notes that somebody waits for the key at this time, milliseconds since the epoch: for people, who look at all lines. */
  noteLine(key: string, nowMs: number): Promise<void>;
  /** Keys that were noted within the last hour, or nearly. */
  lines(query: LinesQuery): Promise<Lines>;
  /**
   * Notes when an attempt first came to wait.
   *
   * @returns the time that stands: of the first note, which another message of the attempt may have written
   */
  since(place: Place, expiresAtSeconds: number): Promise<number>;
  /** Those who have waited longest, at most `limit`, in order, read consistently. */
  line(key: string, limit: number): Promise<Parked[]>;
  /** One who waits, read consistently; undefined where nobody stands at the place. */
  parked(key: string, place: Place): Promise<Parked | undefined>;
  /** Takes one away. With a token only where it is that. One that is gone already is no error. */
  unpark(key: string, place: Place, token?: string): Promise<void>;
  /** How many wait. Cost follows how many there are: for people, not for tasks. */
  count(key: string, options?: CountOptions): Promise<number>;
  /**
   * Where a task came to wait last, read consistently: for people. undefined for one that never waited, and for one that has
   * waited for more than 30 days.
   */
  lastPlace(id: string): Promise<LastPlace | undefined>;
}
