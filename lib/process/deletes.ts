/** Messages that are done, deleted: those of one moment share a request. */
import { SQS_MAX_BATCH_ENTRIES } from '../base/limits.ts';
import type { Clock } from '../base/time.ts';
import type { Intake } from '../ports/intake.ts';
import { batched } from '../worker/batcher.ts';

export class Deletes {
  readonly #ofQueue: ReadonlyMap<string, (receipt: string) => Promise<unknown>>;

  constructor(queues: readonly string[], intake: Intake, clock: Clock) {
    this.#ofQueue = new Map(
      queues.map((queue) => [
        queue,
        batched(
          clock,
          SQS_MAX_BATCH_ENTRIES,
          (receipt: string) => receipt,
          async (receipts) => {
            await intake.delete(queue, receipts);
            return receipts;
          },
        ),
      ]),
    );
  }

  async delete(queue: string, receipt: string): Promise<void> {
    await this.#ofQueue.get(queue)?.(receipt);
  }
}
