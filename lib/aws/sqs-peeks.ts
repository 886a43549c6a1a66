/** Looks into SQS queues: a receive whose messages are hidden from nobody. */
import type { SQSClient } from '@aws-sdk/client-sqs';
import { ReceiveMessageCommand } from '#aws-sdk';

import { SQS_MAX_BATCH_ENTRIES } from '../base/limits.ts';
import type { PeekedMessage, PeekQuestion, Peeks } from '../ports/peeks.ts';
import type { QueueAddress } from './sqs-broker.ts';

export interface SqsPeeksOptions {
  readonly client: SQSClient;
  /** By Celery's name of the queue. */
  readonly queues: Readonly<Record<string, QueueAddress>>;
}

// A short poll asks some of the servers alone, and finds nothing where there is something.
const WAIT_SECONDS = 1;

export class SqsPeeks implements Peeks {
  readonly #client: SQSClient;
  readonly #queues: SqsPeeksOptions['queues'];

  constructor({ client, queues }: SqsPeeksOptions) {
    this.#client = client;
    this.#queues = queues;
  }

  async peek({ queue, deadLetter = false, limit }: PeekQuestion): Promise<readonly PeekedMessage[] | undefined> {
    const address = Object.hasOwn(this.#queues, queue) ? this.#queues[queue] : undefined;
    const url = deadLetter ? address?.deadLetterUrl : address?.url;
    if (url === undefined) return undefined;
    const { Messages = [] } = await this.#client.send(
      new ReceiveMessageCommand({
        QueueUrl: url,
        MaxNumberOfMessages: Math.min(limit, SQS_MAX_BATCH_ENTRIES),
        VisibilityTimeout: 0,
        WaitTimeSeconds: WAIT_SECONDS,
        MessageSystemAttributeNames: ['SentTimestamp', 'ApproximateReceiveCount', 'MessageGroupId'],
        MessageAttributeNames: ['All'],
      }),
    );
    const seen = new Map<string, PeekedMessage>();
    // Visible again at once, one may come twice in an answer: its last receipt counts.
    for (const { MessageId: messageId = '', Body: body = '', Attributes = {}, MessageAttributes = {} } of Messages) {
      const { SentTimestamp, ApproximateReceiveCount, MessageGroupId: groupId } = Attributes;
      const attributes = Object.entries(MessageAttributes).flatMap(([name, { StringValue: value }]) =>
        value === undefined ? [] : [[name, value] as const],
      );
      seen.set(messageId, {
        messageId,
        body,
        attributes: Object.fromEntries(attributes),
        sentMs: Number(SentTimestamp ?? 0),
        receives: Number(ApproximateReceiveCount ?? 1),
        ...(groupId === undefined ? {} : { groupId }),
      });
    }
    return [...seen.values()];
  }
}
