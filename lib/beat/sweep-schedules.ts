/** The sweep of schedule entries: due marks -> ticks -> entries on. */
import { errorMessage } from '../base/error-text.ts';
import { SWEEP_HORIZON_SECONDS } from '../base/limits.ts';
import type { DueMark, ScheduleItem } from '../ports/schedules.ts';
import type { Ports } from '../ports/ports.ts';
import type { App } from '../producer/app.ts';
import { emitAll } from './emit.ts';
import { isForgotten, type ScheduleState, stateOf } from './schedule-state.ts';

export interface BeatReport {
  /** Ticks sent. */
  readonly ticks: number;
  /** Entries whose ticks could not be sent now; the next sweep tries again. */
  readonly failed: number;
}

interface Sweep {
  readonly app: App;
  readonly ports: Ports;
  /** Names of the entries that code declares. */
  readonly declared: ReadonlySet<string>;
  readonly untilMs: number;
}

// Marks read at once, as many entries as one BatchGetItem returns.
const PAGE = 100;
// Longer than any edit takes between its mark and its entry.
const STALE_MARK_MS = 300_000;

export async function sweepSchedules(
  app: App,
  ports: Ports,
  declared: ReadonlySet<string>,
  horizonSeconds: number = SWEEP_HORIZON_SECONDS,
): Promise<BeatReport> {
  const sweep = { app, ports, declared, untilMs: ports.clock.nowMs() + horizonSeconds * 1000 };
  const report = { ticks: 0, failed: 0 };
  let after: DueMark | undefined;
  for (;;) {
    const marks = await ports.schedules.due(sweep.untilMs, PAGE, after);
    if (marks.length > 0) {
      const { ticks, failed } = await sweepPage(marks, sweep);
      report.ticks += ticks;
      report.failed += failed;
    }
    after = marks.at(-1);
    if (marks.length < PAGE || after === undefined) return report;
  }
}

async function sweepPage(marks: readonly DueMark[], sweep: Sweep): Promise<BeatReport> {
  const { app, ports, untilMs } = sweep;
  const items = await ports.schedules.read(marks.map((mark) => mark.name));
  const served: DueMark[] = [];
  const due: { readonly mark: DueMark; readonly state: ScheduleState }[] = [];
  let [ticks, failed] = [0, 0];
  const fail = (name: string, error: unknown): void => {
    failed += 1;
    ports.logger.log('error', `Schedule entry '${name}' was not swept: ${errorMessage(error)}`, { entry: name });
  };
  for (const [index, mark] of marks.entries()) {
    try {
      const found = await look(mark, items[index], sweep);
      if (found === 'served') served.push(mark);
      else if (found !== undefined) due.push({ mark, state: found });
    } catch (error) {
      fail(mark.name, error);
    }
  }
  const states = due.map(({ state }) => state);
  for (const [index, emitted] of (await emitAll(states, app, ports, untilMs)).entries()) {
    const mark = due[index]?.mark;
    if (mark === undefined) continue;
    if ('error' in emitted) fail(mark.name, emitted.error);
    else ticks += emitted.ticks;
    if (emitted.moved) served.push(mark);
  }
  await ports.schedules.dropMarks(served);
  return { ticks, failed };
}

/** The entry behind a mark, if it has something to do; or that the mark has served. */
async function look(
  mark: DueMark,
  item: ScheduleItem | undefined,
  { ports, declared }: Sweep,
): Promise<ScheduleState | 'served' | undefined> {
  // The entry was deleted or moved on: the mark is what a crash or an edit left behind.
  // Not at once: an edit that is about to write this very mark would lose it.
  if (item === undefined || item.nextDueMs !== mark.dueMs)
    return ports.clock.nowMs() - mark.dueMs > STALE_MARK_MS ? 'served' : undefined;
  const state = stateOf(item);
  const undeclared = state.source === 'code' && !declared.has(item.name);
  if (!undeclared && !isForgotten(state)) return state;
  if (undeclared) ports.logger.log('info', `Schedule entry '${item.name}' is no longer declared; removed`);
  return (await ports.schedules.remove(item.name, item.revision)) ? 'served' : undefined;
}
