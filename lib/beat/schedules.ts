/** `app.schedules`: entries that people read and change while the app is deployed and runs. */
import { booleanOption, integerIn, refuseUnknownKeys, shown } from '../base/checks.ts';
import { InvalidOption } from '../base/errors.ts';
import { sendCall } from '../producer/enqueue.ts';
import { MAX_LISTED_SCHEDULES } from '../base/limits.ts';
import type { App } from '../producer/app.ts';
import type { AsyncResult } from '../results/result.ts';
import { byBytes } from '../base/ids.ts';
import { type BeatEntry, checkedEntryName, resolveEntry, type ScheduleEntry } from './entry.ts';
import { fromSignatureOptions } from '../options/signature-options.ts';
import { type BookParts, type Change, changeEntry, findEntry, notFound } from './change-entry.ts';
import {
  PUT_OPTIONS,
  refuseExisting,
  refuseOther,
  type ScheduleChangeOptions,
  type SchedulePutOptions,
  versionOf,
} from './change-checks.ts';
import { checkArguments, checkEntry } from './check-entry.ts';
import { changed, deleted, replaced } from './edit-state.ts';
import { renameEntry } from './rename-entry.ts';
import { followCode, switchEntry } from './switch-entry.ts';
import { type Fixture, fixtureOf, readFixture } from './fixture.ts';
import { type Loaded, loadEntries } from './load.ts';
import type { BeatPlan } from './plan.ts';
import { firstState, type ScheduleState, stateOf } from './schedule-state.ts';
import {
  isShown,
  type ScheduleChange,
  type StoredSchedule,
  updated,
  viewOf,
  withoutReadOnly,
} from './schedule-view.ts';
import { PERIODIC_TASK_NAME } from './tick.ts';

export type { ScheduleChangeOptions, SchedulePutOptions } from './change-checks.ts';
export type { ScheduleChange } from './schedule-view.ts';

/** Which part of the entries `list()` gives. */
export interface ListOptions {
  /** Only names after this one, in the order of their UTF-8 bytes. Default: from the first. */
  readonly after?: string;
  /** At most so many. Default 1,000. */
  readonly limit?: number;
}

const DEFAULT_LIMIT = 1000;

/**
 * `app.schedules`: reads and changes schedule entries while the app is deployed and runs. Changes hold at once; no
 * deployment is needed. On AWS a caller needs `service.grantSchedules(fn)`.
 */
export class ScheduleBook {
  readonly #parts: BookParts;

  /** Made by the app: use `app.schedules`. */
  constructor(app: App, plans: () => readonly BeatPlan[]) {
    this.#parts = { app, plans };
  }

