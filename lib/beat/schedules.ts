/** `app.schedules`: entries that people read and change while the app is deployed and runs. */
import { InvalidSchedule, ScheduleConflict, ScheduleNotFound } from '../errors.ts';
import { sendCall } from '../enqueue.ts';
import { SWEEP_HORIZON_SECONDS } from '../limits.ts';
import type { Ports } from '../ports.ts';
import type { Producer } from '../producer.ts';
import type { AsyncResult } from '../result.ts';
import { type BeatEntry, checkedEntryName, resolveEntry, type ScheduleEntry } from '../schedules/entry.ts';
import { fromSignatureOptions } from '../signature-options.ts';
import { checkArguments, checkEntry } from './check-entry.ts';
import { type Fixture, fixtureOf, readFixture } from './fixture.ts';
import type { BeatPlan } from './plan.ts';
import { changed, firstState, itemOf, type ScheduleState, stateOf } from './schedule-state.ts';
import { type StoredSchedule, viewOf } from './schedule-view.ts';
import { emit, takeBack } from './sweep-schedules.ts';
import { PERIODIC_TASK_NAME } from './tick.ts';

/** A `put` with what was read before: a version says which state it means to replace. */
export type ScheduleChange = BeatEntry & Partial<Pick<StoredSchedule, ReadOnlyField>>;
type ReadOnlyField = Exclude<keyof StoredSchedule, keyof BeatEntry>;

export interface ListOptions {
  /** Names after this one. */
  readonly after?: string;
  /** Default 1,000. */
  readonly limit?: number;
}

