/** Counts of SQS queues, one request for each. */
import type { SQSClient } from '@aws-sdk/client-sqs';
import { GetQueueAttributesCommand } from '#aws-sdk';

import { mapConcurrently } from '../base/map-concurrently.ts';
import type { DepthQuestion, QueueDepth, QueueDepths } from '../ports/queue-depths.ts';
import type { QueueAddress } from './sqs-broker.ts';

export interface SqsDepthsOptions {
  readonly client: SQSClient;
  /** By Celery's name of the queue. */
  readonly queues: Readonly<Record<string, QueueAddress>>;
}

// Requests side by side.
const WIDTH = 8;
const READY = 'ApproximateNumberOfMessages';
const IN_FLIGHT = 'ApproximateNumberOfMessagesNotVisible';
const DELAYED = 'ApproximateNumberOfMessagesDelayed';

/** SQS counts at several hosts: a figure may be a minute old. */
export class SqsDepths implements QueueDepths {
  readonly #client: SQSClient;
  readonly #queues: SqsDepthsOptions['queues'];

  constructor({ client, queues }: SqsDepthsOptions) {
    this.#client = client;
    this.#queues = queues;
  }

  count(questions: readonly DepthQuestion[]): Promise<(QueueDepth | undefined)[]> {
    return mapConcurrently(questions, WIDTH, (question) => this.#one(question));
  }

  async retentionSeconds(queue: string): Promise<number | undefined> {
    const url = this.#address(queue)?.url;
    if (url === undefined) return undefined;
    const { Attributes } = await this.#client.send(
      new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['MessageRetentionPeriod'] }),
    );
    return Number(Attributes?.MessageRetentionPeriod ?? 0) || undefined;
  }

  #address(queue: string): QueueAddress | undefined {
    return Object.hasOwn(this.#queues, queue) ? this.#queues[queue] : undefined;
  }

  async #one({ queue, deadLetter = false }: DepthQuestion): Promise<QueueDepth | undefined> {
    const address = this.#address(queue);
    const url = deadLetter ? address?.deadLetterUrl : address?.url;
    if (url === undefined) return undefined;
    const { Attributes = {} } = await this.#client.send(
      new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: [READY, IN_FLIGHT, DELAYED] }),
    );
    const count = (name: typeof READY | typeof IN_FLIGHT | typeof DELAYED): number => Number(Attributes[name] ?? 0);
    return { ready: count(READY), inFlight: count(IN_FLIGHT), delayed: count(DELAYED) };
  }
}
