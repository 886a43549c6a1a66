/** Storing many entries: read, written and sent in batches. */
import { ScheduleConflict } from '../base/errors.ts';
import { DYNAMODB_MAX_BATCH_GETS, SWEEP_HORIZON_SECONDS } from '../base/limits.ts';
import type { Ports } from '../ports/ports.ts';
import type { ScheduleEntry } from './entry.ts';
import { refuseExisting } from './change-checks.ts';
import {
  type BookParts,
  type Change,
  CHANGE_THERE,
  changeEntry,
  entryOf,
  refuseDeclared,
  sentAhead,
} from './change-entry.ts';
import { storedAnew, replaced } from './edit-state.ts';
import { emitAll } from './emit.ts';
import { itemOf, refuseNever, type ScheduleState } from './schedule-state.ts';

/** Names of the entries. */
export interface Loaded {
  /** They were written: made, or with mode `'always'` replaced. */
  readonly stored: readonly string[];
  /** They were there already. */
  readonly kept: readonly string[];
}

interface Planned {
  readonly entry: ScheduleEntry;
  /** undefined: it stays as it is. */
  readonly next: ScheduleState | undefined;
}

/** @throws InvalidSchedule before anything is stored */
export async function loadEntries(
  book: BookParts,
  wanted: readonly ScheduleEntry[],
  mode: 'once' | 'always',
): Promise<Loaded> {
  const ports = await book.app.ports();
  const nowMs = ports.clock.nowMs();
  const items = await ports.schedules.read(wanted.map(({ name }) => name));
  const planned = wanted.map((entry, index): Planned => {
    const held = entryOf(book, entry.name, items[index], nowMs);
    const state = held?.deleted === true ? undefined : held;
    if (state !== undefined && mode === 'once') return { entry, next: undefined };
    if (state !== undefined) refuseDeclared(state, CHANGE_THERE);
    const next = { ...replaced(state, entry, nowMs, sentAhead(state, book.app)), changedBy: null };
    refuseNever(next, nowMs);
    return { entry, next: held?.deleted === true ? storedAnew(next, held) : next };
  });
  const kept = new Set<string>();
  for (let start = 0; start < planned.length; start += DYNAMODB_MAX_BATCH_GETS)
    for (const name of await storePage(book, ports, planned.slice(start, start + DYNAMODB_MAX_BATCH_GETS), mode))
      kept.add(name);
  const names = wanted.map(({ name }) => name);
  return { stored: names.filter((name) => !kept.has(name)), kept: names.filter((name) => kept.has(name)) };
}

/** Gives the names of those that stay as they are. */
async function storePage(
  book: BookParts,
  ports: Ports,
  page: readonly Planned[],
  mode: 'once' | 'always',
): Promise<string[]> {
  const states = page.flatMap(({ next }) => next ?? []);
  const written = states.length === 0 ? [] : await ports.schedules.write(states.map(itemOf));
  const kept = page.filter(({ next }) => next === undefined).map(({ entry }) => entry.name);
  const untilMs = ports.clock.nowMs() + SWEEP_HORIZON_SECONDS * 1000;
  const due = states
    .filter((_, index) => written[index] === true)
    .map((state) => ({ ...state, revision: state.revision + 1 }))
    .filter((state) => state.recalled.length > 0 || (state.nextDueMs !== null && state.nextDueMs <= untilMs));
  const failed = (await emitAll(due, book.app, ports, untilMs)).find((emitted) => 'error' in emitted);
  if (failed !== undefined) throw failed.error;
  for (const { entry } of states.filter((_, index) => written[index] !== true))
    if (!(await storeOne(book, entry, mode))) kept.push(entry.name);
  return kept;
}

/** Somebody wrote it meanwhile. */
async function storeOne(book: BookParts, entry: ScheduleEntry, mode: 'once' | 'always'): Promise<boolean> {
  try {
    const change: Change = (state, nowMs, sent) => {
      if (mode === 'once') refuseExisting(entry.name, state, entry.name);
      return replaced(state, entry, nowMs, sent);
    };
    await changeEntry(book, entry.name, change, undefined);
    return true;
  } catch (error) {
    if (mode === 'always' || !ScheduleConflict.is(error)) throw error;
    return false;
  }
}
