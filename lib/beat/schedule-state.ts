/** What is stored of a schedule entry, and what a sweep makes of it. Pure. */
import { errorText } from '../base/error-text.ts';
import { InvalidSchedule } from '../base/errors.ts';
import { decodeJson, encodeJson } from '../wire/json.ts';
import { MAX_TICKS_PER_SWEEP } from '../base/limits.ts';
import type { ScheduleItem } from '../ports/schedules.ts';
import type { ScheduleEntry } from './entry.ts';
import { nextTickMs } from '../schedules/next-due.ts';
import type { ScheduleSwitch } from '../wire/schedule-document.ts';
import { readSchedule } from '../schedules/read-schedule.ts';
import { readSignature } from '../wire/signature.ts';

export interface ScheduleState extends ScheduleSwitch {
  readonly entry: ScheduleEntry;
  /** Declared by `app.beat` or stored by `app.schedules.put`. */
  readonly source: 'code' | 'stored';
  /** Fired by an EventBridge rule, or by the sweep. */
  readonly firedBy: 'rule' | 'sweep';
  /** It has run its course: a one-off after its tick, an entry after its end. */
  readonly over: boolean;
  /** Raised by every change that people make: by it they tell which state they have read. */
  readonly version: number;
  /** A part of the ticks' identity. Raised by the changes that take ticks back, so that the same instant can be sent anew. */
  readonly tickVersion: number;
  /** Raised by every write. */
  readonly revision: number;
  /** Where intervals count from. */
  readonly anchorMs: number;
  readonly nextDueMs: number | null;
  /** Ticks sent under this version that may still lie ahead: what an edit must take back. Ascending. */
  readonly emitted: readonly number[];
  /** Ticks of earlier versions that an edit has yet to take back. Written with the edit, so that no crash can lose them. */
  readonly recalled: readonly Recalled[];
  /** Of ticks before `emitted`. */
  readonly lastRunMs: number | null;
  readonly runCount: number;
  readonly changedMs: number;
  /** Why the last tick could not be sent. */
  readonly lastError: string | null;
  /** Tick version of the last run; absent where that was before it was kept. */
  readonly lastRunVersion?: number;
  /** Who changed it last; null for a deployment, and for callers that do not say. */
  readonly changedBy?: string | null;
  /** Of an entry with a `choice`: what the code says. */
  readonly declared?: boolean;
}

export interface Recalled {
  /** The tick version it was sent with. */
  readonly version: number;
  readonly dueMs: number;
}

// Longer than any sweep or edit that read the entry before can take.
const KEEP_DELETED_MS = 3_600_000;

export interface Advance {
  /** Due instants to send now. */
  readonly ticks: readonly number[];
  /** The state once they are sent. */
  readonly state: ScheduleState;
}

const NONE: ReadonlySet<number> = new Set();

/**
 * What a sweep at `nowMs` that looks ahead to `untilMs` sends, and the state after it.
 *
 * @param gone instants that have run under another version; they are among the ticks.
 */
export function advance(
  state: ScheduleState,
  nowMs: number,
  untilMs: number,
  gone: ReadonlySet<number> = NONE,
): Advance {
  const { entry } = state;
  if (!entry.enabled || state.nextDueMs === null) return { ticks: [], state };
  let missed: number[] = [];
  const ahead: number[] = [];
  let next: number | undefined = state.nextDueMs;
  while (next !== undefined && next <= untilMs && missed.length + ahead.length < MAX_TICKS_PER_SWEEP) {
    // Of several missed ones the newest stands for all, unless each is wanted.
    if (next <= nowMs && entry.catchUp === 'one') missed = missed.filter((tick) => gone.has(tick));
    (next <= nowMs ? missed : ahead).push(next);
    next = nextTickMs(entry, next, state.anchorMs);
  }
  const deadlineMs = entry.startingDeadlineSeconds === null ? -Infinity : nowMs - entry.startingDeadlineSeconds * 1000;
  const due = [...missed.filter((tick) => tick >= deadlineMs), ...ahead];
  const wanted = entry.oneOff ? due.slice(0, 1) : due;
  const over = next === undefined || (entry.oneOff && wanted.length > 0);
  // An edit leaves among them what it could not take back: an instant is sent once.
  const sent = new Set(state.emitted);
  const ticks = wanted.filter((tick) => !sent.has(tick));
  const emitted = [...state.emitted.filter((tick) => tick > nowMs), ...ticks];
  return {
    ticks,
    state: {
      ...state,
      // What has run its course is shown as disabled, as django-celery-beat does.
      entry: over ? { ...entry, enabled: false } : entry,
      over,
      nextDueMs: over ? null : (next ?? null),
      emitted: emitted.toSorted((left, right) => left - right),
      ...runsUntil(state, nowMs),
      lastError: null,
    },
  };
}

