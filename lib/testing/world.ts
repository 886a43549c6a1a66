/** A world of memory adapters on a clock that a test moves: days of timers and retries in milliseconds. */
import type { Celeriac } from '../app.ts';
import { maybeCurrentTask } from '../context.ts';
import { type Duration, durationSeconds } from '../duration.ts';
import { SWEEP_HORIZON_SECONDS } from '../limits.ts';
import { silentLogger } from '../log.ts';
import {
  type Letter,
  MemoryBackend,
  MemoryBroker,
  MemoryCeleryGroups,
  MemoryGroups,
  MemoryRules,
  MemorySchedules,
  MemoryTimers,
  type Received,
} from '../memory/index.ts';
import type { BeatManifest } from '../manifest.ts';
import type { Ports } from '../ports.ts';
import { consume, consumeLost, LOST_QUEUE } from '../worker/consume.ts';
import type { BatchResponse, Delivery, Invocation } from '../worker/delivery.ts';
import { FaultPlan, faultyPorts } from './faults.ts';
import { Invocations } from './invocations.ts';
import { ManualClock } from './manual-clock.ts';
import type { WorldOptions } from './world-options.ts';
import { countingIds, seededRandom } from './seeded.ts';

const MINUTE_MS = 60_000;
// The sweeper's timeout in infra.
const SWEEPER_SECONDS = 90;
// As the queues that infra makes: visibility = timeout + 30 s.
const VISIBILITY_MARGIN_SECONDS = 30;
// Turns of the event loop without any change after which everything ready has run.
const QUIET_TURNS = 3;

export class World {
  readonly app: Celeriac;
  readonly clock: ManualClock;
  readonly broker: MemoryBroker;
  readonly backend: MemoryBackend;
  readonly timers: MemoryTimers;
  readonly schedules: MemorySchedules = new MemorySchedules();
  readonly groups: MemoryGroups = new MemoryGroups();
  readonly celeryGroups: MemoryCeleryGroups = new MemoryCeleryGroups();
  readonly rules: MemoryRules;
  readonly ports: Ports;
  /** The faults, how often each has happened, and their switch `on`. */
  readonly faults: FaultPlan;
  readonly #options: WorldOptions;
  readonly #badPorts: Ports;
  readonly #invocationSeconds: number;
  readonly #runs: Invocations;
  readonly #queues: readonly string[];
  #invocations = 0;
  #moving = false;
  #lastSweepMs: number;
  #declared: readonly BeatManifest[] = [];
  /** Entries were declared that no sweep has seen. */
  #unseen = false;

  constructor(app: Celeriac, options: WorldOptions = {}) {
    this.app = app;
    this.#options = options;
    const start = options.start ?? Date.UTC(2030, 0, 1);
    const startMs = start instanceof Date ? start.getTime() : start;
    const seed = options.seed ?? 1;
    this.clock = new ManualClock(startMs);
    this.#lastSweepMs = startMs - 1;
    this.#invocationSeconds = durationSeconds(options.invocation ?? 300, 'invocation', 1);
    const ids = countingIds(seed);
    this.broker = new MemoryBroker({
      clock: this.clock,
      ids,
      queues: app.settings.queues,
      visibilitySeconds: this.#invocationSeconds + VISIBILITY_MARGIN_SECONDS,
      ...(options.maxReceiveCount === undefined ? {} : { maxReceiveCount: options.maxReceiveCount }),
    });
    this.backend = new MemoryBackend();
    this.timers = new MemoryTimers({ shards: app.settings.timerShards });
    this.rules = new MemoryRules(this.clock);
    this.ports = {
      broker: this.broker,
      backend: this.backend,
      timers: this.timers,
      schedules: this.schedules,
      groups: this.groups,
      celeryGroups: this.celeryGroups,
      rules: this.rules,
      clock: this.clock,
      ids,
      random: seededRandom(seed),
      logger: options.logger ?? silentLogger,
    };
    this.faults = new FaultPlan(options.faults ?? {}, seededRandom(seed + 1));
    this.#runs = new Invocations(this.clock, this.faults);
    // What is consumed elsewhere stays in its queue.
    const own = Object.entries(app.settings.queues).filter(([, queue]) => queue.external !== true);
    this.#queues = [...own.map(([name]) => name), LOST_QUEUE];
    this.#badPorts = options.faults === undefined ? this.ports : faultyPorts(this.ports, this.faults);
    app.use(this.#badPorts);
    // A test that waits (result.get()) moves time; tasks and workers wait for it to be moved.
    this.clock.onSleep = (ms) =>
      this.#moving || maybeCurrentTask() !== undefined ? undefined : this.advance(ms / 1000);
  }

  /** Works until nothing more is ready now. Time does not move. */
  async run(): Promise<void> {
    await this.#moveTo(this.clock.nowMs());
  }

  /** Moves time on, doing everything that comes due on the way at its own instant. */
  async advance(duration: Duration): Promise<void> {
    await this.#moveTo(this.clock.nowMs() + Math.round(durationSeconds(duration, 'advance()') * 1000));
  }

  /** Moves time on until no message, timer or run is left. */
  async drain(limit: Duration = '400d'): Promise<void> {
    const untilMs = this.clock.nowMs() + durationSeconds(limit, 'drain()') * 1000;
    for (;;) {
      await this.run();
      // Ticks go on for ever: they are fired on the way, and nobody waits for one.
      const next = this.#nextMs({ ticks: false });
      if (next === undefined || next > untilMs) return;
      await this.#moveTo(next);
    }
  }

  /** What lies in a queue's dead-letter queue. */
  deadLetters(queue: string = this.app.settings.defaultQueue): Letter[] {
    return this.broker.deadLetters(queue);
  }

  async #moveTo(targetMs: number): Promise<void> {
    if (this.#moving)
      throw new Error('World: run(), advance() and drain() do not nest; await the one under way first.');
    this.#moving = true;
    this.#deploy();
    try {
      for (;;) {
        this.#pump();
        await this.#quiet();
        const next = this.#nextMs();
        if (next !== undefined && next <= this.clock.nowMs() && this.#startsNow()) continue;
        if (next === undefined || next > targetMs) break;
        await this.#patience();
        this.clock.moveTo(this.#nextMs() ?? next);
      }
      this.clock.moveTo(targetMs);
      await this.#quiet();
    } finally {
      this.#moving = false;
    }
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
    this.#unseen = true;
    this.rules.deploy(beat);
  }

  #startsNow(): boolean {
    const visible = this.#nextVisibleMs();
    return visible !== undefined && visible <= this.clock.nowMs();
  }

  #nextMs({ ticks = true }: { readonly ticks?: boolean } = {}): number | undefined {
    const times = [
      this.clock.nextMs(),
      this.#nextVisibleMs(),
      this.#nextSweepMs(ticks),
      ticks ? this.rules.nextFireMs() : undefined,
    ].filter((time) => time !== undefined);
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Sweeps that would find nothing are left out: the same outcome at a fraction of the steps. */
  #nextSweepMs(ticks = true): number | undefined {
    const due = [
      this.timers.nextDueMs(),
      ticks ? this.schedules.nextDueMs() : undefined,
      ticks && this.#unseen ? this.clock.nowMs() : undefined,
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
      this.#unseen = false;
      const sweeps = this.faults.hit('doubledSweep') ? 2 : 1;
      for (let count = 0; count < sweeps; count += 1) this.#sweep(nowMs);
    }
    const fired = this.faults.firings(this.rules.fire());
    if (fired.length > 0) this.#runs.track(this.broker.send(fired));
    for (const queue of this.#queues) {
      // A throttled batch is not run: it comes back after its visibility timeout.
      for (let batch = this.#receive(queue); batch.length > 0; batch = this.#receive(queue))
        if (!this.faults.hit('throttledBatch')) this.#deliver(queue, batch);
    }
  }

  #sweep(nowMs: number): void {
    const { invocation, ports } = this.#invoke(SWEEPER_SECONDS);
    this.#runs.start(
      invocation.deadlineMs,
      () => this.app.sweep({ holdUntilMs: nowMs + MINUTE_MS }, ports),
      () => {},
    );
  }

