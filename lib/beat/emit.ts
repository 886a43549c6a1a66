/**
 * Sending what is due of entries, many at a time. Ticks are sent before their entries are written, with ids that the
 * entry and the time decide: a crash, a doubled firing or a second sweeper sends them again, and they run once.
 */
import { errorLine } from '../base/error-text.ts';
import { CeleriacError, OperationalError } from '../base/errors.ts';
import { SWEEP_IRREVOCABLE_HORIZON_SECONDS } from '../base/limits.ts';
import type { Ports } from '../ports/ports.ts';
import type { App } from '../producer/app.ts';
import { dispatch, type Prepared } from '../producer/publish.ts';
import { AsyncResult } from '../results/result.ts';
import { mapConcurrently } from '../base/map-concurrently.ts';
import { REVOKED } from '../base/states.ts';
import { advance, itemOf, type Recalled, type ScheduleState, stateOf } from './schedule-state.ts';
import { isIrrevocable, prepareTick } from './tick.ts';
import { tickId } from '../wire/rule-message.ts';

/** What became of one entry. */
export interface Emitted {
  /** Ticks sent. */
  readonly ticks: number;
  /** The entry moved on: there is no need to look at it again for these. */
  readonly moved: boolean;
  /** Why not; the next sweep tries again. */
  readonly error?: unknown;
}

/** One entry on its way through the steps. */
interface Work {
  readonly state: ScheduleState;
  readonly irrevocable: boolean;
  /** Instants that have run under another tick version. */
  readonly gone: Set<number>;
  ticks: readonly number[];
  next: ScheduleState;
  sent: number;
  lastError: string | null;
  error?: unknown;
}

// Ticks prepared and sent at a time: bounds memory, and is ten requests.
const WINDOW = 100;
// Requests for single tasks and entries at a time.
const WIDTH = 16;

/** Takes back what edits recalled, sends what is due of each entry, and stores the entries behind it. Names are distinct. */
export async function emitAll(
  states: readonly ScheduleState[],
  app: App,
  ports: Ports,
  untilMs: number,
): Promise<Emitted[]> {
  const nowMs = ports.clock.nowMs();
  const works = new Map<ScheduleState, Work>();
  for (const state of states) {
    const irrevocable = isIrrevocable(app, state.entry);
    const horizonMs = irrevocable ? Math.min(untilMs, nowMs + SWEEP_IRREVOCABLE_HORIZON_SECONDS * 1000) : untilMs;
    if (state.recalled.length > 0 || state.nextDueMs === null || state.nextDueMs <= horizonMs)
      works.set(state, { state, irrevocable, gone: new Set(), ticks: [], next: state, sent: 0, lastError: null });
  }
  const all = [...works.values()];
  await takeBackRecalled(all, app);
  for (const work of all) {
    const horizonMs = work.irrevocable ? Math.min(untilMs, nowMs + SWEEP_IRREVOCABLE_HORIZON_SECONDS * 1000) : untilMs;
    const { ticks, state } = advance(work.state, nowMs, horizonMs, work.gone);
    work.ticks = ticks;
    work.next = state;
    work.lastError = state.lastError;
  }
  await sendTicks(all, app, ports);
  const moved = await writeMoved(all, app, ports);
  return states.map((state) => {
    const work = works.get(state);
    if (work === undefined) return { ticks: 0, moved: false };
    return 'error' in work
      ? { ticks: 0, moved: false, error: work.error }
      : { ticks: work.sent, moved: moved.has(work) };
  });
}

/** The same for one. @throws what kept it from being sent or written */
export async function emit(state: ScheduleState, app: App, ports: Ports, untilMs: number): Promise<void> {
  const [emitted] = await emitAll([state], app, ports, untilMs);
  if (emitted !== undefined && 'error' in emitted) throw emitted.error;
}

async function takeBackRecalled(works: readonly Work[], app: App): Promise<void> {
  const recalled = works.flatMap((work) => work.state.recalled.map((tick) => ({ work, tick })));
  await mapConcurrently(recalled, WIDTH, async ({ work, tick }) => {
    try {
      // What had run already must not run again under another version.
      if ((await revoke(work.state.entry.name, tick, app)) !== REVOKED) work.gone.add(tick.dueMs);
    } catch (error) {
      work.error = error;
    }
  });
}

function revoke(entry: string, { version, dueMs }: Recalled, app: App): Promise<string> {
  return new AsyncResult(tickId(entry, dueMs, version), app).revoke();
}

