/**
 * The sweep of schedule entries: due marks -> ticks -> entries on. Ticks are sent before the entry is
 * written, with ids that the entry and the time decide: a crash, a doubled firing or a second sweeper
 * sends them again, and they run once.
 */
import { errorLine, errorMessage } from '../error-text.ts';
import { CeleriacError, OperationalError } from '../errors.ts';
import { SWEEP_HORIZON_SECONDS, SWEEP_IRREVOCABLE_HORIZON_SECONDS } from '../limits.ts';
import type { DueMark, Ports, ScheduleItem } from '../ports.ts';
import type { Producer } from '../producer.ts';
import { dispatch, type Prepared } from '../publish.ts';
import { AsyncResult } from '../result.ts';
import { sideBySide } from '../side-by-side.ts';
import { REVOKED } from '../states.ts';
import { advance, isForgotten, itemOf, type Recalled, type ScheduleState, stateOf } from './schedule-state.ts';
import { isIrrevocable, prepareTick, tickId } from './tick.ts';

export interface BeatReport {
  /** Ticks sent. */
  readonly ticks: number;
  /** Entries whose ticks could not be sent now; the next sweep tries again. */
  readonly failed: number;
}

// Marks read at once, as many entries as one BatchGetItem returns.
const PAGE = 100;
// Longer than any edit takes between its mark and its entry.
const STALE_MARK_MS = 300_000;
// Entries advanced side by side: each is a few requests.
const WIDTH = 16;

export async function sweepSchedules(
  producer: Producer,
  ports: Ports,
  declared: ReadonlySet<string>,
  horizonSeconds: number = SWEEP_HORIZON_SECONDS,
): Promise<BeatReport> {
  const untilMs = ports.clock.nowMs() + horizonSeconds * 1000;
  const report = { ticks: 0, failed: 0 };
  let after: DueMark | undefined;
  for (;;) {
    const marks = await ports.schedules.due(untilMs, PAGE, after);
    if (marks.length > 0) {
      const items = await ports.schedules.read(marks.map((mark) => mark.name));
      const done = await sideBySide(marks, WIDTH, (mark, index) =>
        sweepOne(mark, items[index], producer, ports, declared, untilMs),
      );
      await ports.schedules.dropMarks(marks.filter((_, index) => done[index]?.drop === true));
      for (const { ticks, failed } of done) {
        report.ticks += ticks;
        if (failed === true) report.failed += 1;
      }
    }
    after = marks.at(-1);
    if (marks.length < PAGE || after === undefined) return report;
  }
}

interface Swept {
  readonly ticks: number;
  /** The mark has served. */
  readonly drop: boolean;
  readonly failed?: boolean;
}

async function sweepOne(
  mark: DueMark,
  item: ScheduleItem | undefined,
  producer: Producer,
  ports: Ports,
  declared: ReadonlySet<string>,
  untilMs: number,
): Promise<Swept> {
  // The entry was deleted or moved on: the mark is what a crash or an edit left behind.
  // Not at once: an edit that is about to write this very mark would lose it.
  if (item === undefined || item.nextDueMs !== mark.dueMs)
    return { ticks: 0, drop: ports.clock.nowMs() - mark.dueMs > STALE_MARK_MS };
  try {
    const state = stateOf(item);
    if (isForgotten(state)) return { ticks: 0, drop: await ports.schedules.remove(item.name, item.revision) };
    if (state.source === 'code' && !declared.has(item.name)) {
      ports.logger.log('info', `Schedule entry '${item.name}' is no longer declared; removed`);
      return { ticks: 0, drop: await ports.schedules.remove(item.name, item.revision) };
    }
    return await emit(state, producer, ports, untilMs);
  } catch (error) {
    ports.logger.log('error', `Schedule entry '${item.name}' was not swept: ${errorMessage(error)}`, {
      entry: item.name,
    });
    return { ticks: 0, drop: false, failed: true };
  }
}

