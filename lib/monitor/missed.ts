/** Ticks of schedule entries that did not come: one answer for the overview and for the view of schedules. Pure. */
import type { StoredSchedule } from '../beat/schedule-view.ts';
import { nextTickMs } from '../schedules/next-due.ts';

/** The sweeper runs each minute and looks two ahead: later than this it does not come. */
export const LATE_SECONDS = 180;

/** What an entry has missed. */
export interface Missed {
  /** In one sentence. */
  readonly text: string;
  /** When the tick was due; of one that could not be sent, when the entry ran last. null where that is not known. */
  readonly since: Date | null;
  /** `not sent`: a tick was tried. `late`: nobody has tried. */
  readonly kind: 'not sent' | 'late';
}

/** undefined for an entry that fires as it should, or does not have to. */
export function missedBy(entry: StoredSchedule, nowMs: number): Missed | undefined {
  const { name, enabled, lastError, lastRunAt } = entry;
  if (!enabled) return undefined;
  if (lastError !== null)
    return { kind: 'not sent', text: `The last tick of ${name} was not sent: ${lastError}`, since: lastRunAt };
  const dueMs = overdueSinceMs(entry, nowMs);
  if (dueMs === undefined) return undefined;
  const since = new Date(dueMs);
  const text = `${name} was due at ${since.toISOString()}, and has not fired: the sweeper does not run, or passes it over.`;
  return { kind: 'late', text, since };
}

/** When it should have fired since its last run, or its last change. Nobody tells what rules fire. */
function overdueSinceMs(
  { firedBy, schedule, startTime, expires, lastRunAt, changedAt }: StoredSchedule,
  nowMs: number,
): number | undefined {
  if (firedBy === 'rule') return undefined;
  const sinceMs = Math.max(lastRunAt?.getTime() ?? 0, changedAt.getTime());
  const bounds = { schedule, startMs: startTime?.getTime() ?? null, expiresMs: expires?.getTime() ?? null };
  const dueMs = nextTickMs(bounds, sinceMs, sinceMs);
  return dueMs !== undefined && dueMs < nowMs - LATE_SECONDS * 1000 ? dueMs : undefined;
}
