/** Receiving in memory, for a worker that polls: the executable meaning of `Intake`. */
import type { Clock } from '../base/time.ts';
import type { Delivery } from '../ports/delivery.ts';
import type { Intake, IntakeRequest } from '../ports/intake.ts';
import type { MemoryBroker } from './memory-broker.ts';

// Nobody tells it of a message that is sent meanwhile.
const LOOK_MS = 1000;

/** Messages of a `MemoryBroker`. */
export class MemoryIntake implements Intake {
  readonly #broker: MemoryBroker;
  readonly #clock: Clock;

  /** @param clock the broker's */
  constructor(broker: MemoryBroker, clock: Clock) {
    this.#broker = broker;
    this.#clock = clock;
  }

  async receive(
    { queue, max, waitSeconds, visibilitySeconds }: IntakeRequest,
    signal: AbortSignal,
  ): Promise<readonly Delivery[]> {
    const untilMs = this.#clock.nowMs() + waitSeconds * 1000;
    for (;;) {
      if (signal.aborted) return [];
      const received = this.#broker.receive(queue, max, visibilitySeconds);
      const leftMs = untilMs - this.#clock.nowMs();
      if (received.length > 0 || leftMs <= 0) return received.map((each) => ({ ...each, queue }));
      await this.#clock.sleep(Math.min(leftMs, LOOK_MS), signal);
    }
  }

  delete(queue: string, receipts: readonly string[]): Promise<void> {
    for (const receipt of receipts) this.#broker.acknowledge(queue, receipt);
    return Promise.resolve();
  }
}
