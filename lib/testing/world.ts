/** A world of memory adapters on a clock that a test moves: days of timers and retries in milliseconds. */
import type { Celeriac } from '../app/app.ts';
import { maybeCurrentTask } from '../task/context.ts';
import type { Duration } from '../base/duration.ts';
import { ImproperlyConfigured } from '../base/errors.ts';
import { SWEEP_HORIZON_SECONDS } from '../base/limits.ts';
import { MemoryPauses, type MemoryBroker, type MemoryRules, type QueuedMessage } from '../memory/index.ts';
import type { BeatManifest } from '../options/manifest.ts';
import type { CeleryGroups } from '../ports/celery-groups.ts';
import type { Groups } from '../ports/groups.ts';
import type { Mail } from '../ports/notices.ts';
import type { Ports } from '../ports/ports.ts';
import { moveFakeTimers, nextFakeTimerMs } from './fake-timers.ts';
import { FaultPlan } from './faults.ts';
import { Functions } from './functions.ts';
import { Invocations } from './invocations.ts';
import { CURRENT_INVOCATION } from './simulated-invocation.ts';
import { ManualClock } from './manual-clock.ts';
import { seededRandom } from './seeded.ts';
import { replaceDate } from './virtual-date.ts';
import { nothingComes, Waiting } from './waiting.ts';
import { instantAfter, type WorldOptions, worldSettings, type WorldSettings } from './world-options.ts';
import {
  memoryAdapters,
  type WorldBackend,
  rollUpDueMs,
  type WorldSchedules,
  type WorldTimers,
} from './world-ports.ts';

const MINUTE_MS = 60_000;
// Far from the other seeds of a world.
const HISTORY_SEED = 1_000_003;
const PAUSES_SEED = 2_000_003;
const NOTICES_SEED = 3_000_003;
// Turns of the event loop without any change after which everything ready has run.
const QUIET_TURNS = 3;
// Of half a second each, as get() waits: beyond an hour, so that a timeout that a test gives comes first.
const MOST_VAIN_WAITS = 10_000;
/** The world that an app's calls go to: the last one made. */
const WORLDS = new WeakMap<Celeriac, World>();

/**
 * An app's whole service in one process, on a clock that a test moves: queues, stores, workers, timers and rules. Days
 * pass in milliseconds.
 *
 * @example
 * ```ts
 * using world = new World(app);
 * const result = await add.delay(2, 2);
 * await world.drain();
 * await result.get(); // 4
 * ```
 */
export class World {
  /** The app whose calls go to this world. */
  readonly app: Celeriac;
  /** The world's time; within a task `world.clock.sleep(ms)` waits by it. */
  readonly clock: ManualClock;
  /** The queues: `peekAll(queue)` and `depth(queue)` tell what lies in one. */
  readonly broker: MemoryBroker;
  /** The results; `all()` gives every record. */
  readonly backend: WorldBackend;
  /** Messages that are due later than their queue can delay; `size()` counts them. */
  readonly timers: WorldTimers;
  /** The stored schedule entries. */
  readonly schedules: WorldSchedules;
  /** The marks of finished members of groups. */
  readonly groups: Groups;
  /** The groups that Celery's own workers count. */
  readonly celeryGroups: CeleryGroups;
  /** EventBridge's rules; they are made of what `app.beat` declares when time is next moved. */
  readonly rules: MemoryRules;
  /** The mails about failures, with the option `notify`: in the order in which they were sent. */
  readonly mails: readonly Mail[];
  /** All of these in one object, without faults. */
  readonly ports: Ports;
  readonly #rollUpDueMs: () => number | undefined;
  /** The faults, how often each has happened, and their switch `on`. */
  readonly faults: FaultPlan;
  readonly #settings: WorldSettings;
  readonly #runs: Invocations;
  readonly #waiting: Waiting;
  readonly #functions: Functions;
  #moving = false;
  #waitsWithoutProgress = 0;
  #lastSweepMs: number;
  #declared: readonly BeatManifest[] = [];
  /** Entries were declared that no sweep has seen. */
  #hasUnsweptEntries = false;
  #disposed = false;
  readonly #restoreDate: (() => void)[] = [];

