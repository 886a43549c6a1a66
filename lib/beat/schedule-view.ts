/** A schedule entry as people see it. */
import type { Schedule } from '../schedules/schedule.ts';
import type { Signature } from '../signature.ts';
import { nextTicks } from './plan.ts';
import { runsUntil, type ScheduleState } from './schedule-state.ts';

/** What `get` and `list` return; `put` takes it back, changed. */
export interface StoredSchedule {
  readonly name: string;
  readonly task: Signature;
  readonly schedule: Schedule;
  readonly enabled: boolean;
  readonly oneOff: boolean;
  readonly startTime: Date | null;
  readonly expires: Date | null;
  readonly catchUp: 'one' | 'all';
  /** Seconds. */
  readonly startingDeadline: number | null;
  readonly customTask: boolean;
  readonly description: string;
  /** Declared by `app.beat`, or stored. */
  readonly source: 'code' | 'stored';
  /** Fired by an EventBridge rule, or by the sweep. */
  readonly way: 'rule' | 'sweep';
  /** Another one after every change that people make. */
  readonly version: number;
  readonly changedAt: Date;
  /** Scheduled time of the last tick. null before the first, and for rules, which tell nobody. */
  readonly lastRunAt: Date | null;
  /** Ticks so far; null for rules. */
  readonly totalRunCount: number | null;
  /** The next three. Of an interval fired by a rule: reckoned from when the entry was first seen. */
  readonly nextTicks: readonly Date[];
  readonly lastError: string | null;
}

const SHOWN_TICKS = 3;

export function viewOf(state: ScheduleState, nowMs: number): StoredSchedule {
  const { entry } = state;
  const { lastRunMs, runCount } = runsUntil(state, nowMs);
  const byRule = state.way === 'rule';
  return {
    name: entry.name,
    task: entry.signature,
    schedule: entry.schedule,
    enabled: entry.enabled,
    oneOff: entry.oneOff,
    startTime: dateOf(entry.startMs),
    expires: dateOf(entry.expiresMs),
    catchUp: entry.catchUp,
    startingDeadline: entry.startingDeadlineSeconds,
    customTask: entry.customTask,
    description: entry.description,
    source: state.source,
    way: state.way,
    version: state.version,
    changedAt: new Date(state.changedMs),
    lastRunAt: byRule ? null : dateOf(lastRunMs),
    totalRunCount: byRule ? null : runCount,
    nextTicks: entry.enabled ? nextTicks(entry, nowMs, state.anchorMs, SHOWN_TICKS).map((tick) => new Date(tick)) : [],
    lastError: state.lastError,
  };
}

function dateOf(ms: number | null): Date | null {
  return ms === null ? null : new Date(ms);
}