  /**
   * Stores an entry, new or in place of another. With the `version` that `get` returned, only in place of that very
   * state. What was read under another name is stored as a new entry: a copy.
   *
   * @example
   * ```ts
   * await app.schedules.put('nightly', { task: add.s(1, 2), schedule: crontab('0 3 * * *') });
   * const entry = await app.schedules.get('nightly');
   * if (entry !== undefined) await app.schedules.put('nightly', { ...entry, schedule: every('6h') });
   * ```
   * @throws InvalidSchedule, InvalidOption, InvalidArguments: nothing is stored then. ScheduleConflict when somebody
   * else changed the entry since, or made it.
   */
  async put(name: string, change: ScheduleChange, options: SchedulePutOptions = {}): Promise<StoredSchedule> {
    const readAs = change?.name ?? name;
    // The version of another entry says nothing of this one.
    const version = versionOf(options, PUT_OPTIONS) ?? (readAs === name ? change?.version : undefined);
    const createOnly = booleanOption(options.createOnly ?? readAs !== name, 'createOnly');
    if (options.version !== undefined && createOnly)
      throw new InvalidOption('version and createOnly: both are given; what is yet to be made has no version.');
    const entry = await this.#checked(name, withoutReadOnly(change));
    const put: Change = (state, nowMs, sent) => {
      if (createOnly) refuseExisting(name, state, readAs);
      else refuseOther(name, version, state);
      return replaced(state, entry, nowMs, sent);
    };
    return changeEntry(this.#parts, name, put, options.by);
  }

  /**
   * What `put` would store, without storing it: the entry as it would be read, with its next ticks.
   *
   * @throws what `put` throws for what it is given.
   */
  async check(name: string, change: ScheduleChange): Promise<StoredSchedule> {
    const entry = await this.#checked(name, withoutReadOnly(change));
    const nowMs = this.#parts.app.clock.nowMs();
    return viewOf(firstState(entry, 'stored', 'sweep', nowMs), nowMs);
  }

  /**
   * Changes some fields of a stored entry. Without a `version` two updates at the same time both take effect.
   *
   * @throws ScheduleNotFound, and what `put` throws.
   */
  async update(name: string, change: Partial<BeatEntry>, options: ScheduleChangeOptions = {}): Promise<StoredSchedule> {
    const version = versionOf(options);
    const update: Change = async (state, nowMs, sent) => {
      if (state === undefined) return undefined;
      refuseOther(name, version, state);
      const entry = await this.#checked(name, updated(viewOf(state, nowMs), change));
      return changed(state, entry, nowMs, sent);
    };
    return changeEntry(this.#parts, name, update, options.by);
  }

  /**
   * One entry, stored or declared by `app.beat`; undefined where there is none of this name. @throws InvalidSchedule
   * for what is no name
   */
  async get(name: string): Promise<StoredSchedule | undefined> {
    const ports = await this.#parts.app.ports();
    const state = await findEntry(this.#parts, checkedEntryName(name), ports);
    return state && viewOf(state, ports.clock.nowMs());
  }

  /** Entries in the order of their names, declared ones beside stored ones. Fewer than `limit`: there are no more. */
  async list(options: ListOptions = {}): Promise<StoredSchedule[]> {
    const limit = integerIn(options.limit ?? DEFAULT_LIMIT, 1, MAX_LISTED_SCHEDULES, 'limit');
    const ports = await this.#parts.app.ports();
    const plans = this.#parts.plans();
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
      .map((plan) => firstState(plan.entry, 'code', plan.firedBy, nowMs));
    return [...found, ...unseen]
      .toSorted((left, right) => byBytes(left.entry.name, right.entry.name))
      .slice(0, limit)
      .map((state) => viewOf(state, nowMs));
  }

  /**
   * Lets the entry fire; takes effect at once.
   *
   * @throws ScheduleNotFound, InvalidSchedule, ScheduleConflict; MissingEnvironment: see `disable`
   */
  async enable(name: string, options: ScheduleChangeOptions = {}): Promise<StoredSchedule> {
    return switchEntry(this.#parts, name, true, options);
  }

  /**
   * Keeps the entry from firing; takes effect at once: ticks already on their way are taken back. (Celery's workers and
   * tasks with `idempotent: true` ask for no revokes: what was sent to them, for the next 75 seconds at most, still
   * runs.)
   *
   * @throws ScheduleNotFound, ScheduleConflict; MissingEnvironment where the entry has a rule, and nothing tells its
   * name
   */
  async disable(name: string, options: ScheduleChangeOptions = {}): Promise<StoredSchedule> {
    return switchEntry(this.#parts, name, false, options);
  }

  /**
   * Takes back what `enable` or `disable` said of an entry that code declares: from now on the code decides again, and a
   * deployment changes it. One without such a choice stays as it is.
   *
   * @throws ScheduleNotFound, ScheduleConflict; InvalidSchedule for a stored entry; MissingEnvironment: see `disable`
   */
  async followCode(name: string, options: ScheduleChangeOptions = {}): Promise<StoredSchedule> {
    return followCode(this.#parts, name, options);
  }

  /**
   * Stores an entry under another name: its counts and the phase of its interval go on. Ticks that are on their way are
   * taken back, and sent under the new name (of what reads no revokes, see `disable`, they may run twice). A process that
   * dies in the middle leaves the old entry as it was beside a disabled copy, or the copy alone, disabled: nothing fires twice.
   *
   * @throws ScheduleNotFound; ScheduleConflict where the new name is taken; InvalidSchedule for one that code declares
   */
  async rename(name: string, newName: string, options: ScheduleChangeOptions = {}): Promise<StoredSchedule> {
    return renameEntry(this.#parts, name, newName, options);
  }

  /**
   * Deletes a stored entry; of ticks already on their way `disable` tells.
   *
   * @throws ScheduleNotFound, ScheduleConflict; InvalidSchedule for one that code declares.
   */
  async delete(name: string, options: ScheduleChangeOptions = {}): Promise<void> {
    const version = versionOf(options);
    const change: Change = (state, nowMs, sent) => {
      if (state === undefined) return undefined;
      refuseOther(name, version, state);
      return deleted(state, nowMs, sent);
    };
    await changeEntry(this.#parts, name, change, options.by, 'disable it instead');
  }

  /**
   * Sends the entry's task now, whatever its schedule and a `countdown` of its options say.
   *
   * @param call arguments in place of the entry's
   * @throws ScheduleNotFound; InvalidArguments for some that do not fit
   */
  async runNow(
    name: string,
    call: { readonly args?: readonly unknown[]; readonly kwargs?: Readonly<Record<string, unknown>> } = {},
  ): Promise<AsyncResult> {
    refuseUnknownKeys(call, new Set(['args', 'kwargs']), 'arguments of runNow()');
    const { app } = this.#parts;
    const ports = await app.ports();
    const state = await findEntry(this.#parts, checkedEntryName(name), ports);
    if (state === undefined) throw await notFound(this.#parts, name, ports);
    const { signature } = state.entry;
    const { countdown: _later, ...now } = signature.options;
    const { options, lineage } = fromSignatureOptions(now);
    return sendCall(
      app,
      signature.task,
      call.args ?? signature.args,
      {
        ...options,
        kwargs: call.kwargs ?? { ...options.kwargs, ...signature.kwargs },
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
  ): Promise<Loaded> {
    if (mode !== 'once' && mode !== 'always')
      throw new InvalidOption(`mode: ${shown(mode)} given; 'once' or 'always' is allowed.`);
    const wanted: ScheduleEntry[] = [];
    for (const [name, given] of Object.entries(readFixture(fixture))) wanted.push(await this.#checked(name, given));
    return loadEntries(this.#parts, wanted, mode);
  }

  // ------------------------------------------------------------------ parts

  async #checked(name: string, given: BeatEntry): Promise<ScheduleEntry> {
    const { app } = this.#parts;
    const entry = resolveEntry(name, given, app.settings.timezone);
    checkEntry(entry, app);
    return checkArguments(entry, app);
  }
}
