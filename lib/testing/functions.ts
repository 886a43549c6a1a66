/** The service's functions in a world, called as Lambda calls them: by event source mappings, and the sweeper by its schedule. */
import type { Celeriac } from '../app/app.ts';
import { SQS_MAX_VISIBILITY_SECONDS } from '../base/limits.ts';
import type { MemoryBroker, Received } from '../memory/index.ts';
import { batchSizeOf, workersOf } from '../options/at-once.ts';
import { isFifo } from '../options/declared-queue.ts';
import type { Ports } from '../ports/ports.ts';
import { WAKE_QUEUE } from '../ports/wake-up.ts';
import { LOST_QUEUE } from '../ports/delivery.ts';
// Not by way of the app, which loads it when it is needed: a world does not see code being loaded, and time would go on.
import { consumeWakeUps } from '../beat/consume-wake-ups.ts';
import { encryptionBy, type Encryption } from '../app/encrypted-ports.ts';
import { consume } from '../worker/consume.ts';
import { consumeLost } from '../worker/consume-lost.ts';
import type { BatchResponse, Delivery, Invocation } from '../ports/delivery.ts';
import { type FaultPlan, LONGEST_DOUBLE_MS } from './faults.ts';
import type { Invocations } from './invocations.ts';
import type { ManualClock } from './manual-clock.ts';
import type { WorldOptions, WorldSettings } from './world-options.ts';

// The sweeper's timeout in infra.
const SWEEPER_SECONDS = 90;

export interface FunctionsOf {
  readonly app: Celeriac;
  readonly clock: ManualClock;
  readonly broker: MemoryBroker;
  /** What the functions get: with faults, where the world has any. */
  readonly ports: Ports;
  readonly faults: FaultPlan;
  readonly runs: Invocations;
  readonly settings: WorldSettings;
  /** Its event source is off: nothing is received. */
  readonly isPaused: (queue: string) => boolean;
  readonly wrapPorts: WorldOptions['wrapPorts'];
}

export class Functions {
  readonly #of: FunctionsOf;
  readonly #queues: readonly string[];
  readonly #encryption: Encryption | undefined;
  #invocations = 0;

  constructor(of: FunctionsOf) {
    this.#of = of;
    const { codec } = of.app.settings;
    if (codec !== undefined) this.#encryption = encryptionBy(codec);
    // What is consumed elsewhere stays in its queue.
    const own = Object.entries(of.app.settings.queues).filter(([, queue]) => queue.external !== true);
    this.#queues = [...own.map(([name]) => name), LOST_QUEUE, WAKE_QUEUE];
  }

  /** Every message that can be received is, and its function is called. */
  poll(): void {
    for (const queue of this.#queues) {
      // A throttled batch is not run: it comes back after its visibility timeout.
      for (let batch = this.#receive(queue); batch.length > 0; batch = this.#receive(queue))
        if (!this.#of.faults.hit('throttledBatch')) this.#deliverOnceOrTwice(queue, batch);
    }
  }

  sweep(): void {
    const { app, faults, runs } = this.#of;
    const sweeps = faults.hit('doubledSweep') ? 2 : 1;
    for (let count = 0; count < sweeps; count += 1) {
      const { invocation, ports } = this.#invoke(SWEEPER_SECONDS);
      runs.start(
        invocation.deadlineMs,
        () => app.sweep({}, ports),
        () => {},
      );
    }
  }

  /** When a message can be received. */
  nextVisibleMs(): number | undefined {
    const times = this.#queues.flatMap((queue) =>
      this.#isFull(queue) ? [] : (this.#of.broker.nextVisibleMs(queue) ?? []),
    );
    return times.length === 0 ? undefined : Math.min(...times);
  }

  /** Of a lane: whether its queue is. */
  isPaused(queue: string): boolean {
    return this.#of.isPaused(this.#of.app.settings.queues[queue]?.laneOf ?? queue);
  }

  #receive(queue: string): Received[] {
    if (this.#isFull(queue)) return [];
    const { settings, app } = this.#of;
    const own = app.settings.queues[queue];
    // Each by itself, and hidden for as long as it may take: a process renews what it has.
    if (own?.worker === 'process')
      return this.#of.broker.receive(queue, own.fifo ? settings.batchSize : 1, SQS_MAX_VISIBILITY_SECONDS);
    const batchSize = own === undefined ? settings.batchSize : Math.min(settings.batchSize, batchSizeOf(own));
    return this.#of.broker.receive(queue, batchSize);
  }

  /** The event source mapping polls for no more workers than the queue may have: what waits burns no receives. */
  #isFull(queue: string): boolean {
    const own = this.#of.app.settings.queues[queue];
    if (this.isPaused(queue)) return true;
    return own !== undefined && this.#of.runs.of(queue) >= (workersOf(own) ?? Infinity);
  }

  #invoke(seconds: number): { invocation: Invocation; ports: Ports } {
    const { clock, ports, wrapPorts } = this.#of;
    this.#invocations += 1;
    const invocation: Invocation = {
      deadlineMs: clock.nowMs() + seconds * 1000,
      requestId: `invocation-${this.#invocations}`,
    };
    const plain = wrapPorts?.(ports, invocation) ?? ports;
    return { invocation, ports: this.#encryption?.ports(plain, 'worker') ?? plain };
  }

  #deliverOnceOrTwice(queue: string, batch: readonly Received[]): void {
    const { app, clock, faults } = this.#of;
    this.#deliver(queue, batch);
    // A FIFO queue hands out nothing of a group of which something is in flight.
    if (isFifo(queue, app.settings) || !faults.hit('doubledBatch')) return;
    clock.schedule(faults.draw(LONGEST_DOUBLE_MS), () => this.#deliver(queue, batch));
  }

  #deliver(queue: string, batch: readonly Received[]): void {
    const { app, runs, settings } = this.#of;
    const isProcess = app.settings.queues[queue]?.worker === 'process';
    const seconds = isProcess ? SQS_MAX_VISIBILITY_SECONDS : settings.invocationSeconds;
    const { invocation, ports } = this.#invoke(queue === WAKE_QUEUE ? SWEEPER_SECONDS : seconds);
    const deliveries = batch.map((received): Delivery => ({
      messageId: received.messageId,
      receipt: received.receipt,
      body: received.body,
      queue,
      receiveCount: received.receiveCount,
      sentMs: received.sentMs,
      ...(received.groupId === undefined ? {} : { groupId: received.groupId }),
      ...(received.lostFrom === undefined ? {} : { lostFrom: received.lostFrom }),
    }));
    runs.start(
      invocation.deadlineMs,
      () =>
        queue === WAKE_QUEUE
          ? consumeWakeUps(deliveries, app.settings, ports)
          : (queue === LOST_QUEUE ? consumeLost : consume)(deliveries, invocation, app, ports),
      (response) => this.#acknowledge(queue, batch, response),
      queue,
    );
  }

  #acknowledge(queue: string, batch: readonly Received[], response: BatchResponse): void {
    const failed = new Set(response.batchItemFailures.map((failure) => failure.itemIdentifier));
    for (const received of batch) {
      if (!failed.has(received.messageId)) this.#of.broker.acknowledge(queue, received.receipt);
    }
  }
}
