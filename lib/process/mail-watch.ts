/** A process with a mail server looks once a minute what is to be told: what could not be sent, what functions marked, digests. */
import { tellCounted } from '../history/tell-due.ts';
import type { Sending } from '../notify/send.ts';
import type { Clock } from '../base/time.ts';
import type { History } from '../ports/history.ts';
import type { Logger } from '../ports/log.ts';
import type { Notifying } from '../ports/notices.ts';

const EVERY_MS = 60_000;
// Notes of minutes that were written late are the sweeper's.
const NO_NOTES = 1;

export interface MailWatchParts {
  readonly notifying: Notifying & Pick<Sending, 'notifier'>;
  readonly history: Pick<History, 'rollState'>;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** Until `over` aborts, and what it began by then is done. Never throws. */
export async function watchMails(
  { notifying, history, clock, logger }: MailWatchParts,
  over: AbortSignal,
): Promise<void> {
  const rolledUntilMs = async (): Promise<number> => (await history.rollState(NO_NOTES)).untilMs ?? 0;
  while (!over.aborted) {
    await tellCounted(rolledUntilMs, notifying, { clock, logger });
    await clock.sleep(EVERY_MS, over);
  }
}
