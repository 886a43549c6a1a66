/**
 * A worker in a process that lives on: it receives, runs as many tasks at once as it may, and keeps what it has in hand by saying again
 * and again that it is there. From a delivery to its outcome it is the worker of a function.
 */
import { errorLine } from '../base/error-text.ts';
import { PROCESS_VISIBILITY_MARGIN_SECONDS } from '../base/limits.ts';
import { mapConcurrently } from '../base/map-concurrently.ts';
import type { Delivery } from '../ports/delivery.ts';
import { execute } from '../worker/execute.ts';
import { work } from '../worker/consume.ts';
import { afterError } from '../worker/give-up.ts';
import { createWorker, type Worker } from '../worker/worker.ts';
import { Company, isToRunAlone } from './company.ts';
import { Deletes } from './deletes.ts';
import { Feed } from './feed.ts';
import { HeldDelivery } from './held-delivery.ts';
import { heldPorts } from './held-ports.ts';
import { type Line, linesOf } from './lines.ts';
import { countingEnds, Metrics } from './metrics.ts';
import { PauseWatch } from './pause-watch.ts';
import type { ProcessHealth, ProcessParts, ProcessWorkerOptions } from './process-options.ts';
import { type SharedNotes, sharedNotes } from './shared-notes.ts';

/** What runs one after another: the messages of a FIFO group that came together, or one alone. */
interface Unit {
  readonly rank: number;
  readonly fifo: boolean;
  readonly deliveries: readonly HeldDelivery[];
}

const BEATS_PER_LEASE = 3;
const BEATS_AT_ONCE = 16;
const FAILING_MS = 60_000;
// Beyond the grace: ECS ends a container five seconds after the default one.
const LAST_WORDS_MS = 2000;

export class ProcessWorker {
  readonly metrics: Metrics = new Metrics();
  /** Names of the queues and lanes that it receives from. */
  readonly queues: readonly string[];
  readonly #parts: ProcessParts;
  readonly #options: ProcessWorkerOptions;
  readonly #feed: Feed;
  readonly #paused: PauseWatch;
  /** Received and not begun, the most urgent first. */
  readonly #waiting: Unit[] = [];
  /** Those that have a place. */
  readonly #running = new Set<Unit>();
  /** Until their messages are gone. */
  readonly #unfinished = new Set<Promise<void>>();
  readonly #company = new Company(() => this.#goOn());
  readonly #notes: SharedNotes | undefined;
  readonly #held = new Set<HeldDelivery>();
  readonly #deletes: Deletes;
  readonly #graceOver = new AbortController();
  #draining: Promise<number> | undefined;
  #count = 0;

