/** The broker on SQS. */
import type { MessageAttributeValue, SendMessageBatchRequestEntry, SQSClient } from '@aws-sdk/client-sqs';
import { ChangeMessageVisibilityCommand, SendMessageBatchCommand, SendMessageCommand } from '#aws-sdk';

import { errorText } from '../base/error-text.ts';
import { SQS_MAX_BATCH_ENTRIES, SQS_MAX_MESSAGE_BYTES, SQS_MAX_VISIBILITY_SECONDS } from '../base/limits.ts';
import { isPassing } from '../base/passing.ts';
import type { Broker, OutgoingMessage, SendOutcome } from '../ports/broker.ts';
import { mapConcurrently } from '../base/map-concurrently.ts';
import { messageBytes, refusalOf } from '../ports/sqs-refusals.ts';

/** Where a queue is. */
export interface QueueAddress {
  /** URL of the queue. */
  readonly url: string;
  /** URL of its dead-letter queue; a function that only enqueues needs none. */
  readonly deadLetterUrl?: string;
  /** Whether it is a FIFO queue. */
  readonly fifo: boolean;
}

/** Where the queues are, and by what they are reached. */
export interface SqsBrokerOptions {
  /** What sends its requests. */
  readonly client: SQSClient;
  /** Celery queue name -> where it is. */
  readonly queues: Readonly<Record<string, QueueAddress>>;
}

type Parts = Omit<SendMessageBatchRequestEntry, 'Id'>;

// Requests at a time. The SDK's client has 50 sockets: what is beyond waits in its memory, and it writes warnings of its own.
const WIDTH = 32;
// Receipts that a newer delivery or a deletion made void: nothing is left to change.
const VOID_RECEIPT = new Set(['ReceiptHandleIsInvalid', 'MessageNotInflight', 'InvalidParameterValue']);

/** Queues on SQS: ten messages in a request as far as they fit, and an outcome for each. */
export class SqsBroker implements Broker {
  readonly #client: SQSClient;
  readonly #queues: Readonly<Record<string, QueueAddress>>;

  /** Sends nothing yet. */
  constructor(options: SqsBrokerOptions) {
    this.#client = options.client;
    this.#queues = options.queues;
  }

