/** Reading one entry and changing it, whoever else does so meanwhile. */
import { InvalidSchedule, ScheduleConflict, ScheduleNotFound } from '../base/errors.ts';
import { SWEEP_HORIZON_SECONDS } from '../base/limits.ts';
import type { Ports } from '../ports/ports.ts';
import type { ScheduleItem } from '../ports/schedules.ts';
import type { App } from '../producer/app.ts';
import { checkedEntryName } from './entry.ts';
import { type SentAhead, storedAnew } from './edit-state.ts';
import type { BeatPlan } from './plan.ts';
import { firstState, itemOf, refuseNever, type ScheduleState, stateOf } from './schedule-state.ts';
import { type StoredSchedule, viewOf } from './schedule-view.ts';
import { emit } from './emit.ts';
import { isIrrevocable } from './tick.ts';

export type Wanted = ScheduleState | undefined;

/** What is to become of an entry. undefined: it has to be there, and is not. May be asked several times. */
export type Change = (state: Wanted, nowMs: number, sent: SentAhead) => Wanted | Promise<Wanted>;

/** What an edit works with. */
export interface BookParts {
  readonly app: App;
  readonly plans: () => readonly BeatPlan[];
}

// Writes that another writer overtook: beyond this many something else is wrong.
const MAX_ATTEMPTS = 10;
export const CHANGE_THERE = 'change it there, or store it under another name';

/**
 * Reads, changes and writes until nobody was quicker, then takes back what the old state sent ahead and
 * sends what the new one wants: at once, since the next sweep may come after the first tick.
 *
 * @param by who changes it, where that is known
 * @param instead what to do with an entry that code declares; null: it may be changed too.
 */
export async function changeEntry(
  book: BookParts,
  name: string,
  change: Change,
  by: string | undefined,
  instead: string | null = CHANGE_THERE,
): Promise<StoredSchedule> {
  const { app } = book;
  const ports = await app.ports();
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    const held = await readEntry(book, checkedEntryName(name), ports);
    const state = held?.deleted === true ? undefined : held;
    if (state !== undefined && instead !== null) refuseDeclared(state, instead);
    const nowMs = ports.clock.nowMs();
    const wanted = await change(state, nowMs, sentAhead(state, app));
    const untilMs = nowMs + SWEEP_HORIZON_SECONDS * 1000;
    if (wanted === undefined) {
      // What was deleted by a process that did not come to its end.
      if (held !== undefined && held.recalled.length > 0) await emit(held, app, ports, untilMs);
      throw await notFound(book, name, ports);
    }
    if (wanted === state) return viewOf(wanted, nowMs);
    refuseNever(wanted, nowMs);
    const next = { ...(held?.deleted === true ? storedAnew(wanted, held) : wanted), changedBy: by ?? null };
    const [done] = await ports.schedules.write([itemOf(next)]);
    if (done !== true) continue;
    const written = { ...next, revision: next.revision + 1 };
    if (written.recalled.length > 0 || (written.nextDueMs !== null && written.nextDueMs <= untilMs))
      await emit(written, app, ports, untilMs);
    return viewOf((await findEntry(book, name, ports)) ?? written, nowMs);
  }
  throw new ScheduleConflict(
    `Schedule entry '${name}' was changed by somebody else meanwhile, ${MAX_ATTEMPTS} times. Read it again and repeat the change.`,
  );
}

export function sentAhead(state: Wanted, app: App): SentAhead {
  return { irrevocable: state !== undefined && isIrrevocable(app, state.entry) };
}

/** What is there for readers: stored, or declared and not yet seen by a sweep. */
export async function findEntry(book: BookParts, name: string, ports: Ports): Promise<Wanted> {
  const state = await readEntry(book, name, ports);
  return state?.deleted === true ? undefined : state;
}

/** Deleted ones too. */
async function readEntry(book: BookParts, name: string, ports: Ports): Promise<Wanted> {
  const [item] = await ports.schedules.read([name]);
  return entryOf(book, name, item, ports.clock.nowMs());
}

/** The state behind a stored item or, where there is none, behind what code declares. */
export function entryOf({ plans }: BookParts, name: string, item: ScheduleItem | undefined, nowMs: number): Wanted {
  const state = item && stateOf(item);
  if (state?.deleted === false) return state;
  const plan = plans().find((candidate) => candidate.name === name);
  if (plan === undefined) return state;
  const first = firstState(plan.entry, 'code', plan.firedBy, nowMs);
  return state === undefined ? first : storedAnew(first, state);
}

/** @throws InvalidSchedule for an entry that code declares. */
export function refuseDeclared(state: ScheduleState, instead: string): void {
  if (state.source === 'stored') return;
  throw new InvalidSchedule(`entry '${state.entry.name}' is declared in code: ${instead}.`);
}

const SHOWN_NAMES = 20;

export async function notFound({ plans }: BookParts, name: string, ports: Ports): Promise<ScheduleNotFound> {
  const stored = (await ports.schedules.list(undefined, SHOWN_NAMES)).map(stateOf).filter((state) => !state.deleted);
  const names = new Set([...stored.map(({ entry }) => entry.name), ...plans().map((plan) => plan.name)]);
  const some = [...names].slice(0, SHOWN_NAMES).join(', ');
  return new ScheduleNotFound(
    `There is no schedule entry '${name}'. There ${some === '' ? 'are none' : `are: ${some}`}.`,
  );
}
