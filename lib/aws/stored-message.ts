/** Messages that wait in a table. Untrusted: whoever may write there may have written anything. */
import { asMessageText, isDeduplicationId, isGroupId, isMessageText } from '../base/sqs-text.ts';
import type { OutgoingMessage } from '../ports/broker.ts';

/**
 * A stored message goes to a queue, as its sender could have sent it: no dead letter, no attributes. What is no message
 * has no queue, and leaves as any other that its queue does not take.
 */
export function storedMessage(text: string): OutgoingMessage {
  const { queue, body, groupId, deduplicationId } = fieldsIn(text);
  if (typeof queue !== 'string' || typeof body !== 'string' || body === '' || !isMessageText(body))
    // Of a dead letter: what SQS takes nowhere would stay for ever.
    return { queue: '', body: text === '' ? '{}' : asMessageText(text) };
  return {
    queue,
    body,
    ...(typeof groupId === 'string' && isGroupId(groupId) ? { groupId } : {}),
    ...(typeof deduplicationId === 'string' && isDeduplicationId(deduplicationId) ? { deduplicationId } : {}),
  };
}

function fieldsIn(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}
