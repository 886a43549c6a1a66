/** How much lies in queues of memory: the executable meaning of `QueueDepths`. */
import { DEFAULT_RETENTION_SECONDS } from '../base/limits.ts';
import type { Clock } from '../base/time.ts';
import type { DepthQuestion, QueueDepth, QueueDepths } from '../ports/queue-depths.ts';
import { depthOf } from './memory-dead-letters.ts';
import type { MessageQueue } from './memory-queue.ts';

export class MemoryDepths implements QueueDepths {
  readonly #queueOf: (queue: string, deadLetter: boolean) => MessageQueue | undefined;
  readonly #clock: Clock;

  constructor(queueOf: (queue: string, deadLetter: boolean) => MessageQueue | undefined, clock: Clock) {
    this.#queueOf = queueOf;
    this.#clock = clock;
  }

  async count(questions: readonly DepthQuestion[]): Promise<(QueueDepth | undefined)[]> {
    const counts = questions.map(({ queue, deadLetter = false }) => {
      const messages = this.#queueOf(queue, deadLetter);
      if (messages === undefined) return undefined;
      const { visible: ready, inFlight, delayed } = depthOf(messages, this.#clock.nowMs());
      return { ready, inFlight, delayed };
    });
    return Promise.resolve(counts);
  }

  async retentionSeconds(queue: string): Promise<number | undefined> {
    return Promise.resolve(this.#queueOf(queue, false) === undefined ? undefined : DEFAULT_RETENTION_SECONDS);
  }
}
