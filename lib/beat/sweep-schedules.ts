/** The sweep of schedule entries: what is due -> ticks -> entries on. */
import { errorMessage } from '../base/error-text.ts';
import { SWEEP_HORIZON_SECONDS } from '../base/limits.ts';
import type { DueEntry } from '../ports/schedules.ts';
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

/** By name, what fires them. */
export type Declared = ReadonlyMap<string, ScheduleState['firedBy']>;

interface Sweep {
  readonly app: App;
  readonly ports: Ports;
  /** The entries that code declares. */
  readonly declared: Declared;
  readonly untilMs: number;
}

// As many entries as one BatchGetItem returns.
const PAGE = 100;
// Longer than any edit takes between the two that it writes: when the entry is due, and the entry.
const STALE_MS = 300_000;

export async function sweepSchedules(
  app: App,
  ports: Ports,
  declared: Declared,
  horizonSeconds: number = SWEEP_HORIZON_SECONDS,
): Promise<BeatReport> {
  const sweep = { app, ports, declared, untilMs: ports.clock.nowMs() + horizonSeconds * 1000 };
  const report = { ticks: 0, failed: 0 };
  await ports.schedules.eachDue(sweep.untilMs, PAGE, (page) => sweepPage(page, sweep, report));
  return report;
}

/** Gives what has been dealt with. */
async function sweepPage(
  page: readonly DueEntry[],
  sweep: Sweep,
  report: { ticks: number; failed: number },
): Promise<DueEntry[]> {
  const { app, ports, untilMs } = sweep;
  const done: DueEntry[] = [];
  const due: { readonly found: DueEntry; readonly state: ScheduleState }[] = [];
  const fail = (name: string, error: unknown): void => {
    report.failed += 1;
    ports.logger.log('error', `Schedule entry '${name}' was not swept: ${errorMessage(error)}`, { entry: name });
  };
  for (const found of page) {
    try {
      const state = await look(found, sweep);
      if (state === 'done') done.push(found);
      else if (state !== undefined) due.push({ found, state });
    } catch (error) {
      fail(found.name, error);
    }
  }
  const states = due.map(({ state }) => state);
  for (const [index, emitted] of (await emitAll(states, app, ports, untilMs)).entries()) {
    const found = due[index]?.found;
    if (found === undefined) continue;
    if ('error' in emitted) fail(found.name, emitted.error);
    else report.ticks += emitted.ticks;
    if (emitted.moved) done.push(found);
  }
  return done;
}

/** The entry, if it has something to do; or that it needs no look any more. */
async function look(
  { item, dueMs }: DueEntry,
  { ports, declared }: Sweep,
): Promise<ScheduleState | 'done' | undefined> {
  // The entry was deleted or moved on: a crash or an edit left this behind.
  // Not at once: an edit that is about to write this very time would lose it.
  if (item === undefined || item.nextDueMs !== dueMs)
    return ports.clock.nowMs() - dueMs > STALE_MS ? 'done' : undefined;
  const state = stateOf(item);
  const undeclared = state.source === 'code' && !declared.has(item.name);
  // It could not be brought in step, for instance since its rule could not be switched: the rule fires it, and what people
  // chose stays written down until that succeeds.
  if (state.source === 'code' && state.firedBy === 'sweep' && declared.get(item.name) === 'rule') return undefined;
  if (!undeclared && !isForgotten(state)) return state;
  if (undeclared)
    ports.logger.log('info', `Schedule entry '${item.name}' is no longer declared; removed`, { entry: item.name });
  return (await ports.schedules.remove(item.name, item.revision)) ? 'done' : undefined;
}
