/** What follows from a committed outcome is done, where something does. */
import { settleFollowers } from '#deployed/worker/settle-followers';
import type { Delivery } from '../ports/delivery.ts';
import type { Message } from '../wire/message.ts';
import type { Committed } from './committed.ts';
import { followersOf } from './followers.ts';
import type { SettlingWorker } from './settle-followers.ts';

/** @throws SettleInterrupted where the time is nearly over: the next delivery goes on. */
export async function settle(
  message: Message,
  delivery: Delivery,
  committed: Committed,
  worker: SettlingWorker,
): Promise<void> {
  await worker.history?.note(message, delivery, committed);
  const followers = followersOf(message, committed, worker.app);
  // Most tasks are followed by nothing.
  if (followers.length > 0) await settleFollowers(followers, message, delivery, committed, worker);
}
