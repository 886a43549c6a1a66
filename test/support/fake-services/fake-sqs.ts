/** SQS's sending side in this process: what it takes lands in a MemoryBroker, which delivers in virtual time. */
import {
  ChangeMessageVisibilityCommand,
  SendMessageBatchCommand,
  type SendMessageBatchRequestEntry,
  SendMessageCommand,
  SQSServiceException,
} from '@aws-sdk/client-sqs';
import type { Broker, OutgoingMessage, SendOutcome } from '../../../lib/ports/broker.ts';

export interface FakeQueue {
  readonly queue: string;
  readonly deadLetter: boolean;
}

type Parts = Omit<SendMessageBatchRequestEntry, 'Id'>;

// Amazon's own figures.
const MAX_ENTRIES = 10;
const MAX_REQUEST_BYTES = 1_048_576;
const MAX_VISIBILITY_SECONDS = 43_200;

export class FakeSqs {
  readonly #broker: Broker;
  /** By URL. */
  readonly #queues: Readonly<Record<string, FakeQueue>>;

  constructor(broker: Broker, queues: Readonly<Record<string, FakeQueue>>) {
    this.#broker = broker;
    this.#queues = queues;
  }

  /** As the SDK's client. */
  async send(command: unknown): Promise<object> {
    if (command instanceof SendMessageCommand) return this.#sendOne(command.input);
    if (command instanceof SendMessageBatchCommand) return this.#sendMany(command.input);
    if (command instanceof ChangeMessageVisibilityCommand) return this.#changeVisibility(command.input);
    throw new Error(`The fake SQS does not know ${(command as object).constructor.name}.`);
  }

  isFifo(url: string | undefined): boolean {
    this.#queueAt(url);
    return url?.endsWith('.fifo') === true;
  }

  #queueAt(url: string | undefined): FakeQueue {
    const queue = this.#queues[url ?? ''];
    if (queue === undefined) throw refused('QueueDoesNotExist', 'The specified queue does not exist.');
    return queue;
  }

  async #sendOne({ QueueUrl: url, ...parts }: SendMessageCommand['input']): Promise<object> {
    const [outcome] = await this.#broker.send([messageOf(this.#queueAt(url), parts)]);
    if (outcome?.ok === true) return { MessageId: outcome.messageId };
    throw refused(outcome?.code ?? 'InternalError', outcome?.message ?? 'no outcome');
  }

  async #sendMany({ QueueUrl: url, Entries: entries = [] }: SendMessageBatchCommand['input']): Promise<object> {
    const queue = this.#queueAt(url);
    if (entries.length === 0) throw refused('EmptyBatchRequest', 'The batch request has no entries.');
    if (entries.length > MAX_ENTRIES) throw refused('TooManyEntriesInBatchRequest', `${entries.length} entries`);
    const ids = new Set(entries.map(({ Id: id = '' }) => id));
    if (ids.size < entries.length) throw refused('BatchEntryIdsNotDistinct', 'Two entries have one Id.');
    for (const id of ids)
      if (!/^[\w-]{1,80}$/.test(id)) throw refused('InvalidBatchEntryId', `The Id '${id}' is not allowed.`);
    const bytes = entries.reduce((sum, entry) => sum + bytesOf(entry), 0);
    if (bytes > MAX_REQUEST_BYTES) throw refused('BatchRequestTooLong', `The batch has ${bytes} bytes.`);
    const outcomes: SendOutcome[] = [];
    // One after the other: the order of a FIFO queue.
    for (const { Id: _id, ...parts } of entries) outcomes.push(...(await this.#broker.send([messageOf(queue, parts)])));
    const reports = entries.map(({ Id }, index) => ({ Id, outcome: outcomes[index] }));
    return {
      Successful: reports.flatMap(({ Id, outcome }) =>
        outcome?.ok === true ? [{ Id, MessageId: outcome.messageId }] : [],
      ),
      Failed: reports.flatMap(({ Id, outcome }) =>
        outcome === undefined || outcome.ok
          ? []
          : [{ Id, Code: outcome.code, Message: outcome.message, SenderFault: true }],
      ),
    };
  }

  async #changeVisibility(input: ChangeMessageVisibilityCommand['input']): Promise<object> {
    const { QueueUrl: url, ReceiptHandle: receipt = '', VisibilityTimeout: seconds = -1 } = input;
    if (!Number.isInteger(seconds) || seconds < 0 || seconds > MAX_VISIBILITY_SECONDS)
      throw refused('InvalidParameterValue', `VisibilityTimeout ${seconds}`);
    await this.#broker.changeVisibility(this.#queueAt(url).queue, receipt, seconds);
    return {};
  }
}

function messageOf({ queue, deadLetter }: FakeQueue, parts: Parts): OutgoingMessage {
  const { MessageBody, DelaySeconds, MessageGroupId, MessageDeduplicationId, MessageAttributes, ...rest } = parts;
  const strange = Object.keys(rest);
  if (strange.length > 0) throw new Error(`The fake SQS does not know ${strange.join(', ')}.`);
  const attributes = Object.entries(MessageAttributes ?? {}).map(([name, { DataType: type, StringValue: value }]) => {
    if (type !== 'String' || value === undefined) throw refused('InvalidParameterValue', `attribute ${name}`);
    return [name, value] as const;
  });
  return {
    queue,
    body: MessageBody ?? '',
    ...(deadLetter ? { deadLetter } : {}),
    ...(DelaySeconds === undefined ? {} : { delaySeconds: DelaySeconds }),
    ...(MessageGroupId === undefined ? {} : { groupId: MessageGroupId }),
    ...(MessageDeduplicationId === undefined ? {} : { deduplicationId: MessageDeduplicationId }),
    ...(MessageAttributes === undefined ? {} : { attributes: Object.fromEntries(attributes) }),
  };
}

function bytesOf({ MessageBody: body = '', MessageAttributes: attributes = {} }: Parts): number {
  return Object.entries(attributes).reduce(
    (sum, [name, { DataType: type = '', StringValue: value = '' }]) => sum + Buffer.byteLength(name + type + value),
    Buffer.byteLength(body),
  );
}

function refused(name: string, message: string): SQSServiceException {
  return new SQSServiceException({ name, message, $fault: 'client', $metadata: { httpStatusCode: 400 } });
}
