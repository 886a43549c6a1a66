/** One end of an attempt as people see it. */
import type { HistoryEntry } from '../wire/history-entry.ts';

/** An attempt that ended. */
export interface TaskEnd {
  /** Task id. */
  readonly id: string;
  /** Number of the attempt, from 0: a retry is the next one. */
  readonly attempt: number;
  /** Name of the task. */
  readonly task: string;
  /** Celery's name of the queue that its message was in. */
  readonly queue: string;
  /** A final state, or RETRY where another attempt follows. */
  readonly state: string;
  /** When it ended. */
  readonly endedAt: Date;
  /** When its run began; null where it did not run. */
  readonly startedAt: Date | null;
  /** From when its message was last sent, or was due, until its run began; null where it did not run. Seconds. */
  readonly waitSeconds: number | null;
  /** How long it ran; null where it did not. Seconds. */
  readonly runSeconds: number | null;
  /** How often its message was delivered to a worker that began it. */
  readonly deliveries: number;
  /** How many of these runs ended without a word: a worker died, or ran out of time. */
  readonly lostRuns: number;
  /** The beginning of its arguments, as the message shows them; null where that shows none. */
  readonly repr: string | null;
  /** The beginning of its error, `name: message`; null where there is none, or where it is kept from readers. */
  readonly error: string | null;
  /** The task that sent it; null for none. */
  readonly parentId: string | null;
  /** Why its message lies in the dead-letter queue; null where it does not. */
  readonly deadLetter: string | null;
  /** The schedule entry whose tick it is; null for none. */
  readonly scheduleEntry: string | null;
}

export function endView(entry: HistoryEntry): TaskEnd {
  const { startedMs, dueMs, endedMs } = entry;
  return {
    id: entry.id,
    attempt: entry.attempt,
    task: entry.task,
    queue: entry.queue,
    state: entry.state,
    endedAt: new Date(endedMs),
    startedAt: startedMs === undefined ? null : new Date(startedMs),
    waitSeconds: startedMs === undefined || dueMs === undefined ? null : (startedMs - dueMs) / 1000,
    runSeconds: startedMs === undefined ? null : (endedMs - startedMs) / 1000,
    deliveries: entry.deliveries ?? 1,
    lostRuns: entry.lost ?? 0,
    repr: entry.repr ?? null,
    error: entry.error ?? null,
    parentId: entry.parentId ?? null,
    deadLetter: entry.deadLetter ?? null,
    scheduleEntry: entry.entry ?? null,
  };
}
