/** What SQS refuses of a message, told without asking: it circles otherwise, and one such entry fails its whole request. */
import {
  SQS_MAX_ATTRIBUTE_NAME_CHARACTERS,
  SQS_MAX_ATTRIBUTES,
  SQS_MAX_DEDUPLICATION_ID_CHARACTERS,
  SQS_MAX_DELAY_SECONDS,
  SQS_MAX_GROUP_ID_CHARACTERS,
  SQS_MAX_MESSAGE_BYTES,
} from '../base/limits.ts';
import type { OutgoingMessage, SendOutcome } from './broker.ts';
import { quoted } from '../base/quote.ts';
import { isDeduplicationId, isGroupId, isMessageText } from '../base/sqs-text.ts';

type Refusal = Extract<SendOutcome, { readonly ok: false }>;

/** Bytes that count: the body, and of each attribute its name, type and value. */
export function messageBytes({ body, attributes = {} }: Pick<OutgoingMessage, 'body' | 'attributes'>): number {
  return Object.entries(attributes).reduce(
    (sum, [name, value]) => sum + Buffer.byteLength(name) + Buffer.byteLength(value) + 'String'.length,
    Buffer.byteLength(body),
  );
}

/** Why SQS does not take a message; undefined where it does. */
export function refusalOf(item: OutgoingMessage, fifo: boolean): Refusal | undefined {
  const { body, delaySeconds = 0, groupId, deduplicationId } = item;
  if (!(Number.isInteger(delaySeconds) && delaySeconds >= 0 && delaySeconds <= SQS_MAX_DELAY_SECONDS))
    return refuse(`DelaySeconds ${delaySeconds}: 0 to ${SQS_MAX_DELAY_SECONDS}, whole, is allowed`);
  if (fifo && delaySeconds > 0) return refuse('DelaySeconds: a FIFO queue takes none for a single message');
  if (body === '') return refuse('the message has no body');
  if (!isMessageText(body))
    return refuse('the body has characters that XML 1.0 does not have', 'InvalidMessageContents');
  const bytes = messageBytes(item);
  if (bytes > SQS_MAX_MESSAGE_BYTES)
    return refuse(`the message has ${bytes} bytes; ${SQS_MAX_MESSAGE_BYTES} are allowed`);
  if (groupId !== undefined && !isGroupId(groupId))
    return refuse(
      `MessageGroupId ${quoted(groupId)}: 1 to ${SQS_MAX_GROUP_ID_CHARACTERS} letters, digits and punctuation of ASCII are allowed`,
    );
  if (fifo && deduplicationId !== undefined && !isDeduplicationId(deduplicationId))
    return refuse(
      `MessageDeduplicationId ${quoted(deduplicationId)}: 1 to ${SQS_MAX_DEDUPLICATION_ID_CHARACTERS} letters, digits and punctuation of ASCII are allowed`,
    );
  return refusedAttribute(item.attributes ?? {});
}

const ATTRIBUTE_NAME = /^(?!aws\.|amazon\.|\.)(?!.*\.\.)[A-Za-z0-9_.-]*[A-Za-z0-9_-]$/i;

function refusedAttribute(attributes: Readonly<Record<string, string>>): Refusal | undefined {
  const entries = Object.entries(attributes);
  if (entries.length > SQS_MAX_ATTRIBUTES)
    return refuse(`the message has ${entries.length} attributes; ${SQS_MAX_ATTRIBUTES} are allowed`);
  for (const [name, value] of entries) {
    if (name.length > SQS_MAX_ATTRIBUTE_NAME_CHARACTERS || !ATTRIBUTE_NAME.test(name))
      return refuse(`the attribute's name ${quoted(name)} is not allowed`);
    if (value === '' || !isMessageText(value))
      return refuse(`the attribute ${name} is empty, or has characters that XML 1.0 does not have`);
  }
  return undefined;
}

function refuse(message: string, code = 'InvalidParameterValue'): Refusal {
  return { ok: false, code, message, retryable: false };
}
