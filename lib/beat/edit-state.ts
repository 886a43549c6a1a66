/** What the edits that people make turn a stored entry into. Pure. */
import { util } from '../base/builtins.ts';

import { MAX_TICKS_PER_SWEEP, SWEEP_HORIZON_SECONDS } from '../base/limits.ts';
import type { ScheduleEntry } from './entry.ts';
import { nextTickMs } from '../schedules/next-due.ts';
import { firstState, nextSweptMs, type Recalled, runsUntil, type ScheduleState, shownEntry } from './schedule-state.ts';

/** How an edit finds the ticks that were sent ahead of their time. */
export interface SentAhead {
  /** Whoever runs them reads no revoke: they will run, and are not sent a second time. Default false: they are taken back. */
  readonly irrevocable?: boolean;
}

/** The state after people changed its entry: counts go on, and what was sent ahead is taken back where it is no longer meant. */
export function changed(
  state: ScheduleState,
  entry: ScheduleEntry,
  nowMs: number,
  { irrevocable = false }: SentAhead = {},
): ScheduleState {
  const before = shownEntry(state, nowMs);
  const sameMessage = sameData(before.signature, entry.signature);
  const sameSchedule = sameData(before.schedule, entry.schedule);
  const edited = { ...state, version: state.version + 1, changedMs: nowMs };
  // Ticks that were sent, and those that are overdue, are meant as before.
  if (sameSchedule && sameSpan(before, entry) && (sameMessage || irrevocable))
    return {
      ...edited,
      entry: { ...entry, enabled: state.entry.enabled },
      lastError: sameMessage ? state.lastError : null,
    };
  // Whoever edits anything else does not want the interval to begin anew, nor to lose what an outage held up.
  const anchorMs = sameSchedule ? state.anchorMs : nowMs;
  const isOverdue = sameSchedule && entry.enabled && state.nextDueMs !== null && state.nextDueMs <= nowMs;
  const afterMs = isOverdue && state.nextDueMs !== null ? state.nextDueMs - 1 : nowMs;
  return {
    ...edited,
    entry,
    over: false,
    tickVersion: state.tickVersion + 1,
    anchorMs,
    nextDueMs: nextSweptMs(entry, state.firedBy, afterMs, anchorMs),
    ...(irrevocable
      ? {}
      : {
          emitted: [],
          recalled: [...state.recalled, ...maybeSent(state, nowMs, isOverdue)],
          ...runsUntil(state, nowMs),
        }),
    lastError: null,
  };
}

function sameSpan(left: ScheduleEntry, right: ScheduleEntry): boolean {
  return (
    left.enabled === right.enabled &&
    left.oneOff === right.oneOff &&
    left.startMs === right.startMs &&
    left.expiresMs === right.expiresMs
  );
}

/** One of them may have been stored and read again. */
function sameData(left: unknown, right: unknown): boolean {
  return util().isDeepStrictEqual(JSON.parse(JSON.stringify(left)), JSON.parse(JSON.stringify(right)));
}

/** The state once people stored an entry, new or in place of another. */
export function replaced(
  state: ScheduleState | undefined,
  entry: ScheduleEntry,
  nowMs: number,
  sent: SentAhead = {},
): ScheduleState {
  return state === undefined ? firstState(entry, 'stored', 'sweep', nowMs) : changed(state, entry, nowMs, sent);
}

export function deleted(state: ScheduleState, nowMs: number, sent: SentAhead = {}): ScheduleState {
  return { ...changed(state, { ...state.entry, enabled: false }, nowMs, sent), deleted: true };
}

/** The same entry under another name, in the place of the old one: it sends what that sent ahead and is taken back. */
export function renamed(
  state: ScheduleState,
  name: string,
  nowMs: number,
  { irrevocable = false }: SentAhead = {},
): ScheduleState {
  const shown = shownEntry(state, nowMs);
  const ahead = state.emitted.filter((tick) => tick > nowMs);
  const due = [...(irrevocable ? [] : ahead), ...(state.nextDueMs === null ? [] : [state.nextDueMs])];
  const enabled = shown.enabled && due.length > 0;
  const { lastRunVersion: _ofTheOldName, ...runs } = runsUntil(state, nowMs);
  return {
    ...firstState({ ...shown, name, enabled }, 'stored', 'sweep', nowMs),
    anchorMs: state.anchorMs,
    nextDueMs: enabled ? Math.min(...due) : null,
    // Its last tick goes to who cannot be told to leave it.
    over: state.over && !enabled,
    ...runs,
    lastError: state.lastError,
  };
}

/** A new entry under the name of a deleted one. */
export function storedAnew(first: ScheduleState, earlier: ScheduleState): ScheduleState {
  const { revision, recalled, emitted } = earlier;
  const later = (own: number, its: number): number => (first.source === 'code' ? own : Math.max(own, its + 1));
  return {
    ...first,
    version: later(first.version, earlier.version),
    tickVersion: later(first.tickVersion, earlier.tickVersion),
    revision,
    recalled,
    emitted,
  };
}

/**
 * What a sweep sent ahead or, since it writes that down afterwards, may have.
 *
 * @param overdue whether what is overdue stays due, and so would be sent again under the new version.
 */
function maybeSent(state: ScheduleState, nowMs: number, overdue: boolean): Recalled[] {
  const { entry, anchorMs } = state;
  const untilMs = nowMs + SWEEP_HORIZON_SECONDS * 1000;
  const missed: number[] = [];
  const ahead = state.emitted.filter((tick) => tick > nowMs);
  let next = state.nextDueMs ?? undefined;
  while (next !== undefined && next <= untilMs && missed.length + ahead.length < MAX_TICKS_PER_SWEEP) {
    if (next > nowMs) ahead.push(next);
    // As a sweep chooses among them.
    else if (overdue) {
      if (entry.catchUp === 'one') missed.pop();
      missed.push(next);
    }
    next = nextTickMs(entry, overdue ? next : Math.max(next, nowMs), anchorMs);
  }
  return [...missed, ...ahead].map((dueMs) => ({ version: state.tickVersion, dueMs }));
}
