/** How every store of slots names its items, and what it refuses. Pure. */
import { StoreRefused } from '../base/errors.ts';
import { quoted } from '../base/quote.ts';
import { lockPartitionOf } from './lock-place.ts';
import type { Holder, Parked, Place } from './slots.ts';
import { checkItem, partitionKey, sortKey, timeKey } from './store-limits.ts';

const SLOTS = 'slots#';
const LOCKS = 'lock#';
const PARKED = 'parked#';
const SINCE = 'parked-since#';
const PARKED_TASK = 'parked-task#';
const LONGEST_BY_CHARACTERS = 255;
const PLACE = /^\d{13}#/;

/** The slots of `concurrency`. @param key as `itemKey()` makes it */
export function slotsKey(key: string): string {
  return `${SLOTS}${key}`;
}

/** The one slot of `oneInstance`. @param key as `itemKey()` makes it */
export function taskLockKey(key: string): string {
  return `${LOCKS}task#${key}`;
}

/** The task whose slots they are; '' where that is none: of a lock, or of what several tasks share. */
export function taskOfKey(key: string): string {
  return key.startsWith(SLOTS) ? key.slice(SLOTS.length, key.indexOf('#', SLOTS.length)) : '';
}

/** Whether a text is a key of slots: messages carry them. */
export function isSlotsKey(text: string): boolean {
  return text.startsWith(SLOTS) || text.startsWith(`${LOCKS}task#`);
}

/** Partition and sort key of a key's holders. */
export function holdersAt(key: string): { readonly partition: string; readonly sort: string } {
  if (!key.startsWith(LOCKS)) return { partition: partitionKey(key), sort: '-' };
  const name = key.slice(LOCKS.length);
  return { partition: lockPartitionOf(name), sort: sortKey(name) };
}

/** Partition of who waits for a key. */
export function lineOf(key: string): string {
  return partitionKey(`${PARKED}${key.startsWith(SLOTS) ? key.slice(SLOTS.length) : key}`);
}

/** Partition of when an attempt first came to wait. */
export function sinceOf(holder: string): string {
  return partitionKey(`${SINCE}${holder}`);
}

/** Sort key of one who waits: by its time, then by its name. */
export function placeKey({ sinceMs, holder }: Place): string {
  return sortKey(`${timeKey(sinceMs)}#${holder}`);
}

/** Partition of where a task stands. */
export function parkedTaskPartition(id: string): string {
  return partitionKey(`${PARKED_TASK}${id}`);
}

/** The task of an attempt's name among holders. */
export function taskIdOf(holder: string): string {
  return holder.slice(0, holder.lastIndexOf('#'));
}

/** The attempt's number in its name among holders, whichever of its parts that is of. */
export function attemptOf(holder: string): number {
  return Math.floor(Number(holder.slice(holder.lastIndexOf('#') + 1)));
}

/** What a key of slots is made of. `task` is `*` where tasks share it; a long `key` stands as its hash, behind `~`. */
export interface SlotsKeyParts {
  readonly of: 'concurrency' | 'oneInstance';
  readonly task: string;
  readonly key: string;
}

export function partsOfKey(slots: string): SlotsKeyParts {
  const isLock = slots.startsWith(LOCKS);
  const text = slots.slice(isLock ? `${LOCKS}task#`.length : SLOTS.length);
  const at = text.indexOf('#');
  return { of: isLock ? 'oneInstance' : 'concurrency', task: text.slice(0, at), key: text.slice(at + 1) };
}

/** What `placeKey` has written. */
export function placeOf(sort: string): Place {
  const isPlace = PLACE.test(sort);
  return { sinceMs: Number(isPlace ? sort.slice(0, 13) : 0), holder: sort.replace(PLACE, '') };
}

/** An entry as it is stored: text, which one comparison tells from another. */
export function holderText({ leaseMs, by }: Holder): string {
  if (by === '' || by.length > LONGEST_BY_CHARACTERS)
    throw new StoreRefused(
      `The holder ${quoted(by)} has ${by.length} characters; 1 to ${LONGEST_BY_CHARACTERS} are allowed.`,
    );
  return `${timeKey(leaseMs)}#${by}`;
}

/** What `holderText` has written. */
export function holderOf(text: string): Holder {
  return { leaseMs: Number(text.slice(0, 13)), by: text.slice(14) };
}

/** @throws StoreRefused for one that is too large for an item */
export function checkParked(key: string, parked: Parked): void {
  parkedTaskPartition(taskIdOf(parked.holder));
  const { holder, token, wake } = parked;
  checkItem({ pk: lineOf(key), sk: placeKey(parked), holder, token, wake: JSON.stringify(wake), since: 0, expires: 0 });
}
