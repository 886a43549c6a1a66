/** What follows from an end that stands, told by a message that finds it. */
import { attemptNumber } from '../wire/attempt-number.ts';
import { announceEnd } from '#deployed/worker/hooks';
import { TaskRevokedError } from '../base/errors.ts';
import { REVOKED } from '../base/states.ts';
import type { TaskRecord } from '../ports/backend.ts';
import type { Delivery } from '../ports/delivery.ts';
import type { Message } from '../wire/message.ts';
import { committedOf, pastOf } from './committed.ts';
import { hasEndedNext } from './decide.ts';
import { settle } from './settle.ts';
import type { SettlingWorker } from './settle-followers.ts';

/**
 * Settles an end again: whoever wrote it may have died before it was told.
 *
 * @param own whether the record is of this very attempt. Of an older one it may be the next attempt's, where this message
 * has written it, or its own, after which somebody had the task run once more.
 */
export async function settleEnded(
  message: Message,
  delivery: Delivery,
  record: TaskRecord,
  worker: SettlingWorker,
  own: boolean,
): Promise<void> {
  const past = pastOf(record, attemptNumber(message));
  if (past !== undefined)
    // Its chain goes on, or fails, with the attempt that came after.
    return settle({ ...message, embed: { ...message.embed, chain: null } }, delivery, past, worker);
  if (own) {
    // Whoever revoked it wrote its end; that it does not run is told where its message comes.
    if (worker.app.signals !== undefined && record.status === REVOKED && record.owner === undefined)
      await announceEnd(message, REVOKED, new TaskRevokedError('revoked'), worker);
    return settle(message, delivery, committedOf(record), worker);
  }
  if (hasEndedNext(record, attemptNumber(message)))
    await settle({ ...message, retries: message.retries + 1 }, delivery, committedOf(record), worker);
}
