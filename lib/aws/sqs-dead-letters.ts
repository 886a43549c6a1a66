/** Dead-letter queues on SQS: received, shown, deleted, ten in a request. */
import type { SQSClient } from '@aws-sdk/client-sqs';
import {
  ChangeMessageVisibilityBatchCommand,
  DeleteMessageBatchCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
} from '#aws-sdk';

import { QueueNotFound } from '../base/errors.ts';
import { SQS_MAX_BATCH_ENTRIES } from '../base/limits.ts';
import { mapConcurrently } from '../base/map-concurrently.ts';
import { quoted } from '../base/quote.ts';
import type { DeadLetters, QueueCounts, ReceivedLetter, ReceiveLetters } from '../ports/dead-letters.ts';

/** Where dead-letter queues are. */
export interface SqsDeadLettersOptions {
  /** What sends its requests. */
  readonly client: SQSClient;
  /** URLs of the dead-letter queues, by Celery's name of the queue. */
  readonly urls: Readonly<Record<string, string>>;
}

// A short poll asks some of the servers alone, and finds nothing where there is something.
const WAIT_SECONDS = 1;
const REQUESTS_AT_ONCE = 8;
// A receipt that is void: the letter is visible again, or gone. Nothing is left to be done.
const VOID = new Set(['ReceiptHandleIsInvalid', 'MessageNotInflight', 'InvalidParameterValue']);

interface BatchFailure {
  readonly Code?: string | undefined;
  readonly Message?: string | undefined;
}

export class SqsDeadLetters implements DeadLetters {
  readonly #client: SQSClient;
  readonly #urls: SqsDeadLettersOptions['urls'];

  constructor({ client, urls }: SqsDeadLettersOptions) {
    this.#client = client;
    this.#urls = urls;
  }

  async receive(queue: string, { limit, hiddenSeconds }: ReceiveLetters): Promise<ReceivedLetter[]> {
    const { Messages } = await this.#client.send(
      new ReceiveMessageCommand({
        QueueUrl: this.#url(queue),
        MaxNumberOfMessages: Math.min(limit, SQS_MAX_BATCH_ENTRIES),
        VisibilityTimeout: hiddenSeconds,
        WaitTimeSeconds: WAIT_SECONDS,
        MessageSystemAttributeNames: ['SentTimestamp', 'MessageGroupId'],
        MessageAttributeNames: ['All'],
      }),
    );
    return (Messages ?? []).map((message) => {
      const { SentTimestamp: sent, MessageGroupId: groupId } = message.Attributes ?? {};
      return {
        messageId: message.MessageId ?? '',
        receipt: message.ReceiptHandle ?? '',
        body: message.Body ?? '',
        attributes: Object.fromEntries(
          Object.entries(message.MessageAttributes ?? {}).flatMap(([name, { StringValue: value }]) =>
            value === undefined ? [] : [[name, value] as const],
          ),
        ),
        sentMs: Number(sent ?? 0),
        ...(groupId === undefined ? {} : { groupId }),
      };
    });
  }

  async show(queue: string, receipts: readonly string[]): Promise<void> {
    const QueueUrl = this.#url(queue);
    await this.#inBatches(receipts, async (entries) => {
      const { Failed } = await this.#client.send(
        new ChangeMessageVisibilityBatchCommand({
          QueueUrl,
          Entries: entries.map((entry) => ({ ...entry, VisibilityTimeout: 0 })),
        }),
      );
      return Failed;
    });
  }

  async remove(queue: string, receipts: readonly string[]): Promise<void> {
    const QueueUrl = this.#url(queue);
    await this.#inBatches(receipts, async (Entries) => {
      const { Failed } = await this.#client.send(new DeleteMessageBatchCommand({ QueueUrl, Entries }));
      return Failed;
    });
  }

  async count(queue: string): Promise<QueueCounts> {
    return countMessages(this.#client, this.#url(queue));
  }

  async #inBatches(
    receipts: readonly string[],
    ask: (entries: { Id: string; ReceiptHandle: string }[]) => Promise<readonly BatchFailure[] | undefined>,
  ): Promise<void> {
    const batches: string[][] = [];
    for (let from = 0; from < receipts.length; from += SQS_MAX_BATCH_ENTRIES)
      batches.push(receipts.slice(from, from + SQS_MAX_BATCH_ENTRIES));
    await mapConcurrently(batches, REQUESTS_AT_ONCE, async (batch) => {
      const failed = await ask(batch.map((receipt, index) => ({ Id: String(index), ReceiptHandle: receipt })));
      const first = failed?.find(({ Code: code = '' }) => !VOID.has(code.slice(code.lastIndexOf('.') + 1)));
      if (first === undefined) return;
      throw Object.assign(
        new Error(`${failed?.length ?? 0} of ${batch.length} letters: ${first.Message ?? first.Code}`),
        {
          name: first.Code ?? 'Unknown',
        },
      );
    });
  }

  /** @throws QueueNotFound */
  #url(queue: string): string {
    const url = this.#urls[queue];
    if (url !== undefined) return url;
    const known = Object.keys(this.#urls);
    throw new QueueNotFound(
      `No URL is known of the dead-letter queue of ${quoted(queue)}. ${known.length === 0 ? 'This process is told of none' : `It is told of those of ${known.join(', ')}`}: senders are not told; grantDeadLetters(fn) tells, and so does the parameter /celeriac/<app>.`,
    );
  }
}

const COUNTS = [
  'ApproximateNumberOfMessages',
  'ApproximateNumberOfMessagesNotVisible',
  'ApproximateNumberOfMessagesDelayed',
] as const;

/** What SQS counts of a queue, about a minute late. */
export async function countMessages(client: SQSClient, QueueUrl: string): Promise<QueueCounts> {
  const { Attributes } = await client.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: [...COUNTS] }));
  const [visible = 0, hidden = 0, delayed = 0] = COUNTS.map((name) => Number(Attributes?.[name] ?? 0));
  return { visible, hidden, delayed };
}
