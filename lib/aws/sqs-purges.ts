/** Emptying SQS queues. */
import type { SQSClient } from '@aws-sdk/client-sqs';
import { PurgeQueueCommand } from '#aws-sdk';

import { QueueNotFound } from '../base/errors.ts';
import type { PurgeOutcome, Purges } from '../ports/purges.ts';

export interface SqsPurgesOptions {
  readonly client: SQSClient;
  /** URLs by Celery's names of the queues. */
  readonly urls: Readonly<Record<string, string>>;
}

/** In words of SQS's query protocol, and of its JSON protocol. */
const BUSY = /PurgeQueueInProgress/;

export class SqsPurges implements Purges {
  readonly #client: SQSClient;
  readonly #urls: SqsPurgesOptions['urls'];

  constructor({ client, urls }: SqsPurgesOptions) {
    this.#client = client;
    this.#urls = urls;
  }

  async purge(queue: string): Promise<PurgeOutcome> {
    const url = Object.hasOwn(this.#urls, queue) ? this.#urls[queue] : undefined;
    if (url === undefined) throw new QueueNotFound(`There is no queue '${queue}'.`);
    try {
      await this.#client.send(new PurgeQueueCommand({ QueueUrl: url }));
      return 'purged';
    } catch (error) {
      if (error instanceof Error && BUSY.test(error.name)) return 'busy';
      throw error;
    }
  }
}
