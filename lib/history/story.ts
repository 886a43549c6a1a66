/** One task's whole story, as far as it is stored: its item, and what the history has of its attempts. */
import { HISTORY_RETENTION_SECONDS, MAX_HISTORY_QUERIES, MAX_STORY_ATTEMPTS } from '../base/limits.ts';
import type { Backend, TaskRecord } from '../ports/backend.ts';
import type { HistoryEntry } from '../wire/history-entry.ts';
import { readDocument } from '../wire/result-document.ts';
import { committedOf, readSettlement } from '../worker/committed.ts';
import { endView, type TaskEnd } from './end-view.ts';
import { type Budget, MINUTE_MS, minutesOf, type ReadPorts } from './read.ts';
import { toldRecords } from '../results/told-records.ts';

/** What is known of one task. */
export interface TaskStory {
  /** Task id. */
  readonly id: string;
  /** Name of the task; null where nothing tells it. */
  readonly task: string | null;
  /** Celery's name of its queue; null where nothing tells it. */
  readonly queue: string | null;
  /** The state it has now, as its item says; of a task whose item has expired that of its last attempt. null for none. */
  readonly state: string | null;
  /** The attempts that ended, in order; the newest 50. */
  readonly attempts: readonly TaskEnd[];
  /** When it was revoked; null where it was not, or where its item has expired. */
  readonly revokedAt: Date | null;
  /** When its present or last attempt was claimed; null where none was, or where its item has expired. */
  readonly startedAt: Date | null;
  /** Deliveries of its present or last attempt. */
  readonly deliveries: number;
  /** The task that sent it; null for none. */
  readonly parentId: string | null;
  /** Tasks that it sent and that followed from it, as its result names them. */
  readonly children: readonly string[];
  /** Why its message lies in the dead-letter queue; null where it does not. */
  readonly deadLetter: string | null;
  /** The schedule entry whose tick it is; null for none. */
  readonly scheduleEntry: string | null;
  /** Whether all attempts that ended are among `attempts`: not those of more than seven days ago, nor more than 50. */
  readonly isComplete: boolean;
}

export interface StoryPorts extends ReadPorts {
  readonly backend: Backend;
}

/** When it is asked, and how far back a task without an item is searched for: milliseconds since the epoch. */
export interface StoryTimes {
  readonly nowMs: number;
  readonly searchFromMs: number;
}

/** undefined where nothing is stored of it. */
export async function storyOf(id: string, times: StoryTimes, ports: StoryPorts): Promise<TaskStory | undefined> {
  const [record] = await toldRecords([id], ports, times.nowMs);
  const attempts = await attemptsOf(id, record, times, ports);
  const last = attempts.at(-1);
  if (record === undefined && last === undefined) return undefined;
  const document = record?.meta === undefined ? undefined : readDocument(record.meta);
  const settlement = readSettlement(record?.settlement);
  const expected = Math.floor(record?.committed ?? last?.attempt ?? -1);
  return {
    id,
    task: record?.name ?? last?.task ?? null,
    queue: record?.queue ?? last?.queue ?? null,
    state: record?.status ?? last?.state ?? null,
    attempts: attempts.map(endView),
    revokedAt: record?.revokedMs === undefined ? null : new Date(record.revokedMs),
    startedAt: record?.startedMs === undefined ? null : new Date(record.startedMs),
    deliveries: record?.deliveries ?? last?.deliveries ?? 0,
    parentId: document?.parentId ?? last?.parentId ?? null,
    children: childrenIn(document?.children ?? []),
    deadLetter: settlement.deadLetter?.reason ?? last?.deadLetter ?? null,
    scheduleEntry: last?.entry ?? null,
    isComplete: attempts.length > expected && attempts.every(({ attempt }, index) => attempt === index),
  };
}

/** Celery's form: `[[id, parent], members]`. */
function childrenIn(children: readonly unknown[]): string[] {
  return children.flatMap((child) => {
    const [first] = Array.isArray(child) ? (child as readonly unknown[]) : [];
    const [id] = Array.isArray(first) ? (first as readonly unknown[]) : [];
    return typeof id === 'string' ? [id] : [];
  });
}

/** Each names when the one before it ended: that is where it is looked for, and nothing else is read. */
async function attemptsOf(
  id: string,
  record: TaskRecord | undefined,
  { nowMs, searchFromMs }: StoryTimes,
  ports: StoryPorts,
): Promise<HistoryEntry[]> {
  const budget: Budget = { queries: MAX_HISTORY_QUERIES, reachedMs: nowMs };
  const keptFromMs = nowMs - HISTORY_RETENTION_SECONDS * 1000;
  const found = new Map<number, HistoryEntry>();
  let endedMs = record === undefined ? undefined : lastEndMs(record);
  // It has not ended, and had no attempt before: there is nothing to look for.
  if (record !== undefined && endedMs === undefined && (record.attempt ?? 0) < 1) return [];
  while (found.size < MAX_STORY_ATTEMPTS && budget.queries > 0) {
    const range =
      endedMs === undefined
        ? { fromMs: Math.max(keptFromMs, searchFromMs), untilMs: nowMs + MINUTE_MS }
        : { fromMs: endedMs, untilMs: endedMs + 1 };
    if (range.fromMs < keptFromMs) break;
    const entry = await newestOf(id, range, found, budget, ports);
    if (entry === undefined) break;
    found.set(entry.attempt, entry);
    endedMs = entry.previousMs;
    if (endedMs === undefined && entry.attempt === 0) break;
  }
  return [...found.values()].toSorted((left, right) => left.attempt - right.attempt);
}

function lastEndMs(record: TaskRecord): number | undefined {
  const { ended, settlement } = committedOf(record);
  return record.finishedMs ?? settlement.retry?.atMs ?? ended?.atMs;
}

async function newestOf(
  id: string,
  range: { readonly fromMs: number; readonly untilMs: number },
  known: ReadonlyMap<number, unknown>,
  budget: Budget,
  ports: StoryPorts,
): Promise<HistoryEntry | undefined> {
  for await (const { entries } of minutesOf(range, budget, ports)) {
    const own = entries.filter((entry) => entry.id === id && !known.has(entry.attempt));
    const newest = own.toSorted((left, right) => right.attempt - left.attempt)[0];
    if (newest !== undefined) return newest;
  }
  return undefined;
}