  #receive(queue: string): Received[] {
    return this.#isFull(queue) ? [] : this.broker.receive(queue, this.#options.batchSize ?? 10);
  }

  /** The event source mapping polls for no more workers than the queue may have: what waits burns no receives. */
  #isFull(queue: string): boolean {
    return this.#runs.of(queue) >= (this.app.settings.queues[queue]?.concurrency ?? Infinity);
  }

  /** When a message can be received. */
  #nextVisibleMs(): number | undefined {
    const times = this.#queues.flatMap((queue) =>
      this.#isFull(queue) ? [] : (this.broker.nextVisibleMs(queue) ?? []),
    );
    return times.length === 0 ? undefined : Math.min(...times);
  }

  #invoke(seconds: number = this.#invocationSeconds): { invocation: Invocation; ports: Ports } {
    this.#invocations += 1;
    const invocation: Invocation = {
      deadlineMs: this.clock.nowMs() + seconds * 1000,
      requestId: `invocation-${this.#invocations}`,
    };
    return { invocation, ports: this.#options.wrapPorts?.(this.#badPorts, invocation) ?? this.#badPorts };
  }

  #deliver(queue: string, batch: readonly Received[]): void {
    const { invocation, ports } = this.#invoke();
    const deliveries = batch.map((received): Delivery => ({
      messageId: received.messageId,
      receipt: received.receipt,
      body: received.body,
      queue,
      receiveCount: received.receiveCount,
      ...(received.groupId === undefined ? {} : { groupId: received.groupId }),
      ...(received.lostFrom === undefined ? {} : { lostFrom: received.lostFrom }),
    }));
    this.#runs.start(
      invocation.deadlineMs,
      () => (queue === LOST_QUEUE ? consumeLost : consume)(deliveries, invocation, this.app, ports),
      (response) => this.#acknowledge(queue, batch, response),
      queue,
    );
  }

  #acknowledge(queue: string, batch: readonly Received[], response: BatchResponse): void {
    const failed = new Set(response.batchItemFailures.map((failure) => failure.itemIdentifier));
    for (const received of batch) {
      if (!failed.has(received.messageId)) this.broker.acknowledge(queue, received.receipt);
    }
  }

  /** Lets everything run that needs no time. */
  async #quiet(): Promise<void> {
    let turns = 0;
    let seen = this.#runs.changes;
    while (turns < QUIET_TURNS || (this.#runs.alive && turns < 4 * QUIET_TURNS)) {
      await this.clock.settled();
      turns += 1;
      if (this.#runs.changes !== seen) {
        seen = this.#runs.changes;
        turns = 0;
      }
    }
  }

  /** Waits, in real time, for tasks that do not wait for this clock. */
  async #patience(): Promise<void> {
    if (!this.#runs.alive || this.clock.sleepers > 0) return;
    const { systemClock } = await import('../time.ts');
    await Promise.race([this.#runs.any(), systemClock.sleep(this.#options.patienceMs ?? 20)]);
    await this.#quiet();
  }
}