async function sendTicks(works: readonly Work[], app: App, ports: Ports): Promise<void> {
  const open = works
    .filter((work) => !('error' in work))
    .flatMap((work) => work.ticks.filter((tick) => !work.gone.has(tick)).map((tick) => ({ work, tick })));
  for (let start = 0; start < open.length; start += WINDOW) {
    const window: { readonly work: Work; readonly prepared: Prepared }[] = [];
    for (const { work, tick } of open.slice(start, start + WINDOW)) {
      const prepared = prepareOne(work, tick, app, ports);
      if (prepared !== undefined) window.push({ work, prepared });
    }
    await sendWindow(window, app, ports);
  }
}

function prepareOne(work: Work, tick: number, app: App, ports: Ports): Prepared | undefined {
  const { entry, tickVersion } = work.state;
  if (work.lastError !== null || 'error' in work) return undefined;
  try {
    return prepareTick(app, entry, tick, tickVersion).prepared;
  } catch (error) {
    // It would fail at the next sweep too: as in Celery the tick is passed over, and the entry says why.
    if (CeleriacError.is(error)) {
      work.lastError = error.message;
      ports.logger.log('error', `Schedule entry '${entry.name}' cannot be sent: ${errorLine(error)}`, {
        entry: entry.name,
      });
    } else work.error = error;
    return undefined;
  }
}

async function sendWindow(
  window: readonly { readonly work: Work; readonly prepared: Prepared }[],
  app: App,
  ports: Ports,
): Promise<void> {
  try {
    const outcomes = await dispatch(
      window.map(({ prepared }) => prepared),
      ports,
      app.settings,
    );
    for (const [index, outcome] of outcomes.entries()) {
      const work = window[index]?.work;
      if (work === undefined) continue;
      if (outcome.ok) work.sent += 1;
      else
        work.error = new OperationalError(
          `A tick of schedule entry '${work.state.entry.name}' was not sent: ${outcome.code}: ${outcome.message}`,
          { cause: outcome.cause, retryable: outcome.retryable },
        );
    }
  } catch (error) {
    for (const { work } of window) work.error = error;
  }
}

/** Entries of which every tick was sent. */
async function writeMoved(works: readonly Work[], app: App, ports: Ports): Promise<Set<Work>> {
  const done = works.filter((work) => !('error' in work));
  const moved = new Set<Work>();
  if (done.length === 0) return moved;
  try {
    const written = await ports.schedules.write(
      done.map(({ next, lastError }) => itemOf({ ...next, recalled: [], lastError })),
    );
    for (const [index, work] of done.entries()) if (written[index] === true) moved.add(work);
  } catch (error) {
    for (const work of done) work.error = error;
    return moved;
  }
  const overtaken = done.filter((work) => !moved.has(work));
  await mapConcurrently(overtaken, WIDTH, async (work) => {
    try {
      if (work.irrevocable) await noteSent(work, ports);
      else await takeBackIfEdited(work, app, ports);
    } catch (error) {
      work.error = error;
    }
  });
  return moved;
}

/** Another sweeper was quicker, which is well; or people were, and what was just sent is no longer meant. */
async function takeBackIfEdited({ state, ticks }: Work, app: App, ports: Ports): Promise<void> {
  const { name } = state.entry;
  const [item] = await ports.schedules.read([name]);
  if (item !== undefined && stateOf(item).tickVersion === state.tickVersion) return;
  const nowMs = ports.clock.nowMs();
  const ahead = ticks.filter((dueMs) => dueMs > nowMs);
  await mapConcurrently(ahead, WIDTH, (dueMs) => revoke(name, { version: state.tickVersion, dueMs }, app));
}

// Writes that others overtook: each of them is an edit by hand.
const NOTE_ATTEMPTS = 5;

/** An edit was quicker, and what was just sent will run all the same: the edited entry must not send it once more. */
async function noteSent({ state: { entry }, ticks }: Work, ports: Ports): Promise<void> {
  for (let attempt = 0; attempt < NOTE_ATTEMPTS; attempt += 1) {
    const [item] = await ports.schedules.read([entry.name]);
    if (item === undefined) return;
    const state = stateOf(item);
    // The entry is past the others: another sweeper has noted them.
    const fromMs = Math.min(state.nextDueMs ?? Infinity, ports.clock.nowMs());
    const open = ticks.filter((tick) => tick >= fromMs && !state.emitted.includes(tick));
    if (open.length === 0) return;
    const emitted = [...state.emitted, ...open].toSorted((left, right) => left - right);
    const [done] = await ports.schedules.write([itemOf({ ...state, emitted })]);
    if (done === true) return;
  }
}