  /** Receives nothing yet. @throws QueueNotFound, ImproperlyConfigured */
  constructor(parts: ProcessParts, options: ProcessWorkerOptions) {
    const lines = linesOf(options.queues, parts.app.settings.queues);
    const { clock } = parts.ports;
    const logger = countingEnds(parts.ports.logger, this.metrics);
    this.#parts = { ...parts, ports: { ...parts.ports, logger } };
    this.#options = options;
    this.queues = lines.flat().map(({ queue }) => queue);
    this.#paused = new PauseWatch(this.queues, parts.app.settings.queues, { ...parts.ports, logger }, () =>
      this.#obeyPauses(),
    );
    this.#feed = new Feed(lines, {
      intake: parts.intake,
      clock,
      logger,
      metrics: this.metrics,
      visibilitySeconds: options.leaseSeconds + PROCESS_VISIBILITY_MARGIN_SECONDS,
      isPaused: (queue) => this.#paused.has(queue),
      room: () => (this.#company.isClosed ? 0 : options.concurrency - this.#running.size - this.#waiting.length),
      accept: (line, deliveries) => this.#accept(line, deliveries),
    });
    this.#notes = sharedNotes(parts.app, { ...parts.ports, logger }, options.name);
    this.#deletes = new Deletes(this.queues, parts.intake, clock);
    this.metrics.set('celeriac_worker_concurrency', options.concurrency);
    this.metrics.set('celeriac_worker_draining', 0);
    this.metrics.set('celeriac_worker_paused', 0);
    this.#show();
  }

  get health(): ProcessHealth {
    const isFailing = this.#parts.ports.clock.nowMs() - (this.#feed.failingSinceMs ?? Infinity) > FAILING_MS;
    return {
      status: this.#draining !== undefined ? 'draining' : isFailing ? 'failing' : 'working',
      running: this.#running.size,
      waiting: this.#waiting.length,
    };
  }

  /** Works until it is drained. */
  async run(): Promise<void> {
    const over = new AbortController();
    const beating = this.#beatUntil(over.signal);
    // Before the first message.
    await this.#paused.look();
    const watching = this.#paused.watch(over.signal);
    await this.#feed.run();
    await this.#draining;
    over.abort();
    await Promise.all([beating, watching]);
  }

  /**
   * Receives nothing any more. What runs may go on for so long; what has not ended then goes back, to run again elsewhere.
   * Called again, nothing is waited for any more.
   *
   * @returns how many of those that ran went back
   */
  drain(graceSeconds: number): Promise<number> {
    if (this.#draining !== undefined) this.#graceOver.abort();
    this.#draining ??= this.#drain(graceSeconds);
    return this.#draining;
  }

  async #drain(graceSeconds: number): Promise<number> {
    this.metrics.set('celeriac_worker_draining', 1);
    this.#feed.stop();
    this.#notes?.hurry();
    this.#company.end();
    const { clock } = this.#parts.ports;
    const waiting = this.#waiting.splice(0).flatMap(({ deliveries }) => deliveries);
    await this.#handBack(waiting);
    const grace = clock.sleep(graceSeconds * 1000, this.#graceOver.signal);
    await Promise.race([this.#idle(), grace]);
    // Ends the wait, should nothing run any more.
    this.#graceOver.abort();
    this.#feed.cutOff();
    const left = [...this.#held];
    // First their signals: what runs elsewhere next should not find what this process still does.
    for (const held of left) held.stop();
    if (left.length > 0) await this.#lastWords();
    await this.#handBack(left);
    return left.length;
  }

  /** Until what was told to end has, or a moment is over. */
  async #lastWords(): Promise<void> {
    const over = new AbortController();
    const moment = this.#parts.ports.clock.sleep(LAST_WORDS_MS, over.signal);
    await Promise.race([Promise.allSettled(this.#unfinished), moment]);
    over.abort();
  }

  /** Until nothing runs, and nothing comes that was asked for. */
  async #idle(): Promise<void> {
    await this.#feed.run();
    while (this.#unfinished.size > 0) await Promise.allSettled(this.#unfinished);
  }

  // ------------------------------------------------------------------ running

  #accept({ queue, fifo, rank }: Line, deliveries: readonly Delivery[]): void {
    const { app, ports, leases } = this.#parts;
    const { leaseSeconds } = this.#options;
    const { settings } = app;
    const held = deliveries.map((delivery) => new HeldDelivery(delivery, { ports, leases, leaseSeconds, settings }));
    for (const each of held) this.#held.add(each);
    const byGroup = Map.groupBy(held, ({ delivery }) => (fifo ? `${queue} ${delivery.groupId ?? ''}` : delivery));
    // Asked for before it was paused.
    if (this.#paused.has(queue)) return void this.#handBack(held);
    for (const unit of byGroup.values()) this.#waiting.push({ rank, fifo, deliveries: unit });
    this.#waiting.sort((one, other) => one.rank - other.rank);
    if (this.#draining === undefined) this.#begin();
    // Asked for before.
    else void this.#handBack(this.#waiting.splice(0).flatMap((unit) => unit.deliveries));
  }

  /** What waits here of a paused queue waits there. */
  #obeyPauses(): void {
    this.metrics.set('celeriac_worker_paused', this.#paused.size);
    const isPaused = ({ deliveries }: Unit): boolean =>
      deliveries.some(({ delivery }) => this.#paused.has(delivery.queue));
    const back = this.#waiting.filter(isPaused);
    this.#waiting.splice(0, Infinity, ...this.#waiting.filter((unit) => !isPaused(unit)));
    void this.#handBack(back.flatMap(({ deliveries }) => deliveries));
    this.#company.turnAway((queue) => this.#paused.has(queue));
    this.#feed.tell();
  }

  #goOn(): void {
    this.#begin();
    this.#feed.tell();
  }

  #begin(): void {
    while (this.#running.size < this.#options.concurrency && !this.#company.isClosed) {
      const unit = this.#waiting.shift();
      if (unit === undefined) break;
      this.#running.add(unit);
      this.#company.enter(unit);
      const over = (): void => {
        if (!this.#running.delete(unit)) return;
        this.#company.leave(unit);
        this.#goOn();
      };
      const run = this.#runUnit(unit, over).finally(() => {
        this.#unfinished.delete(run);
        over();
      });
      this.#unfinished.add(run);
    }
    this.#show();
  }

  async #runUnit(unit: Unit, over: () => void): Promise<void> {
    for (const [index, held] of unit.deliveries.entries()) {
      const goesOn = this.#draining === undefined && (await this.#runOne(held, unit, over));
      if (goesOn) continue;
      // What comes after a message of its group that stays must stay too. While that one is hidden nobody gets them.
      await this.#handBack(unit.deliveries.slice(index).filter((each) => this.#held.has(each)));
      return;
    }
  }

  /** @returns whether its message is gone. Never throws. */
  async #runOne(held: HeldDelivery, unit: Unit, over: () => void): Promise<boolean> {
    const { ports } = this.#parts;
    const { delivery } = held;
    const { queue, receipt } = delivery;
    try {
      const worker = this.#workerOf(held, unit, over);
      const { batchItemFailures } = await work([delivery], worker, { handle: execute, afterError });
      const isDone = batchItemFailures.length === 0;
      this.metrics.add(isDone ? 'celeriac_worker_messages_done_total' : 'celeriac_worker_messages_kept_total', {
        queue,
      });
      if (held.isLost) this.metrics.add('celeriac_worker_leases_lost_total', { queue });
      if (isDone) await this.#deletes.delete(queue, receipt);
      return isDone;
    } catch (error) {
      // It comes again, and is found to have ended.
      ports.logger.log('warn', `Message ${delivery.messageId} was not deleted: ${errorLine(error)}`, { queue });
      return false;
    } finally {
      this.#held.delete(held);
    }
  }

  #workerOf(held: HeldDelivery, unit: Unit, over: () => void): Worker {
    const { app, ports } = this.#parts;
    this.#count += 1;
    const invocation = { deadlineMs: Infinity, requestId: `${this.#options.name}/${this.#count}`, keeper: held };
    return {
      ...createWorker(app, heldPorts(ports, held), invocation),
      // Nobody gets more of a FIFO group before its messages are gone.
      history: this.#notes?.of(held.delivery, unit.fifo ? undefined : over),
      mayRun: async (message, delivery, definition) =>
        !(await isToRunAlone(message, delivery, definition, ports)) || this.#company.untilAlone(unit, delivery),
    };
  }

  async #handBack(deliveries: readonly HeldDelivery[]): Promise<void> {
    const { registry } = this.#parts.app;
    await mapConcurrently(deliveries, BEATS_AT_ONCE, async (held) => {
      await held.handBack((task) => registry.find(task)?.options.acksLate ?? true);
      this.#held.delete(held);
    });
    this.#show();
  }

  async #beatUntil(over: AbortSignal): Promise<void> {
    const everyMs = (this.#options.leaseSeconds * 1000) / BEATS_PER_LEASE;
    for (;;) {
      await this.#parts.ports.clock.sleep(everyMs, over);
      if (over.aborted) return;
      await mapConcurrently([...this.#held], BEATS_AT_ONCE, (held) => held.beat());
    }
  }

  #show(): void {
    this.metrics.set('celeriac_worker_running', this.#running.size);
    this.metrics.set('celeriac_worker_waiting', this.#waiting.length);
  }
}