  async changeVisibility(queue: string, receipt: string, delaySeconds: number): Promise<void> {
    const address = this.#queues[queue];
    if (address === undefined) return;
    try {
      await this.#client.send(
        new ChangeMessageVisibilityCommand({
          QueueUrl: address.url,
          ReceiptHandle: receipt,
          VisibilityTimeout: Math.min(SQS_MAX_VISIBILITY_SECONDS, Math.max(0, Math.ceil(delaySeconds))),
        }),
      );
    } catch (error) {
      if (!(error instanceof Error && VOID_RECEIPT.has(error.name))) throw error;
    }
  }

  async send(items: readonly OutgoingMessage[]): Promise<SendOutcome[]> {
    const outcomes: SendOutcome[] = Array.from({ length: items.length });
    const byUrl = new Map<string, number[]>();
    for (const [index, item] of items.entries()) {
      const address = this.#queues[item.queue];
      const url = item.deadLetter ? address?.deadLetterUrl : address?.url;
      const refusal = url === undefined ? unknownQueue(item) : refusalOf(item, address?.fifo ?? false);
      if (url === undefined || refusal !== undefined) outcomes[index] = refusal ?? unknownQueue(item);
      else {
        const indexes = byUrl.get(url);
        if (indexes) indexes.push(index);
        else byUrl.set(url, [index]);
      }
    }
    const lines = [...byUrl].flatMap(([url, indexes]) => linesOf(url, pack(indexes, items)));
    await mapConcurrently(lines, WIDTH, async ({ url, batches }) => {
      // Groups of a FIFO queue of which a message may be sent later: those behind it would overtake it.
      const halted = new Map<string, SendOutcome>();
      for (const batch of batches) {
        const open = batch.filter((index) => !halted.has(groupOf(items[index])));
        await this.#sendBatch(url, open, items, outcomes);
        for (const index of batch) {
          const outcome = (outcomes[index] ??= halted.get(groupOf(items[index])) ?? unknownOutcome());
          if (!outcome.ok && outcome.retryable) halted.set(groupOf(items[index]), outcome);
        }
      }
    });
    return outcomes;
  }

  async #sendBatch(
    url: string,
    batch: readonly number[],
    items: readonly OutgoingMessage[],
    outcomes: SendOutcome[],
  ): Promise<void> {
    if (batch.length === 0) return;
    try {
      const [only] = batch;
      if (batch.length === 1 && only !== undefined) await this.#sendOne(url, only, items, outcomes);
      else await this.#sendMany(url, batch, items, outcomes);
    } catch (error) {
      // One batch's failure says nothing about the others: each item gets its own outcome.
      for (const index of batch) outcomes[index] ??= failed(error);
    }
  }

  async #sendOne(
    url: string,
    index: number,
    items: readonly OutgoingMessage[],
    outcomes: SendOutcome[],
  ): Promise<void> {
    const item = items[index];
    if (item === undefined) return;
    const { MessageId } = await this.#client.send(new SendMessageCommand({ QueueUrl: url, ...this.#partsOf(item) }));
    outcomes[index] = { ok: true, messageId: MessageId ?? '' };
  }

  async #sendMany(
    url: string,
    batch: readonly number[],
    items: readonly OutgoingMessage[],
    outcomes: SendOutcome[],
  ): Promise<void> {
    const entries = batch.flatMap((index) => {
      const item = items[index];
      return item === undefined ? [] : [{ Id: String(index), ...this.#partsOf(item) }];
    });
    // HTTP 200 does not mean that every entry was taken: Failed has to be read.
    const { Successful, Failed } = await this.#client.send(
      new SendMessageBatchCommand({ QueueUrl: url, Entries: entries }),
    );
    for (const entry of Successful ?? []) outcomes[Number(entry.Id)] = { ok: true, messageId: entry.MessageId ?? '' };
    for (const entry of Failed ?? []) {
      outcomes[Number(entry.Id)] = {
        ok: false,
        code: entry.Code ?? 'Unknown',
        message: entry.Message ?? 'SQS gave no reason',
        retryable: entry.SenderFault !== true,
      };
    }
    for (const index of batch) outcomes[index] ??= unknownOutcome();
  }

  #partsOf(item: OutgoingMessage): Parts {
    const fifo = this.#queues[item.queue]?.fifo ?? false;
    const groupId = item.groupId ?? (fifo ? 'default' : undefined);
    return {
      MessageBody: item.body,
      ...(item.delaySeconds === undefined || item.delaySeconds === 0 ? {} : { DelaySeconds: item.delaySeconds }),
      ...(groupId === undefined ? {} : { MessageGroupId: groupId }),
      ...(fifo && item.deduplicationId !== undefined ? { MessageDeduplicationId: item.deduplicationId } : {}),
      ...(item.attributes === undefined ? {} : { MessageAttributes: attributesOf(item.attributes) }),
    };
  }
}

function attributesOf(attributes: Readonly<Record<string, string>>): Record<string, MessageAttributeValue> {
  return Object.fromEntries(
    Object.entries(attributes).map(([name, value]) => [name, { DataType: 'String', StringValue: value }]),
  );
}

interface Line {
  readonly url: string;
  /** Sent one after the other. */
  readonly batches: readonly (readonly number[])[];
}

function linesOf(url: string, batches: readonly (readonly number[])[]): Line[] {
  // Two requests at a time could overtake each other, and order is what a FIFO queue is for.
  return url.endsWith('.fifo') ? [{ url, batches }] : batches.map((batch) => ({ url, batches: [batch] }));
}

function groupOf(item: OutgoingMessage | undefined): string {
  return item?.groupId ?? '';
}

/** Batches of at most ten entries and 1 MiB together; order within a queue is kept. */
function pack(indexes: readonly number[], items: readonly OutgoingMessage[]): number[][] {
  const batches: number[][] = [];
  let bytes = 0;
  for (const index of indexes) {
    const item = items[index];
    const size = item === undefined ? 0 : messageBytes(item);
    const last = batches.at(-1);
    if (last !== undefined && last.length < SQS_MAX_BATCH_ENTRIES && bytes + size <= SQS_MAX_MESSAGE_BYTES) {
      last.push(index);
      bytes += size;
    } else {
      batches.push([index]);
      bytes = size;
    }
  }
  return batches;
}

function unknownOutcome(): SendOutcome {
  return { ok: false, code: 'NoOutcome', message: 'SQS did not report on this entry', retryable: true };
}

function unknownQueue(item: OutgoingMessage): SendOutcome {
  return {
    ok: false,
    code: 'QueueDoesNotExist',
    message: `no URL is known for ${item.deadLetter ? 'the dead-letter queue of ' : ''}queue '${item.queue}'`,
    retryable: false,
  };
}

function failed(error: unknown): SendOutcome {
  const { name: code, message } = errorText(error);
  return { ok: false, code, message, retryable: isPassing(error), cause: error };
}