/** Ticks that have been, as readers see them: a tick sent ahead of its time has not run yet. */
export function runsUntil(state: ScheduleState, nowMs: number): Runs {
  const past = state.emitted.filter((tick) => tick <= nowMs);
  const last = past.at(-1);
  const { lastRunMs, runCount, lastRunVersion } = state;
  const version = last === undefined ? lastRunVersion : state.tickVersion;
  return {
    lastRunMs: last ?? lastRunMs,
    runCount: runCount + past.length,
    ...(version === undefined ? {} : { lastRunVersion: version }),
  };
}
type Runs = Pick<ScheduleState, 'lastRunMs' | 'runCount' | 'lastRunVersion'>;

/** The next tick that the sweep has to send: none of an entry that a rule fires, or that is disabled. */
export function nextSweptMs(
  entry: ScheduleEntry,
  firedBy: ScheduleState['firedBy'],
  afterMs: number,
  anchorMs: number,
): number | null {
  return firedBy === 'rule' || !entry.enabled ? null : (nextTickMs(entry, afterMs, anchorMs) ?? null);
}

/** Whether a sweep that looks at a deleted entry has nothing left to do but to remove it. */
export function isForgotten(state: ScheduleState): boolean {
  return state.deleted && state.recalled.length === 0;
}

/** The entry as people see it: what has run its course is enabled as long as its last tick still lies ahead. */
export function shownEntry(state: ScheduleState, nowMs: number): ScheduleEntry {
  const { entry, over, emitted } = state;
  return over && emitted.some((tick) => tick > nowMs) ? { ...entry, enabled: true } : entry;
}

export function firstState(
  entry: ScheduleEntry,
  source: ScheduleState['source'],
  firedBy: ScheduleState['firedBy'],
  nowMs: number,
): ScheduleState {
  // An entry that was deleted long ago and is stored anew must not take the ticks of the earlier one for its own.
  const version = source === 'code' ? 0 : Math.floor(nowMs / 1000);
  return {
    entry,
    source,
    firedBy,
    choice: null,
    over: false,
    version,
    tickVersion: version,
    revision: 0,
    anchorMs: nowMs,
    nextDueMs: nextSweptMs(entry, firedBy, nowMs, nowMs),
    emitted: [],
    recalled: [],
    deleted: false,
    lastRunMs: null,
    runCount: 0,
    changedMs: nowMs,
    lastError: null,
  };
}

/** @throws InvalidSchedule for an entry that people store and that would never be due. */
export function refuseNever(state: ScheduleState, nowMs: number): void {
  if (!state.entry.enabled || state.firedBy === 'rule' || state.nextDueMs !== null) return;
  throw new InvalidSchedule(
    `entry '${state.entry.name}' has no due time after ${new Date(nowMs).toISOString()}. Correct its schedule, startTime or expires; runNow() runs its task once.`,
  );
}

/** As it is stored: one revision on. */
export function itemOf(state: ScheduleState): ScheduleItem {
  const { revision, firedBy: way, ...document } = state;
  return {
    name: state.entry.name,
    revision: revision + 1,
    nextDueMs: lookAtMs(state),
    document: encodeJson({ ...document, way }, 'entry'),
  };
}

/** When a sweep has something to do for it. */
function lookAtMs(state: ScheduleState): number | null {
  if (state.recalled.length > 0) return state.changedMs;
  return state.deleted ? state.changedMs + KEEP_DELETED_MS : state.nextDueMs;
}

/** As in the stored document, where `firedBy` is named `way`. */
type StoredState = Omit<ScheduleState, 'revision' | 'tickVersion' | 'firedBy'> & {
  readonly way: ScheduleState['firedBy'];
  readonly tickVersion?: number;
};

/** @throws InvalidSchedule for a document that is not ours. */
export function stateOf(item: ScheduleItem): ScheduleState {
  try {
    const { way: firedBy, ...data } = decodeJson(item.document) as StoredState;
    const signature = readSignature(data.entry.signature);
    if (signature === undefined) throw new InvalidSchedule('it has no signature');
    const schedule = readSchedule(data.entry.schedule, () => {
      throw new InvalidSchedule('its schedule is no object');
    });
    return {
      ...data,
      firedBy,
      // Of an entry stored before the two were told apart.
      tickVersion: data.tickVersion ?? data.version,
      entry: { ...data.entry, signature, schedule },
      revision: item.revision,
    };
  } catch (error) {
    throw new InvalidSchedule(`The stored entry '${item.name}' cannot be read: ${errorText(error).message}`, {
      cause: error,
    });
  }
}
