/** Messages on their way to a dead-letter queue. */
import { SQS_MAX_MESSAGE_BYTES } from '../base/limits.ts';
import type { OutgoingMessage } from '../ports/broker.ts';
import type { Ports } from '../ports/ports.ts';
import { asMessageText } from '../base/sqs-text.ts';
import type { Delivery } from '../ports/delivery.ts';
import { queueOfLane } from '../options/declared-queue.ts';
import type { Message } from '../wire/message.ts';
import type { App } from '../producer/app.ts';

const LONGEST_ATTRIBUTE_CHARACTERS = 1024;
// The attribute's data type, 'String', counts towards the size too.
const ATTRIBUTE_TYPE_BYTES = 6;

/** Why a message is dead-lettered. */
export interface DeadLetterCause {
  readonly reason: string;
  /** `name: message` of the error. */
  readonly error: string;
  /** How often it was delivered. Default: as often as SQS has counted. */
  readonly deliveries?: number;
}

/** The task of a message, as much as can be read of it. */
export type NamedTask = Pick<Message, 'id' | 'task'> | undefined;

/** The message with its bytes untouched, and why it lies there. Every dead letter is made here. */
export function deadLetter(
  delivery: Delivery,
  { reason, error, deliveries = delivery.receiveCount }: DeadLetterCause,
  named: NamedTask,
  { app, ports }: { readonly app: Pick<App, 'settings'>; readonly ports: Pick<Ports, 'clock'> },
): OutgoingMessage {
  const { queue, body, groupId, messageId } = delivery;
  // What matters most comes first: where there is no room for all, the last give way.
  const attributes = {
    reason,
    error,
    ...(named === undefined ? {} : { task: named.task, task_id: named.id }),
    origin_queue: queue,
    failed_at: new Date(ports.clock.nowMs()).toISOString(),
    deliveries: String(deliveries),
  };
  return {
    // Lanes share one; the attribute says which lane it came from.
    queue: queueOfLane(queue, app.settings),
    deadLetter: true,
    body,
    attributes: fitting(body, attributes),
    ...(groupId === undefined ? {} : { groupId }),
    // FIFO: the same message twice within five minutes is one letter.
    deduplicationId: messageId,
  };
}

/** A message that fills SQS's limit by itself keeps its bytes; the attributes give way. */
function fitting(body: string, attributes: Readonly<Record<string, string>>): Record<string, string> {
  let free = SQS_MAX_MESSAGE_BYTES - Buffer.byteLength(body);
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(attributes)) {
    const text = asMessageText(value.slice(0, LONGEST_ATTRIBUTE_CHARACTERS));
    const bytes = Buffer.byteLength(name) + Buffer.byteLength(text) + ATTRIBUTE_TYPE_BYTES;
    // SQS refuses empty values.
    if (text === '' || bytes > free) continue;
    free -= bytes;
    kept[name] = text;
  }
  return kept;
}

export async function sendDeadLetters(
  deadLetters: readonly OutgoingMessage[],
  ports: Pick<Ports, 'broker'>,
): Promise<void> {
  for (const outcome of await ports.broker.send(deadLetters)) {
    if (outcome.ok) continue;
    const { code, message, retryable } = outcome;
    throw Object.assign(new Error(`The dead letter was not sent: ${code}: ${message}`), { retryable });
  }
}