const READ_ONLY: ReadonlySet<string> = new Set<ReadOnlyField>([
  'name',
  'source',
  'way',
  'version',
  'changedAt',
  'lastRunAt',
  'totalRunCount',
  'nextTicks',
  'lastError',
]);
// Writes that another writer overtook: beyond this many something else is wrong.
const MAX_ATTEMPTS = 10;
const DEFAULT_LIMIT = 1000;

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
    const { version } = change;
    const entry = await this.#checked(name, withoutReadOnly(change));
    return this.#change(name, (state, nowMs) => {
      if (version !== undefined && state?.version !== version) throw conflict(name, version, state?.version);
      return state === undefined ? firstState(entry, 'stored', 'sweep', nowMs) : changed(state, entry, nowMs);
    });
  }

  /**
   * Changes some fields of a stored entry. Two updates at the same time both take effect.
   *
   * @throws ScheduleNotFound, and what `put` throws.
   */
  async update(name: string, change: Partial<BeatEntry>): Promise<StoredSchedule> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const current = await this.get(name);
      if (current === undefined) throw await this.#notFound(name);
      try {
        return await this.put(name, { ...current, ...change });
      } catch (error) {
        if (!(error instanceof ScheduleConflict)) throw error;
      }
    }
    throw conflict(name, undefined, undefined);
  }

  async get(name: string): Promise<StoredSchedule | undefined> {
    const ports = await this.#producer.ports();
    const state = await this.#find(checkedEntryName(name), ports);
    return state && viewOf(state, ports.clock.nowMs());
  }

  /** Entries in the order of their names, declared ones beside stored ones. */
  async list(options: ListOptions = {}): Promise<StoredSchedule[]> {
    const ports = await this.#producer.ports();
    const limit = options.limit ?? DEFAULT_LIMIT;
    const items = await ports.schedules.list(options.after, limit);
    const plans = this.#plans();
    const states = items.map(stateOf).filter((state) => state.source === 'stored' || isShown(state, plans));
    const last = items.length < limit ? undefined : items.at(-1)?.name;
    const known = new Set(items.map((item) => item.name));
    const unseen = plans.filter(
      ({ name }) =>
        !known.has(name) &&
        (options.after === undefined || name > options.after) &&
        (last === undefined || name < last),
    );
    const nowMs = ports.clock.nowMs();
    return [...states, ...unseen.map((plan) => firstState(plan.entry, 'code', plan.way, nowMs))]
      .toSorted((left, right) => (left.entry.name < right.entry.name ? -1 : 1))
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

  /** Deletes a stored entry. @throws ScheduleNotFound; InvalidSchedule for one that code declares. */
  async delete(name: string): Promise<void> {
    const ports = await this.#producer.ports();
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const state = await this.#find(checkedEntryName(name), ports);
      if (state === undefined) throw await this.#notFound(name);
      refuseDeclared(state, 'disable it instead');
      if (!(await ports.schedules.remove(name, state.revision))) continue;
      await takeBack(state, this.#producer, ports);
      return;
    }
    throw conflict(name, undefined, undefined);
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
    const entries = Object.entries(readFixture(fixture));
    for (const [name, entry] of entries) await this.#checked(name, entry);
    const [stored, kept]: [string[], string[]] = [[], []];
    for (const [name, entry] of entries) {
      if (mode === 'once' && (await this.get(name)) !== undefined) kept.push(name);
      else {
        await this.put(name, entry);
        stored.push(name);
      }
    }
    return { stored, kept };
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
      { declared: true },
    );
    if (view.way === 'rule') {
      const { rules } = await this.#producer.ports();
      if (rules !== undefined) await rules.setEnabled(name, enabled);
    }
    return view;
  }

  /** Reads, changes and writes until nobody was quicker, then takes back what the old state sent ahead and sends what the new one wants. */
  async #change(
    name: string,
    change: (state: ScheduleState | undefined, nowMs: number) => ScheduleState | undefined,
    { declared = false }: { readonly declared?: boolean } = {},
  ): Promise<StoredSchedule> {
    const ports = await this.#producer.ports();
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
      const state = await this.#find(checkedEntryName(name), ports);
      if (state !== undefined && !declared) refuseDeclared(state, 'change it there, or store it under another name');
      const nowMs = ports.clock.nowMs();
      const next = change(state, nowMs);
      if (next === undefined) throw await this.#notFound(name);
      refuseNever(next, nowMs);
      if (!(await ports.schedules.write(itemOf(next)))) continue;
      const written = { ...next, revision: next.revision + 1 };
      const untilMs = nowMs + SWEEP_HORIZON_SECONDS * 1000;
      const gone = state === undefined ? new Set<number>() : await takeBack(state, this.#producer, ports);
      // The next sweep may come after the first tick.
      if (written.nextDueMs !== null && written.nextDueMs <= untilMs)
        await emit(written, this.#producer, ports, untilMs, gone);
      return viewOf((await this.#find(name, ports)) ?? written, nowMs);
    }
    throw conflict(name, undefined, undefined);
  }

  async #find(name: string, ports: Ports): Promise<ScheduleState | undefined> {
    const [item] = await ports.schedules.read([name]);
    if (item !== undefined) return stateOf(item);
    const plan = this.#plans().find((candidate) => candidate.name === name);
    return plan && firstState(plan.entry, 'code', plan.way, ports.clock.nowMs());
  }

  async #notFound(name: string): Promise<ScheduleNotFound> {
    const some = (await this.list({ limit: 20 })).map((entry) => entry.name);
    return new ScheduleNotFound(
      `There is no schedule entry '${name}'. There ${some.length === 0 ? 'are none' : `are: ${some.join(', ')}`}.`,
    );
  }
}

function withoutReadOnly(change: ScheduleChange): BeatEntry {
  return Object.fromEntries(Object.entries(change).filter(([key]) => !READ_ONLY.has(key))) as unknown as BeatEntry;
}

/** Whether a stored state still belongs to something that this app declares; an app that declares nothing cannot tell. */
function isShown(state: ScheduleState, plans: readonly BeatPlan[]): boolean {
  return plans.length === 0 || plans.some((plan) => plan.name === state.entry.name);
}

function refuseDeclared(state: ScheduleState, instead: string): void {
  if (state.source === 'stored') return;
  throw new InvalidSchedule(`entry '${state.entry.name}' is declared in code: ${instead}.`);
}

function refuseNever(state: ScheduleState, nowMs: number): void {
  if (!state.entry.enabled || state.way === 'rule' || state.nextDueMs !== null) return;
  throw new InvalidSchedule(
    `entry '${state.entry.name}' has no due time after ${new Date(nowMs).toISOString()}. Correct its schedule, startTime or expires; runNow() runs its task once.`,
  );
}

function conflict(name: string, wanted: number | undefined, found: number | undefined): ScheduleConflict {
  const versions = wanted === undefined ? '' : ` Version ${wanted} was read, ${found ?? 'none'} is stored.`;
  return new ScheduleConflict(
    `Schedule entry '${name}' was changed by somebody else meanwhile.${versions} Read it again and repeat the change.`,
  );
}