  /**
   * @param adapters of the stores and the broker, for tests of other adapters than memory's
   * @throws InvalidOption
   * @throws ImproperlyConfigured when the app runs its tasks eagerly: no message would reach the world.
   */
  constructor(app: Celeriac, options: WorldOptions = {}, adapters: typeof memoryAdapters = memoryAdapters) {
    this.app = app;
    const settings = worldSettings(options, app);
    this.#settings = settings;
    const { seed, startMs } = settings;
    this.clock = new ManualClock(startMs);
    this.#lastSweepMs = startMs - 1;
    this.faults = new FaultPlan(options.faults ?? {}, seededRandom(seed + 1), {
      history: seededRandom(seed + HISTORY_SEED),
      pauses: seededRandom(seed + PAUSES_SEED),
      notices: seededRandom(seed + NOTICES_SEED),
    });
    const { clock, faults } = this;
    const { ports, queues, faulty } = adapters({ app, settings, clock, faults, logger: options.logger });
    this.ports = ports;
    this.#rollUpDueMs = () => rollUpDueMs(ports, app.settings.history);
    this.mails = ports.notifying?.notifier.mails ?? [];
    this.broker = queues;
    this.backend = ports.backend;
    this.timers = ports.timers;
    this.schedules = ports.schedules;
    this.groups = ports.groups;
    this.celeryGroups = ports.celeryGroups;
    this.rules = ports.rules;
    this.#runs = new Invocations(this.clock, this.faults);
    this.#waiting = new Waiting(this.clock, this.#runs, settings.patienceMs);
    const portsInUse = options.faults === undefined ? ports : faulty;
    const { broker } = this;
    const { wrapPorts } = options;
    const runs = this.#runs;
    const { pauses } = ports;
    const isPaused = (queue: string): boolean => pauses instanceof MemoryPauses && pauses.has(queue);
    this.#functions = new Functions({
      app,
      clock,
      broker,
      ports: portsInUse,
      faults,
      runs,
      settings,
      isPaused,
      wrapPorts,
    });
    app.use(portsInUse);
    WORLDS.set(app, this);
    // A test that waits (result.get()) moves time; tasks and workers wait for it to be moved.
    this.clock.onSleep = (ms) => (this.#moving || maybeCurrentTask() !== undefined ? undefined : this.#waitOfTest(ms));
    this.clock.onAsleep = () => {
      const invocation = CURRENT_INVOCATION.getStore();
      return invocation?.fallAsleep(maybeCurrentTask() ?? invocation) ?? (() => {});
    };
    this.clock.onTurn = () => CURRENT_INVOCATION.getStore()?.takeTurn();
    if (options.useDate === true) this.useDate();
  }

  /**
   * Works until nothing more is ready now and no task does real work. Time does not move.
   *
   * @throws WorldStalled as `advance` and `drain` do.
   */
  async run(): Promise<void> {
    await this.#moveTo(this.clock.nowMs());
  }

  /**
   * Moves time on, doing everything that comes due on the way at its own instant.
   *
   * @example
   * ```ts
   * const result = await add.applyAsync([2, 3], { countdown: '3d' });
   * await world.advance('3d');
   * await result.get(); // 5
   * ```
   * @throws InvalidOption
   * @throws WorldStalled when real work of a task does not end within `patienceMs`.
   */
  async advance(duration: Duration): Promise<void> {
    const targetMs = instantAfter(this.clock.nowMs(), duration, 'advance()');
    await this.#moveTo(targetMs);
  }

  /**
   * Moves time on until no message, timer or run is left, or until `limit` is over. Default 400 days. Schedule entries
   * fire on the way; it does not wait for their next ticks.
   *
   * @throws InvalidOption
   * @throws WorldStalled as `advance` does.
   */
  async drain(limit: Duration = '400d'): Promise<void> {
    const untilMs = instantAfter(this.clock.nowMs(), limit, 'drain()');
    for (;;) {
      await this.run();
      // Ticks go on for ever: they are fired on the way, and nobody waits for one.
      const next = this.#nextMs({ ticks: false });
      if (next === undefined || next > untilMs) return;
      await this.#moveTo(next);
    }
  }

  /**
   * What lies in a queue's dead-letter queue.
   *
   * @throws QueueNotFound when the app declares no such queue.
   */
  deadLetters(queue: string = this.app.settings.defaultQueue): QueuedMessage[] {
    return this.broker.deadLetters(queue);
  }

  /** From now on the global `Date` shows the world's time, in tasks and everywhere else, until what it returns is disposed of. */
  useDate(): Disposable {
    this.#mustBeUsable('useDate()');
    const restore = replaceDate(() => this.clock.nowMs());
    this.#restoreDate.push(restore);
    return { [Symbol.dispose]: restore };
  }

  /** Ends it: `Date` is the real one again, and the app has no broker any more. What still runs goes unheard. */
  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    for (const restore of this.#restoreDate.toReversed()) restore();
    this.#runs.unwatch();
    if (WORLDS.get(this.app) !== this) return;
    WORLDS.delete(this.app);
    this.app.use(undefined);
  }

  /** The same as `dispose()`, for `using world = new World(app)`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  /** A test that waits for what never comes (a result that has expired, say) would wait for ever. */
  #waitOfTest(ms: number): Promise<void> {
    const nothingLeft = !this.#runs.alive && this.#nextMs({ ticks: false }) === undefined;
    this.#waitsWithoutProgress = nothingLeft ? this.#waitsWithoutProgress + 1 : 0;
    if (this.#waitsWithoutProgress <= MOST_VAIN_WAITS) return this.advance(ms / 1000);
    this.#waitsWithoutProgress = 0;
    return Promise.reject(nothingComes(this.clock.nowMs()));
  }

  #mustBeUsable(what: string): void {
    if (this.#disposed) throw new ImproperlyConfigured(`World: ${what} after dispose(). Make a new World.`);
    if (WORLDS.get(this.app) !== this)
      throw new ImproperlyConfigured(
        `World: ${what} of a World whose app '${this.app.name}' has another World by now, to which its calls go. Use that one, or make an app for each.`,
      );
  }

  async #moveTo(targetMs: number): Promise<void> {
    this.#mustBeUsable('run(), advance() or drain()');
    if (this.#moving)
      throw new ImproperlyConfigured(
        'World: run(), advance() and drain() do not nest; await the one under way first. Inside a task, sleep with world.clock.sleep(ms).',
      );
    this.#moving = true;
    try {
      this.#deploy();
      await this.#waiting.during(() => this.#work(targetMs));
    } finally {
      this.#moving = false;
    }
  }

  async #work(targetMs: number): Promise<void> {
    for (;;) {
      this.#pump();
      await this.#quiet();
      const next = this.#nextMs();
      if (next !== undefined && next <= this.clock.nowMs() && this.#startsNow()) continue;
      if (await this.#waiting.forRealWork(next)) continue;
      if (next === undefined || next > targetMs) break;
      this.#moveClock(this.#nextMs() ?? next);
    }
    this.#moveClock(targetMs);
    await this.#quiet();
  }

  #moveClock(ms: number): void {
    const byMs = ms - this.clock.nowMs();
    this.clock.moveTo(ms);
    if (this.#settings.moveFakeTimers) moveFakeTimers(Math.max(0, byMs));
  }

  /** What the app declares by now: its rules are made, and the next sweep looks at its entries. */
  #deploy(): void {
    const { beat } = this.app.manifest();
    if (
      beat.length === this.#declared.length &&
      beat.every((entry, index) => entry.name === this.#declared[index]?.name)
    )
      return;
    this.#declared = beat;
    this.#hasUnsweptEntries = true;
    this.rules.deploy(beat);
  }

  #startsNow(): boolean {
    if (this.#nextFakeMs() === this.clock.nowMs()) return true;
    const visible = this.#functions.nextVisibleMs();
    return visible !== undefined && visible <= this.clock.nowMs();
  }

  #nextMs({ ticks = true }: { readonly ticks?: boolean } = {}): number | undefined {
    const times = [
      this.clock.nextMs(),
      this.#nextFakeMs(),
      this.#functions.nextVisibleMs(),
      this.#nextSweepMs(ticks),
      ticks ? this.rules.nextFireMs() : undefined,
    ].filter((time) => time !== undefined);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Fake timers count while a task may wait for one: a test's own are moved along, and nobody stops at them. */
  #nextFakeMs(): number | undefined {
    if (!this.#settings.moveFakeTimers || !this.#runs.alive) return undefined;
    const inMs = nextFakeTimerMs();
    return inMs === undefined ? undefined : this.clock.nowMs() + inMs;
  }

  /** Sweeps that would find nothing are left out: the same outcome at a fraction of the steps. */
  #nextSweepMs(ticks = true): number | undefined {
    const due = [
      // Those of paused queues wait for nothing that time brings.
      this.timers.nextDueMs((queue) => this.#functions.isPaused(queue)),
      // It is rolled up, and not sent ahead.
      ticks ? this.#rollUpDueMs() : undefined,
      ticks ? this.schedules.nextDueMs() : undefined,
      ticks && this.#hasUnsweptEntries ? this.clock.nowMs() : undefined,
    ].filter((time) => time !== undefined);
    if (due.length === 0) return undefined;
    const horizonMs = SWEEP_HORIZON_SECONDS * 1000;
    const earliest = Math.max(Math.min(...due) - horizonMs, this.#lastSweepMs + 1, this.clock.nowMs());
    return Math.ceil(earliest / MINUTE_MS) * MINUTE_MS;
  }

  #pump(): void {
    const nowMs = this.clock.nowMs();
    if (this.#nextSweepMs() === nowMs) {
      this.#lastSweepMs = nowMs;
      this.#hasUnsweptEntries = false;
      this.#functions.sweep();
    }
    const fired = this.faults.firings(this.rules.fire());
    if (fired.length > 0) this.#runs.track(this.broker.send(fired));
    this.#functions.poll();
  }

  /** Lets everything run that needs no time. */
  async #quiet(): Promise<void> {
    let turns = 0;
    let seen = this.#runs.changes;
    while (turns < QUIET_TURNS || (this.#runs.alive && turns < 4 * QUIET_TURNS)) {
      await this.clock.nextTurn();
      // Faked immediates and microtasks run when their clock is moved.
      if (this.#settings.moveFakeTimers) moveFakeTimers(0);
      turns += 1;
      if (this.#runs.changes !== seen) {
        seen = this.#runs.changes;
        turns = 0;
      }
    }
  }
}