/** Takes back what an edit recalled, sends what is due of one entry, and stores the entry behind it. */
export async function emit(state: ScheduleState, producer: Producer, ports: Ports, untilMs: number): Promise<Swept> {
  const nowMs = ports.clock.nowMs();
  const irrevocable = isIrrevocable(producer, state.entry);
  const horizonMs = irrevocable ? Math.min(untilMs, nowMs + SWEEP_IRREVOCABLE_HORIZON_SECONDS * 1000) : untilMs;
  if (state.recalled.length === 0 && state.nextDueMs !== null && state.nextDueMs > horizonMs)
    return { ticks: 0, drop: false };
  const gone = await takeBack(state.entry.name, state.recalled, producer);
  const { ticks, state: next } = advance(state, nowMs, horizonMs, gone);
  let prepared: Prepared[];
  let lastError = next.lastError;
  try {
    prepared = ticks
      .filter((tick) => !gone.has(tick))
      .map((tick) => prepareTick(producer, state.entry, tick, state.tickVersion).prepared);
  } catch (error) {
    if (!CeleriacError.is(error)) throw error;
    // It would fail at the next sweep too: as in Celery the tick is passed over, and the entry says why.
    prepared = [];
    lastError = error.message;
    ports.logger.log('error', `Schedule entry '${state.entry.name}' cannot be sent: ${errorLine(error)}`, {
      entry: state.entry.name,
    });
  }
  const outcomes = await dispatch(prepared, ports, producer.settings);
  const failure = outcomes.find((outcome) => !outcome.ok);
  if (failure !== undefined && !failure.ok)
    throw new OperationalError(
      `A tick of schedule entry '${state.entry.name}' was not sent: ${failure.code}: ${failure.message}`,
      { cause: failure.cause, retryable: failure.retryable },
    );
  const drop = await ports.schedules.write(itemOf({ ...next, recalled: [], lastError }));
  if (!drop && irrevocable) await noteSent(state.entry.name, ticks, ports);
  else if (!drop) await takeBackIfEdited(state, ticks, producer, ports);
  return { ticks: prepared.length, drop };
}

/** Another sweeper was quicker, which is well; or people were, and what was just sent is no longer meant. */
async function takeBackIfEdited(
  state: ScheduleState,
  ticks: readonly number[],
  producer: Producer,
  ports: Ports,
): Promise<void> {
  const [item] = await ports.schedules.read([state.entry.name]);
  if (item !== undefined && stateOf(item).tickVersion === state.tickVersion) return;
  const nowMs = ports.clock.nowMs();
  const ahead = ticks.filter((dueMs) => dueMs > nowMs).map((dueMs) => ({ version: state.tickVersion, dueMs }));
  await takeBack(state.entry.name, ahead, producer);
}

// Writes that others overtook: each of them is an edit by hand.
const NOTE_ATTEMPTS = 5;

/** An edit was quicker, and what was just sent will run all the same: the edited entry must not send it once more. */
async function noteSent(name: string, ticks: readonly number[], ports: Ports): Promise<void> {
  for (let attempt = 0; attempt < NOTE_ATTEMPTS; attempt += 1) {
    const [item] = await ports.schedules.read([name]);
    if (item === undefined) return;
    const state = stateOf(item);
    // The entry is past the others: another sweeper has noted them.
    const fromMs = Math.min(state.nextDueMs ?? Infinity, ports.clock.nowMs());
    const open = ticks.filter((tick) => tick >= fromMs && !state.emitted.includes(tick));
    if (open.length === 0) return;
    const emitted = [...state.emitted, ...open].toSorted((left, right) => left - right);
    if (await ports.schedules.write(itemOf({ ...state, emitted }))) return;
  }
}

/** Revokes ticks. Returns those that had run already: the same instant must not run again under another version. */
async function takeBack(entry: string, recalled: readonly Recalled[], producer: Producer): Promise<Set<number>> {
  const states = await Promise.all(
    recalled.map(({ version, dueMs }) => new AsyncResult(tickId(entry, dueMs, version), producer).revoke()),
  );
  return new Set(recalled.filter((_, index) => states[index] !== REVOKED).map(({ dueMs }) => dueMs));
}
