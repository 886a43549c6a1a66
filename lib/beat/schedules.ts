/** `app.schedules`: entries that people read and change while the app is deployed and runs. */
import { shown } from '../duration.ts';
import { InvalidOption, InvalidSchedule, ScheduleConflict, ScheduleNotFound } from '../errors.ts';
import { sendCall } from '../enqueue.ts';
import { SWEEP_HORIZON_SECONDS } from '../limits.ts';
import type { Ports } from '../ports.ts';
import type { Producer } from '../producer.ts';
import type { AsyncResult } from '../result.ts';
import { byBytes } from '../schedule-ports.ts';
import { type BeatEntry, checkedEntryName, resolveEntry, type ScheduleEntry } from '../schedules/entry.ts';
import { integerIn } from '../option-checks.ts';
import { fromSignatureOptions } from '../signature-options.ts';
import { checkArguments, checkEntry } from './check-entry.ts';
import { type Fixture, fixtureOf, readFixture } from './fixture.ts';
import type { BeatPlan } from './plan.ts';
import {
  changed,
  deleted,
  firstState,
  itemOf,
  reborn,
  refuseNever,
  replaced,
  type ScheduleState,
  stateOf,
} from './schedule-state.ts';
import {
  isShown,
  type ScheduleChange,
  type StoredSchedule,
  updated,
  viewOf,
  withoutReadOnly,
} from './schedule-view.ts';
import { emit } from './sweep-schedules.ts';
import { PERIODIC_TASK_NAME } from './tick.ts';

export type { ScheduleChange } from './schedule-view.ts';

export interface ListOptions {
  /** Names after this one. */
  readonly after?: string;
  /** Default 1,000. */
  readonly limit?: number;
}

// Writes that another writer overtook: beyond this many something else is wrong.
const MAX_ATTEMPTS = 10;
const DEFAULT_LIMIT = 1000;
const MAX_LIMIT = 10_000;
const CHANGE_THERE = 'change it there, or store it under another name';

export class ScheduleBook {
  readonly #producer: Producer;
  readonly #plans: () => readonly BeatPlan[];

  constructor(producer: Producer, plans: () => readonly BeatPlan[]) {
    this.#producer = producer;
    this.#plans = plans;
  }

