/** Where a lock lies and when it has lapsed: one meaning for every store. Pure. */
import { stableHash } from '../base/ids.ts';
import { CLOCK_SKEW_SECONDS } from '../base/limits.ts';
import { sortKey } from './store-limits.ts';

/** Partitions of the locks: all of them are read to list what is held. */
export const LOCK_SHARDS = 8;

/** Before the sort key of each lock that users' code asks for. */
export const USER_LOCK_PREFIX = 'user#';

export function lockPartition(shard: number): string {
  return `lock#${shard}`;
}

/** By its sort key. */
export function lockPartitionOf(sort: string): string {
  return lockPartition(stableHash(sort) % LOCK_SHARDS);
}

/** Partition and sort key of a lock. @throws StoreRefused */
export function lockAt(key: string): { readonly partition: string; readonly sort: string } {
  const sort = sortKey(`${USER_LOCK_PREFIX}${key}`);
  return { partition: lockPartitionOf(sort), sort };
}

/** What ends before it has lapsed at `nowMs`, milliseconds: its owner's clock may be behind by so much. */
export function lapsedBeforeMs(nowMs: number): number {
  return nowMs - CLOCK_SKEW_SECONDS * 1000;
}
