/** Messages of SQS, for a worker that polls. */
import type { SQSClient } from '@aws-sdk/client-sqs';

import { QueueNotFound } from '../base/errors.ts';
import type { Delivery } from '../ports/delivery.ts';
import type { Intake, IntakeRequest } from '../ports/intake.ts';
import { SqsPoller } from './poller.ts';

/** Receives from queues by Celery's names. */
export class SqsIntake implements Intake {
  readonly #pollers: ReadonlyMap<string, SqsPoller>;

  /** @param urls by Celery's names of the queues */
  constructor(client: SQSClient, urls: Readonly<Record<string, string>>) {
    this.#pollers = new Map(Object.entries(urls).map(([queue, url]) => [queue, new SqsPoller(client, queue, url)]));
  }

  receive({ queue, max, waitSeconds, visibilitySeconds }: IntakeRequest, signal: AbortSignal): Promise<Delivery[]> {
    return this.#of(queue).receive(waitSeconds, signal, { max, visibilitySeconds });
  }

  delete(queue: string, receipts: readonly string[]): Promise<void> {
    return this.#of(queue).delete(receipts);
  }

  #of(queue: string): SqsPoller {
    const poller = this.#pollers.get(queue);
    if (poller !== undefined) return poller;
    throw new QueueNotFound(`There is no queue '${queue}'. There are: ${[...this.#pollers.keys()].join(', ')}.`);
  }
}
