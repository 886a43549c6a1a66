/** What is stored of a schedule entry, and what a sweep makes of it. Pure. */
import { isDeepStrictEqual } from 'node:util';

import { InvalidSchedule } from '../errors.ts';
import { decodeJson, encodeJson } from '../json.ts';
import type { ScheduleItem } from '../ports.ts';
import { nextTickMs, type ScheduleEntry } from '../schedules/entry.ts';
import { readSchedule } from '../schedules/read-schedule.ts';
import { readSignature } from '../signature.ts';

export interface ScheduleState {
  readonly entry: ScheduleEntry;
  /** Declared by `app.beat` or stored by `app.schedules.put`. */
  readonly source: 'code' | 'stored';
  /** Fired by an EventBridge rule, or by the sweep. */
  readonly way: 'rule' | 'sweep';
  /** What an operator said of a declared entry; null: nothing, the code decides. Kept over deployments. */
  readonly choice: boolean | null;
  /** It has run its course: a one-off after its tick, an entry after its end. */
  readonly over: boolean;
  /** Raised by every change that people make. A part of the tick's identity, so that a tick taken back can be sent anew. */
  readonly version: number;
  /** Raised by every write. */
  readonly revision: number;
  /** Where intervals count from. */
  readonly anchorMs: number;
  readonly nextDueMs: number | null;
  /** Ticks sent under this version that may still lie ahead: what an edit must take back. Ascending. */
  readonly emitted: readonly number[];
  /** Of ticks before `emitted`. */
  readonly lastRunMs: number | null;
  readonly runCount: number;
  readonly changedMs: number;
  /** Why the last tick could not be sent. */
  readonly lastError: string | null;
}

// One sweep of one entry. Sub-minute intervals have at most a horizon's seconds; only catching up gets here.
const MAX_TICKS = 1000;

export interface Advance {
  /** Due instants to send now. */
  readonly ticks: readonly number[];
  /** The state once they are sent. */
  readonly state: ScheduleState;
}

/** What a sweep at `nowMs` that looks ahead to `untilMs` sends, and the state after it. */
export function advance(state: ScheduleState, nowMs: number, untilMs: number): Advance {
  const { entry } = state;
  if (!entry.enabled || state.nextDueMs === null) return { ticks: [], state };
  const missed: number[] = [];
  const ahead: number[] = [];
  let next: number | undefined = state.nextDueMs;
  while (next !== undefined && next <= untilMs && missed.length + ahead.length < MAX_TICKS) {
    // Of several missed ones the newest stands for all, unless each is wanted.
    if (next <= nowMs && entry.catchUp === 'one') missed.length = 0;
    (next <= nowMs ? missed : ahead).push(next);
    next = nextTickMs(entry, next, state.anchorMs);
  }
  const deadlineMs = entry.startingDeadlineSeconds === null ? -Infinity : nowMs - entry.startingDeadlineSeconds * 1000;
  const due = [...missed.filter((tick) => tick >= deadlineMs), ...ahead];
  const ticks = entry.oneOff ? due.slice(0, 1) : due;
  const over = next === undefined || (entry.oneOff && ticks.length > 0);
  const past = state.emitted.filter((tick) => tick <= nowMs);
  return {
    ticks,
    state: {
      ...state,
      // What has run its course is shown as disabled, as django-celery-beat does.
      entry: over ? { ...entry, enabled: false } : entry,
      over,
      nextDueMs: over ? null : (next ?? null),
      emitted: [...state.emitted.filter((tick) => tick > nowMs), ...ticks],
      lastRunMs: past.at(-1) ?? state.lastRunMs,
      runCount: state.runCount + past.length,
      lastError: null,
    },
  };
}

/** Ticks that have been, as readers see them: a tick sent ahead of its time has not run yet. */
export function runsUntil(state: ScheduleState, nowMs: number): { lastRunMs: number | null; runCount: number } {
  const past = state.emitted.filter((tick) => tick <= nowMs);
  return { lastRunMs: past.at(-1) ?? state.lastRunMs, runCount: state.runCount + past.length };
}

/** The state after people changed its entry: counts go on, ticks are reckoned from now. */
export function changed(state: ScheduleState, entry: ScheduleEntry, nowMs: number): ScheduleState {
  const runs = runsUntil(state, nowMs);
  // Whoever only edits a description does not want the interval to begin anew.
  const anchorMs = isDeepStrictEqual(entry.schedule, state.entry.schedule) ? state.anchorMs : nowMs;
  return {
    ...state,
    entry,
    over: false,
    version: state.version + 1,
    anchorMs,
    nextDueMs: state.way === 'rule' || !entry.enabled ? null : (nextTickMs(entry, nowMs, anchorMs) ?? null),
    emitted: [],
    ...runs,
    changedMs: nowMs,
    lastError: null,
  };
}

export function firstState(
  entry: ScheduleEntry,
  source: ScheduleState['source'],
  way: ScheduleState['way'],
  nowMs: number,
): ScheduleState {
  return {
    entry,
    source,
    way,
    choice: null,
    over: false,
    // An entry that is deleted and stored anew must not take the ticks of its forerunner for its own.
    version: source === 'code' ? 0 : Math.floor(nowMs / 1000),
    revision: 0,
    anchorMs: nowMs,
    nextDueMs: way === 'rule' || !entry.enabled ? null : (nextTickMs(entry, nowMs, nowMs) ?? null),
    emitted: [],
    lastRunMs: null,
    runCount: 0,
    changedMs: nowMs,
    lastError: null,
  };
}

/** As it is stored: one revision on. */
export function itemOf(state: ScheduleState): ScheduleItem {
  const { revision, nextDueMs, ...document } = state;
  return { name: state.entry.name, revision: revision + 1, nextDueMs, document: encodeJson(document, 'entry') };
}

/** @throws InvalidSchedule for a document that is not ours. */
export function stateOf(item: ScheduleItem): ScheduleState {
  try {
    const data = decodeJson(item.document) as Omit<ScheduleState, 'revision' | 'nextDueMs'>;
    const signature = readSignature(data.entry.signature);
    if (signature === undefined) throw new InvalidSchedule('it has no signature');
    const schedule = readSchedule(data.entry.schedule, () => {
      throw new InvalidSchedule('its schedule is no object');
    });
    return {
      ...data,
      entry: { ...data.entry, signature, schedule },
      revision: item.revision,
      nextDueMs: item.nextDueMs,
    };
  } catch (error) {
    throw new InvalidSchedule(
      `The stored entry '${item.name}' cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
}
