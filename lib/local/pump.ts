/** What AWS does beside the functions themselves: the event source mapping, EventBridge's rules and the minute tick. */
import type { Celeriac } from '../app/app.ts';
import type { SqsPoller } from '../aws/poller.ts';
import { errorLine } from '../base/error-text.ts';
import { systemClock, systemIds } from '../base/time.ts';
import type { MemoryRules } from '../memory/memory-rules.ts';
import type { BatchResponse, Delivery, Invocation } from '../ports/delivery.ts';
import type { PausedQueues } from './paused-queues.ts';

/** A function as the event source mapping calls it. */
export type BatchFunction = (deliveries: readonly Delivery[], invocation: Invocation) => Promise<BatchResponse>;

const POLL_SECONDS = 1;
const AFTER_ERROR_MS = 200;
const LONGEST_WAIT_MS = 1000;

/** Calls an app's functions as AWS would, until the signal. */
export class Pump {
  readonly #app: Celeriac;
  readonly #paused: PausedQueues;
  readonly #timeoutMs: number;
  readonly #signal: AbortSignal;

  /** @param timeoutMs length of an invocation; what has not returned by then counts as failed */
  constructor(app: Celeriac, paused: PausedQueues, timeoutMs: number, signal: AbortSignal) {
    this.#app = app;
    this.#paused = paused;
    this.#timeoutMs = timeoutMs;
    this.#signal = signal;
  }

  /**
   * As an event source mapping: receives, calls the function, deletes what it has not reported as failed.
   *
   * @param queue that it may stop with; undefined for the service's own, which never stop
   */
  async deliver(poller: SqsPoller, run: BatchFunction, queue?: string): Promise<void> {
    const signal = this.#signal;
    while (!signal.aborted) {
      try {
        if (queue !== undefined && (await this.#paused.has(queue))) {
          await systemClock.sleep(AFTER_ERROR_MS, signal);
          continue;
        }
        const deliveries = await poller.receive(POLL_SECONDS, signal);
        if (deliveries.length > 0) await poller.delete(await this.#invoke(run, deliveries));
      } catch (error) {
        if (signal.aborted) return;
        this.#app.logger.log('warn', `The pump had an error: ${errorLine(error)}`);
        await systemClock.sleep(AFTER_ERROR_MS, signal);
      }
    }
  }

  /** Runs one batch and gives the receipts of what may be deleted: none when the function throws or is out of time. */
  async #invoke(run: BatchFunction, deliveries: readonly Delivery[]): Promise<string[]> {
    const timeoutMs = this.#timeoutMs;
    const invocation: Invocation = { deadlineMs: systemClock.nowMs() + timeoutMs, requestId: systemIds.next() };
    const over = new AbortController();
    try {
      const response = await Promise.race([run(deliveries, invocation), systemClock.sleep(timeoutMs, over.signal)]);
      if (response === undefined) return [];
      const failed = new Set(response.batchItemFailures.map((failure) => failure.itemIdentifier));
      return deliveries.filter((delivery) => !failed.has(delivery.messageId)).map((delivery) => delivery.receipt);
    } catch (error) {
      this.#app.logger.log('error', `The worker failed: ${errorLine(error)}`);
      return [];
    } finally {
      over.abort();
    }
  }

  /** As EventBridge: within the rule's minute, at its beginning. */
  async fire(rules: MemoryRules): Promise<void> {
    const { broker } = await this.#app.ports();
    while (!this.#signal.aborted) {
      const fired = rules.fire();
      const outcomes = fired.length === 0 ? [] : await broker.send(fired);
      for (const outcome of outcomes)
        if (!outcome.ok) this.#app.logger.log('error', `A rule's message was not sent: ${outcome.message}`);
      const waitMs = (rules.nextFireMs() ?? Infinity) - systemClock.nowMs();
      // Rules are switched meanwhile: look again every second.
      await systemClock.sleep(Math.min(Math.max(waitMs, 0), LONGEST_WAIT_MS), this.#signal);
    }
  }

  /** As the schedule that calls the sweeper. */
  async sweep(everyMs: number): Promise<void> {
    while (!this.#signal.aborted) {
      try {
        await this.#app.sweep();
      } catch (error) {
        this.#app.logger.log('error', `The sweep failed: ${errorLine(error)}`);
      }
      await systemClock.sleep(everyMs, this.#signal);
    }
  }
}
