/** Where the history stands in a store: one place for what writes and what reads. */
import { HISTORY_SHARDS } from '../base/limits.ts';
import { timeKey } from './store-limits.ts';

export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

/** Notes of the sweeper: how far it is, and which minutes are to be rolled up again. */
export const ROLL_PARTITION = 'history-roll';
// Before the others: one query of a few items has it.
export const ROLLED_KEY = 'done';
export const LATE_PREFIX = 'late#';

export function startOf(ms: number, lengthMs: number): number {
  return Math.floor(ms / lengthMs) * lengthMs;
}

export function historyPartition(ms: number, shard: number): string {
  return `history#${startOf(ms, HOUR_MS)}#${shard}`;
}

export function historySortKey(firstMs: number, name: string): string {
  return `${timeKey(firstMs)}#${name}`;
}

/** The part of an hour to which an invocation writes: ids of invocations differ, and their sums with them. */
export function historyShard(requestId: string): number {
  let sum = 0;
  for (let index = 0; index < requestId.length; index += 1) sum += requestId.charCodeAt(index);
  return sum % HISTORY_SHARDS;
}

export function statsPartition(every: string): string {
  return `stats#${every}`;
}

export function lateSortKey(startMs: number): string {
  return `${LATE_PREFIX}${timeKey(startMs)}`;
}
