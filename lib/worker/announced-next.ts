/** The message that a stored end announces: the next attempt's, or the same one's next part. Nobody may have sent it. */
import { RETRY } from '../base/states.ts';
import type { TaskRecord } from '../ports/backend.ts';
import type { Message } from '../wire/message.ts';
import { nextPart } from '../wire/next-attempt.ts';
import { readSettlement } from './committed.ts';

/** Undefined where the record waits for nothing. As much of the message as tells whose end it is. */
export function announcedBy(record: TaskRecord | undefined, message: Message): Message | undefined {
  if (record?.status !== RETRY) return undefined;
  const { retry } = readSettlement(record.settlement);
  return retry?.overrides.part === undefined ? { ...message, retries: message.retries + 1 } : nextPart(message);
}
