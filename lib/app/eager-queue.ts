/** The queue of eager mode, and its time. */
import type { Clock } from '../base/time.ts';
import type { Broker, OutgoingMessage, SendOutcome } from '../ports/broker.ts';
import type { Delivery } from '../ports/delivery.ts';
import { refusalOf } from '../ports/sqs-refusals.ts';
import type { Timers } from '../ports/timers.ts';
import { WAKE_QUEUE } from '../ports/wake-up.ts';

/** The app's time, in which nobody waits for a message: where all that is left comes later, it is later. */
export class EagerClock implements Clock {
  readonly #clock: Clock;
  #skippedMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  nowMs(): number {
    return this.#clock.nowMs() + this.#skippedMs;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return this.#clock.sleep(ms, signal);
  }

  schedule(ms: number, callback: () => void): () => void {
    return this.#clock.schedule(ms, callback);
  }

  /** One message at a time: there is nobody whose requests could be gathered. A turn of the event loop never comes where timers are faked. */
  nextTurn(): Promise<void> {
    return Promise.resolve();
  }

  skipTo(ms: number): void {
    this.#skippedMs += Math.max(0, ms - this.nowMs());
  }
}

interface Waiting {
  readonly dueMs: number;
  readonly delivery: Delivery;
}

/**
 * All queues of the app in one, in the order in which calls would run: what follows from a message comes before what
 * was sent beside it. It refuses what SQS refuses.
 */
export class EagerQueue implements Broker {
  /** What others store until it is due waits here like the rest. */
  readonly timers: Timers;
  readonly #clock: EagerClock;
  readonly #queues: Readonly<Record<string, { readonly fifo: boolean }>>;
  /** The next one last. */
  readonly #ready: Waiting[] = [];
  /** Sent since the last was taken. */
  #sent: Waiting[] = [];
  #later: Waiting[] = [];
  #count = 0;

  constructor(clock: EagerClock, queues: Readonly<Record<string, { readonly fifo: boolean }>>) {
    this.#clock = clock;
    this.#queues = queues;
    this.timers = {
      put: (timers) => {
        for (const { message, dueMs } of timers) this.#add(message, dueMs);
        return Promise.resolve(timers.map(() => 0));
      },
      eachDue: () => Promise.resolve(),
      remove: () => Promise.resolve(),
    };
  }

  send(items: readonly OutgoingMessage[]): Promise<SendOutcome[]> {
    return Promise.resolve(
      items.map((item) => {
        const refusal = refusalOf(item, this.#queues[item.queue]?.fifo ?? false);
        if (refusal !== undefined) return refusal;
        const messageId = this.#add(item, this.#clock.nowMs() + (item.delaySeconds ?? 0) * 1000);
        return { ok: true, messageId };
      }),
    );
  }

  /** What is kept is put back with its delay. */
  changeVisibility(): Promise<void> {
    return Promise.resolve();
  }

  /** Undefined where nothing is left. */
  take(): Delivery | undefined {
    const nowMs = this.#clock.nowMs();
    for (const waiting of this.#sent.toReversed()) (waiting.dueMs > nowMs ? this.#later : this.#ready).push(waiting);
    this.#sent = [];
    if (this.#ready.length === 0 && this.#later.length > 0) this.#skip();
    return this.#ready.pop()?.delivery;
  }

  putBack(delivery: Delivery, seconds: number): void {
    const again = { ...delivery, receiveCount: delivery.receiveCount + 1 };
    this.#sent.push({ delivery: again, dueMs: this.#clock.nowMs() + seconds * 1000 });
  }

  #skip(): void {
    this.#clock.skipTo(this.#later.reduce((earliest, { dueMs }) => Math.min(earliest, dueMs), Infinity));
    const nowMs = this.#clock.nowMs();
    this.#ready.push(...this.#later.filter(({ dueMs }) => dueMs <= nowMs));
    this.#later = this.#later.filter(({ dueMs }) => dueMs > nowMs);
  }

  /** Nobody looks into a dead-letter queue of eager mode: the task's state and the log say the same. And nobody has to be woken. */
  #add({ queue, body, groupId, deadLetter }: OutgoingMessage, dueMs: number): string {
    const messageId = String((this.#count += 1));
    const delivery: Delivery = {
      messageId,
      receipt: messageId,
      body,
      queue,
      receiveCount: 1,
      ...(groupId === undefined ? {} : { groupId }),
    };
    if (deadLetter !== true && queue !== WAKE_QUEUE) this.#sent.push({ delivery, dueMs });
    return messageId;
  }
}
