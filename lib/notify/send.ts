/** A mail is sent, or it is logged that it was not: whatever an address or a server refuses, no task and no sweep fails for it. */
import { errorLine } from '../base/error-text.ts';
import type { Logger } from '../ports/log.ts';
import type { Failure, Mail, Notices, Notifier, Notifying } from '../ports/notices.ts';
import { failureMail, type MailPlace } from './mail.ts';

/** In the field `code` of log lines. */
export const NOTIFICATION_FAILED = 'NOTIFICATION_FAILED';

export interface Sending {
  readonly notices: Pick<Notices, 'told'>;
  readonly notifier: Notifier;
  readonly place: MailPlace;
  readonly logger: Logger;
}

/** @returns whether it was taken. Never throws. */
export async function sendMail(
  mail: Mail,
  { notifier, logger }: Pick<Sending, 'notifier' | 'logger'>,
): Promise<boolean> {
  try {
    await notifier.send(mail);
    return true;
  } catch (error) {
    logFailed(`The mail "${mail.subject}" was not sent: ${errorLine(error)}`, logger);
    return false;
  }
}

/** Sends the mail of a marked failure, and notes that: sent before it is noted, so that it is told at least once. Never throws. */
export async function tellMarked(failure: Failure, sending: Sending): Promise<boolean> {
  const { notices, place, logger } = sending;
  if (!(await sendMail(failureMail(failure, place), sending))) return false;
  try {
    await notices.told(failure.key);
  } catch (error) {
    logFailed(`That a failure was told is not noted, and it is told again: ${errorLine(error)}`, logger);
  }
  return true;
}

export function logFailed(message: string, logger: Logger): void {
  logger.log('error', message, { code: NOTIFICATION_FAILED });
}

/** The same, by a sender of the process. */
export function sentBy(
  notifier: Notifier,
  notify: (() => Promise<Notifying>) | undefined,
): (() => Promise<Notifying & Pick<Sending, 'notifier'>>) | undefined {
  return notify && (async () => ({ ...(await notify()), notifier }));
}
