/** Keys of both tables, in one place. */
import { LATEST_DUE_MS } from '../base/limits.ts';
import { partitionKey, sortKey, timeKey } from '../ports/store-limits.ts';

/** Celery's backend writes the Python repr of a bytes key, quotes and b included (celery/backends/dynamodb.py). */
export function resultKey(taskId: string): string {
  return partitionKey(`b'celery-task-meta-${taskId}'`);
}

/** Where Celery stores a group (celery/backends/base.py, `group_keyprefix`). */
export function groupKey(groupId: string): string {
  return partitionKey(`b'celery-taskset-meta-${groupId}'`);
}

/** Where Celery counts a chord (celery/backends/base.py, `chord_keyprefix`). */
export function chordKey(groupId: string): string {
  return partitionKey(`b'chord-unlock-${groupId}'`);
}

const RESULT_KEY = /^b'celery-task-meta-(.*)'$/s;

export function taskIdOf(key: string): string {
  return RESULT_KEY.exec(key)?.[1] ?? key;
}

export function timerPartition(shard: number): string {
  return `timer#${shard}`;
}

/** Above every sort key that is due at `untilMs` or before. */
export function timerUpperBound(untilMs: number): string {
  return `${timeKey(Math.min(LATEST_DUE_MS, Math.max(0, Math.floor(untilMs))))}#\u{10FFFF}`;
}

/** All schedule entries, sorted by name. */
export const SCHEDULE_PARTITION = 'schedule';
/** @throws StoreRefused */
export function entrySortKey(name: string): string {
  return sortKey(name);
}

/** Their due times. */
export const SCHEDULE_DUE_PARTITION = 'schedule-due';

export function dueSortKey(dueMs: number, name: string): string {
  return sortKey(`${timeKey(dueMs)}#${name}`);
}

/** The entry's name in a due mark's sort key. */
export function dueNameOf(sortKey: string): string {
  return sortKey.slice(sortKey.indexOf('#') + 1);
}

/** Queues that are paused, by name. */
export const PAUSE_PARTITION = 'paused';

/** Who changed what, by time. */
export const AUDIT_PARTITION = 'audit';

export function auditSortKey(atMs: number, id: string): string {
  return sortKey(`${timeKey(atMs)}#${id}`);
}

export function groupPartition(groupId: string): string {
  return partitionKey(`group#${groupId}`);
}

/** The group's definition. */
export const GROUP_ROOT = 'root';

/** What its definition does not get into the root. Named by content: a new definition leaves the chunks of the earlier one alone. */
export function groupChunkKey(digest: string, chunk: number): string {
  return `${GROUP_ROOT}#${digest}#${chunk}`;
}

export function groupPartKey(level: number, part: number): string {
  return `part#${level}#${String(part).padStart(6, '0')}`;
}

/** Before every part that holds members. */
export const GROUP_LEAF_PREFIX = 'part#0#';
