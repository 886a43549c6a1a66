/** A schedule entry as people see it. */
import type { BeatEntry } from './entry.ts';
import { nextTicks } from '../schedules/next-due.ts';
import type { Schedule } from '../schedules/schedule.ts';
import { tickId } from '../wire/rule-message.ts';
import type { Signature } from '../wire/signature.ts';
import type { BeatPlan } from './plan.ts';
import { runsUntil, type ScheduleState, shownEntry } from './schedule-state.ts';

/** What `get` and `list` return; `put` takes it back, changed. */
export interface StoredSchedule {
  /** Name of the entry. */
  readonly name: string;
  /** What each tick sends, options included. */
  readonly task: Signature;
  /** When it is due, as plain data. */
  readonly schedule: Schedule;
  /** Whether it fires. */
  readonly enabled: boolean;
  /** Whether it is disabled after its first tick. */
  readonly oneOff: boolean;
  /** No tick before it; null: from the beginning. */
  readonly startTime: Date | null;
  /** No tick at or after it; null: for ever. */
  readonly expires: Date | null;
  /** After an outage: the newest overdue tick, or all of them. */
  readonly catchUp: 'one' | 'all';
  /** Seconds. */
  readonly startingDeadline: number | null;
  /** Whether its task may be one that is not registered here. */
  readonly customTask: boolean;
  /** Text for people; empty where there is none. */
  readonly description: string;
  /** Declared by `app.beat`, or stored. */
  readonly source: 'code' | 'stored';
  /** Fired by an EventBridge rule, or by the sweep. */
  readonly firedBy: 'rule' | 'sweep';
  /** Another one after every change that people make. */
  readonly version: number;
  /** When it last changed, by people or by a deployment; else when it was first seen. */
  readonly changedAt: Date;
  /** Scheduled time of the last tick. null before the first, and for rules, which tell nobody. */
  readonly lastRunAt: Date | null;
  /** Ticks so far; null for rules. */
  readonly totalRunCount: number | null;
  /** The next three. Of an interval fired by a rule: reckoned from when the entry was first seen. */
  readonly nextTicks: readonly Date[];
  /** Why its last tick was passed over; null where that was sent. */
  readonly lastError: string | null;
  /** Task id of the last run; null before the first, for rules, and where it is not known any more. */
  readonly lastRunId: string | null;
  /** Who changed it last, as the caller said; null for a deployment, and where nobody said. */
  readonly changedBy: string | null;
  /** Of a declared entry: what `enable` or `disable` said, over what its code says; null where the code decides. */
  readonly choice: boolean | null;
}

/** A `put` with what was read before: a version says which state it means to replace. */
export type ScheduleChange = BeatEntry & Partial<Pick<StoredSchedule, ReadOnlyField>>;
type ReadOnlyField = Exclude<keyof StoredSchedule, keyof BeatEntry>;

const READ_ONLY: ReadonlySet<string> = new Set<ReadOnlyField>([
  'name',
  'source',
  'firedBy',
  'version',
  'changedAt',
  'lastRunAt',
  'totalRunCount',
  'nextTicks',
  'lastError',
  'lastRunId',
  'changedBy',
  'choice',
]);
const SHOWN_TICKS = 3;

export function withoutReadOnly(change: ScheduleChange): BeatEntry {
  // Refused later, with its name.
  if (typeof change !== 'object' || change === null) return change;
  return Object.fromEntries(Object.entries(change).filter(([key]) => !READ_ONLY.has(key))) as unknown as BeatEntry;
}

/** The fields of an entry with some of them changed. A signature is taken whole; a task's name, args and kwargs one by one. */
export function updated(view: StoredSchedule, change: Partial<BeatEntry>): BeatEntry {
  const { task = view.task.task, args = view.task.args, kwargs = view.task.kwargs, ...others } = change;
  const fields = { ...withoutReadOnly(view), ...others };
  return typeof task === 'string'
    ? { ...fields, task: { ...view.task, task, args, kwargs } }
    : { ...fields, ...change, task };
}

export function viewOf(state: ScheduleState, nowMs: number): StoredSchedule {
  const entry = shownEntry(state, nowMs);
  const { lastRunMs, runCount, lastRunVersion } = runsUntil(state, nowMs);
  const byRule = state.firedBy === 'rule';
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
    firedBy: state.firedBy,
    version: state.version,
    changedAt: new Date(state.changedMs),
    lastRunAt: byRule ? null : dateOf(lastRunMs),
    totalRunCount: byRule ? null : runCount,
    nextTicks: entry.enabled
      ? nextTicks(entry, nowMs, state.anchorMs, entry.oneOff ? 1 : SHOWN_TICKS).map((tick) => new Date(tick))
      : [],
    lastError: state.lastError,
    lastRunId:
      byRule || lastRunMs === null || lastRunVersion === undefined
        ? null
        : tickId(entry.name, lastRunMs, lastRunVersion),
    changedBy: state.changedBy ?? null,
    choice: state.source === 'code' ? state.choice : null,
  };
}

function dateOf(ms: number | null): Date | null {
  return ms === null ? null : new Date(ms);
}

/** Whether a stored state still belongs to something that this app declares; an app that declares nothing cannot tell. */
export function isShown(state: ScheduleState, plans: readonly BeatPlan[]): boolean {
  if (state.deleted) return false;
  return state.source === 'stored' || plans.length === 0 || plans.some((plan) => plan.name === state.entry.name);
}
