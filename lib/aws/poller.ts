/** Receiving and deleting, as Lambda's event source mapping does it. The embedded cloud polls, and worker processes do; for functions Lambda does. */
import type { Message as SqsMessage, SQSClient } from '@aws-sdk/client-sqs';
import { DeleteMessageBatchCommand, ReceiveMessageCommand } from '#aws-sdk';

import { SQS_MAX_BATCH_ENTRIES } from '../base/limits.ts';
import type { Delivery } from '../ports/delivery.ts';
import { sentAt } from './sqs-event.ts';

export interface PollerOptions {
  /** Physical queue name -> Celery name, for the lost queue's messages. */
  readonly names?: ReadonlyMap<string, string>;
  /** Messages at a time, 10 at most. Default 10. */
  readonly batchSize?: number;
}

/** Where a poller differs from one receive to the next. */
export interface Taking {
  /** Messages, 10 at most. Default: those of the poller's batch. */
  readonly max?: number;
  /** How long nobody else gets them. Default: the queue's. */
  readonly visibilitySeconds?: number;
}

export class SqsPoller {
  readonly #client: SQSClient;
  readonly #queue: string;
  readonly #url: string;
  readonly #names: ReadonlyMap<string, string>;
  readonly #batchSize: number;

  constructor(
    client: SQSClient,
    queue: string,
    url: string,
    { names = new Map(), batchSize = SQS_MAX_BATCH_ENTRIES }: PollerOptions = {},
  ) {
    this.#client = client;
    this.#queue = queue;
    this.#url = url;
    this.#names = names;
    this.#batchSize = Math.min(batchSize, SQS_MAX_BATCH_ENTRIES);
  }

  async receive(
    waitSeconds: number,
    signal: AbortSignal,
    { max, visibilitySeconds }: Taking = {},
  ): Promise<Delivery[]> {
    const { Messages } = await this.#client.send(
      new ReceiveMessageCommand({
        QueueUrl: this.#url,
        MaxNumberOfMessages: Math.min(max ?? this.#batchSize, SQS_MAX_BATCH_ENTRIES),
        WaitTimeSeconds: waitSeconds,
        ...(visibilitySeconds === undefined ? {} : { VisibilityTimeout: visibilitySeconds }),
        MessageSystemAttributeNames: ['All'],
        MessageAttributeNames: ['All'],
      }),
      { abortSignal: signal },
    );
    return (Messages ?? []).map((message) => this.#deliveryOf(message));
  }

  async delete(receipts: readonly string[]): Promise<void> {
    if (receipts.length === 0) return;
    await this.#client.send(
      new DeleteMessageBatchCommand({
        QueueUrl: this.#url,
        Entries: receipts.map((receipt, index) => ({ Id: String(index), ReceiptHandle: receipt })),
      }),
    );
  }

  #deliveryOf(message: SqsMessage): Delivery {
    const attributes = message.Attributes ?? {};
    const source = attributes['DeadLetterQueueSourceArn'];
    const group = attributes['MessageGroupId'];
    const lostFrom = source === undefined ? undefined : this.#names.get(source.slice(source.lastIndexOf(':') + 1));
    return {
      messageId: message.MessageId ?? '',
      receipt: message.ReceiptHandle ?? '',
      body: message.Body ?? '',
      queue: this.#queue,
      receiveCount: Number(attributes['ApproximateReceiveCount'] ?? 1),
      ...sentAt(attributes['SentTimestamp']),
      ...(group === undefined ? {} : { groupId: group }),
      ...(lostFrom === undefined ? {} : { lostFrom }),
    };
  }
}

/** A received dead letter. */
export interface DeadLetter {
  /** The SQS message body as it was received. */
  readonly body: string;
  /** String message attributes: why it lies there. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** Looks at a dead-letter queue without taking anything away: what it receives becomes visible again at once. */
export async function peekDeadLetters(client: SQSClient, url: string): Promise<DeadLetter[]> {
  const { Messages } = await client.send(
    new ReceiveMessageCommand({
      QueueUrl: url,
      MaxNumberOfMessages: SQS_MAX_BATCH_ENTRIES,
      VisibilityTimeout: 0,
      MessageAttributeNames: ['All'],
    }),
  );
  return (Messages ?? []).map((message) => ({
    body: message.Body ?? '',
    attributes: Object.fromEntries(
      Object.entries(message.MessageAttributes ?? {}).map(([name, value]) => [name, value.StringValue ?? '']),
    ),
  }));
}