  /**
   * Stores an entry, new or in place of another. With the `version` that `get` returned, only in place of
   * that very state.
   *
   * @throws InvalidSchedule, InvalidOption, InvalidArguments: nothing is stored then. ScheduleConflict when
   * somebody else changed the entry since.
   */
  async put(name: string, change: ScheduleChange): Promise<StoredSchedule> {
    const entry = await this.#checked(name, withoutReadOnly(change));
    const { version } = change;
    return this.#change(name, (state, nowMs) => {
      if (version !== undefined && state?.version !== version) throw conflict(name, version, state?.version);
      return replaced(state, entry, nowMs);
    });
  }

  /**
   * Changes some fields of a stored entry. Two updates at the same time both take effect.
   *
   * @throws ScheduleNotFound, and what `put` throws.
   */
  async update(name: string, change: Partial<BeatEntry>): Promise<StoredSchedule> {
    return this.#change(name, async (state, nowMs) => {
      if (state === undefined) return undefined;
      const entry = await this.#checked(name, updated(viewOf(state, nowMs), change));
      return changed(state, entry, nowMs);
    });
  }

  async get(name: string): Promise<StoredSchedule | undefined> {
    const ports = await this.#producer.ports();
    const state = await this.#find(checkedEntryName(name), ports);
    return state && viewOf(state, ports.clock.nowMs());
  }

  /** Entries in the order of their names, declared ones beside stored ones. Fewer than `limit`: there are no more. */
  async list(options: ListOptions = {}): Promise<StoredSchedule[]> {
    const limit = integerIn(options.limit ?? DEFAULT_LIMIT, 1, MAX_LIMIT, 'limit');
    const ports = await this.#producer.ports();
    const plans = this.#plans();
    const found: ScheduleState[] = [];
    let more = true;
    let last = options.after;
    while (more && found.length < limit) {
      const items = await ports.schedules.list(last, limit);
      found.push(...items.map(stateOf).filter((state) => isShown(state, plans)));
      more = items.length === limit;
      last = items.at(-1)?.name ?? last;
    }
    const known = new Set(found.map((state) => state.entry.name));
    const isHere = (name: string): boolean =>
      !known.has(name) &&
      (options.after === undefined || byBytes(name, options.after) > 0) &&
      (!more || last === undefined || byBytes(name, last) < 0);
    const nowMs = ports.clock.nowMs();
    const unseen = plans
      .filter(({ name }) => isHere(name))
      .map((plan) => firstState(plan.entry, 'code', plan.way, nowMs));
    return [...found, ...unseen]
      .toSorted((left, right) => byBytes(left.entry.name, right.entry.name))
      .slice(0, limit)
      .map((state) => viewOf(state, nowMs));
  }

  /** Takes effect at once: ticks already on their way are taken back. @throws ScheduleNotFound, InvalidSchedule */
  async enable(name: string): Promise<StoredSchedule> {
    return this.#switch(name, true);
  }

  /** Takes effect at once: ticks already on their way are taken back. @throws ScheduleNotFound */
  async disable(name: string): Promise<StoredSchedule> {
    return this.#switch(name, false);
  }

  /** Deletes a stored entry; ticks already on their way are taken back. @throws ScheduleNotFound; InvalidSchedule for one that code declares. */
  async delete(name: string): Promise<void> {
    await this.#change(name, (state, nowMs) => state && deleted(state, nowMs), 'disable it instead');
  }

  /** Sends the entry's task now, whatever its schedule says. @throws ScheduleNotFound */
  async runNow(name: string): Promise<AsyncResult> {
    const state = await this.#find(checkedEntryName(name), await this.#producer.ports());
    if (state === undefined) throw await this.#notFound(name);
    const { signature } = state.entry;
    const { options, lineage } = fromSignatureOptions(signature.options);
    return sendCall(
      this.#producer,
      signature.task,
      signature.args,
      {
        ...options,
        kwargs: { ...options.kwargs, ...signature.kwargs },
        headers: { ...options.headers, [PERIODIC_TASK_NAME]: name },
      },
      { ...lineage, celeriac: { beat: { entry: name } } },
    );
  }

  /** All stored entries as JSON data, for `load`. */
  async dump(): Promise<Fixture> {
    const entries: StoredSchedule[] = [];
    for (let after: string | undefined; ;) {
      const page = await this.list(after === undefined ? {} : { after });
      entries.push(...page.filter((entry) => entry.source === 'stored'));
      if (page.length < DEFAULT_LIMIT) break;
      after = page.at(-1)?.name;
    }
    return fixtureOf(entries);
  }

  /**
   * Stores the entries of a fixture. `'once'` leaves those that exist as they are, so that edits are kept;
   * `'always'` replaces them.
   *
   * @throws InvalidSchedule and the like before anything is stored.
   */
  async load(
    fixture: Fixture | string,
    { mode = 'once' }: { readonly mode?: 'once' | 'always' } = {},
  ): Promise<{ readonly stored: readonly string[]; readonly kept: readonly string[] }> {
    if (mode !== 'once' && mode !== 'always')
      throw new InvalidOption(`mode: ${shown(mode)} given; 'once' or 'always' is allowed.`);
    const ports = await this.#producer.ports();
    const [wanted, kept]: [ScheduleEntry[], string[]] = [[], []];
    for (const [name, given] of Object.entries(readFixture(fixture))) {
      const entry = await this.#checked(name, given);
      const state = await this.#find(name, ports);
      if (state !== undefined && mode === 'once') {
        kept.push(name);
        continue;
      }
      if (state !== undefined) refuseDeclared(state, CHANGE_THERE);
      refuseNever(replaced(state, entry, ports.clock.nowMs()), ports.clock.nowMs());
      wanted.push(entry);
    }
    for (const entry of wanted) await this.#change(entry.name, (state, nowMs) => replaced(state, entry, nowMs));
    return { stored: wanted.map(({ name }) => name), kept };
  }

  // ------------------------------------------------------------------ parts

  async #checked(name: string, given: BeatEntry): Promise<ScheduleEntry> {
    const entry = resolveEntry(name, given, this.#producer.settings.timezone);
    checkEntry(entry, this.#producer);
    return checkArguments(entry, this.#producer);
  }

  async #switch(name: string, enabled: boolean): Promise<StoredSchedule> {
    const view = await this.#change(
      name,
      (state, nowMs) => {
        if (state === undefined) return undefined;
        const next = changed(state, { ...state.entry, enabled }, nowMs);
        return state.source === 'code' ? { ...next, choice: enabled } : next;
      },
      null,
    );
    if (view.way === 'rule') {
      const { rules } = await this.#producer.ports();
      if (rules !== undefined) await rules.setEnabled(name, enabled);
    }
    return view;
  }

  /**
   * Reads, changes and writes until nobody was quicker, then takes back what the old state sent ahead and
   * sends what the new one wants: at once, since the next sweep may come after the first tick.
   *
   * @param instead what to do with an entry that code declares; null: it may be changed too.
   */
  async #change(
    name: string,
    change: (state: ScheduleState | undefined, nowMs: number) => Wanted | Promise<Wanted>,
    instead: string | null = CHANGE_THERE,
  ): Promise<StoredSchedule> {
    const ports = await this.#producer.ports();
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const held = await this.#read(checkedEntryName(name), ports);
      const state = held?.deleted === true ? undefined : held;
      if (state !== undefined && instead !== null) refuseDeclared(state, instead);
      const nowMs = ports.clock.nowMs();
      const wanted = await change(state, nowMs);
      const untilMs = nowMs + SWEEP_HORIZON_SECONDS * 1000;
      if (wanted === undefined) {
        // What was deleted by a process that did not come to its end.
        if (held !== undefined && held.recalled.length > 0) await emit(held, this.#producer, ports, untilMs);
        throw await this.#notFound(name);
      }
      refuseNever(wanted, nowMs);
      const next = held?.deleted === true ? reborn(wanted, held) : wanted;
      if (!(await ports.schedules.write(itemOf(next)))) continue;
      const written = { ...next, revision: next.revision + 1 };
      if (written.recalled.length > 0 || (written.nextDueMs !== null && written.nextDueMs <= untilMs))
        await emit(written, this.#producer, ports, untilMs);
      return viewOf((await this.#find(name, ports)) ?? written, nowMs);
    }
    throw conflict(name, undefined, undefined);
  }

  async #find(name: string, ports: Ports): Promise<ScheduleState | undefined> {
    const state = await this.#read(name, ports);
    return state?.deleted === true ? undefined : state;
  }

  /** Deleted ones too. */
  async #read(name: string, ports: Ports): Promise<ScheduleState | undefined> {
    const [item] = await ports.schedules.read([name]);
    const state = item && stateOf(item);
    if (state?.deleted === false) return state;
    const plan = this.#plans().find((candidate) => candidate.name === name);
    if (plan === undefined) return state;
    const first = firstState(plan.entry, 'code', plan.way, ports.clock.nowMs());
    return state === undefined ? first : reborn(first, state);
  }

  async #notFound(name: string): Promise<ScheduleNotFound> {
    const some = (await this.list({ limit: 20 })).map((entry) => entry.name);
    return new ScheduleNotFound(
      `There is no schedule entry '${name}'. There ${some.length === 0 ? 'are none' : `are: ${some.join(', ')}`}.`,
    );
  }
}

type Wanted = ScheduleState | undefined;

function refuseDeclared(state: ScheduleState, instead: string): void {
  if (state.source === 'stored') return;
  throw new InvalidSchedule(`entry '${state.entry.name}' is declared in code: ${instead}.`);
}

function conflict(name: string, wanted: number | undefined, found: number | undefined): ScheduleConflict {
  const versions = wanted === undefined ? '' : ` Version ${wanted} was read, ${found ?? 'none'} is stored.`;
  return new ScheduleConflict(
    `Schedule entry '${name}' was changed by somebody else meanwhile.${versions} Read it again and repeat the change.`,
  );
}
