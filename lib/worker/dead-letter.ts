/** Messages on their way to a dead-letter queue. */
import { SQS_MAX_MESSAGE_BYTES } from '../base/limits.ts';
import type { OutgoingMessage } from '../ports/broker.ts';
import type { Ports } from '../ports/ports.ts';
import { asMessageText } from '../base/sqs-text.ts';
import type { Delivery } from '../ports/delivery.ts';

const LONGEST_ATTRIBUTE_CHARACTERS = 1024;
// The attribute's data type, 'String', counts towards the size too.
const ATTRIBUTE_TYPE_BYTES = 6;

/** The message with its bytes untouched, and why it lies there. */
export function letterFor(delivery: Delivery, attributes: Readonly<Record<string, string>>): OutgoingMessage {
  const clean: Record<string, string> = {};
  for (const [name, value] of Object.entries({ ...attributes, origin_queue: delivery.queue })) {
    const text = asMessageText(value.slice(0, LONGEST_ATTRIBUTE_CHARACTERS));
    // SQS refuses empty values.
    if (text !== '') clean[name] = text;
  }
  return {
    queue: delivery.queue,
    deadLetter: true,
    body: delivery.body,
    attributes: fitting(delivery.body, clean),
    ...(delivery.groupId === undefined ? {} : { groupId: delivery.groupId }),
    // FIFO: the same message twice within five minutes is one letter.
    deduplicationId: delivery.messageId,
  };
}

/** A message that fills SQS's limit by itself keeps its bytes; the attributes give way. */
function fitting(body: string, attributes: Readonly<Record<string, string>>): Record<string, string> {
  let free = SQS_MAX_MESSAGE_BYTES - Buffer.byteLength(body);
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(attributes)) {
    const bytes = Buffer.byteLength(name) + Buffer.byteLength(value) + ATTRIBUTE_TYPE_BYTES;
    if (bytes > free) continue;
    free -= bytes;
    kept[name] = value;
  }
  return kept;
}

export async function sendLetters(letters: readonly OutgoingMessage[], ports: Pick<Ports, 'broker'>): Promise<void> {
  if (letters.length === 0) return;
  for (const outcome of await ports.broker.send(letters)) {
    if (outcome.ok) continue;
    const { code, message, retryable } = outcome;
    throw Object.assign(new Error(`The dead letter was not sent: ${code}: ${message}`), { retryable });
  }
}
