/** An older attempt's message that has ended the next one is the only one which can tell what follows from that. */
import type { TaskRecord } from '../ports/backend.ts';
import type { Delivery } from '../ports/delivery.ts';
import type { Message } from '../wire/message.ts';
import { committedOf } from './committed.ts';
import { hasEndedNext } from './decide.ts';
import { settle } from './settle.ts';
import type { SettlingWorker } from './settle-followers.ts';

/** Settles the next attempt's end again, where this message has written it; whoever did may have died before it was told. */
export async function settleEndedNext(
  message: Message,
  delivery: Delivery,
  record: TaskRecord,
  worker: SettlingWorker,
): Promise<void> {
  if (hasEndedNext(record, message.retries))
    await settle({ ...message, retries: message.retries + 1 }, delivery, committedOf(record), worker);
}
