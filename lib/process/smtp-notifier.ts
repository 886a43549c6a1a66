/** Mails by a mail server, for processes: by nodemailer, which is read where a server is named and nowhere else. */
import type * as Nodemailer from 'nodemailer';

import { ImproperlyConfigured } from '../base/errors.ts';
import { NOTICE_SEND_SECONDS } from '../base/limits.ts';
import { logFailed } from '../notify/send.ts';
import type { MailServer } from '../options/mail-server.ts';
import type { Logger } from '../ports/log.ts';
import type { Mail, Notifier } from '../ports/notices.ts';

// Each step of a mail has a part of what whoever waits for it waits; the next look sends what was not taken.
const STEP_MS = (NOTICE_SEND_SECONDS * 1000) / 2;

type Library = Pick<typeof Nodemailer, 'createTransport'>;

/** @throws ImproperlyConfigured where nodemailer is not installed */
export async function smtpNotifier(
  server: MailServer,
  logger: Logger,
  read: () => Promise<Library> = () => import('nodemailer'),
): Promise<Notifier> {
  try {
    return new SmtpNotifier(server, logger, await read());
  } catch (error) {
    if ((error as { readonly code?: unknown }).code !== 'ERR_MODULE_NOT_FOUND') throw error;
    throw new ImproperlyConfigured(
      'Mails are sent by nodemailer, which is not installed here. Add it to the project: npm install nodemailer@10.',
    );
  }
}

class SmtpNotifier implements Notifier {
  readonly #server: MailServer;
  readonly #logger: Logger;
  readonly #transport: ReturnType<typeof transportTo>;

  constructor(server: MailServer, logger: Logger, library: Library) {
    this.#server = server;
    this.#logger = logger;
    this.#transport = transportTo(server, library);
  }

  async send({ subject, text }: Mail): Promise<void> {
    const { from, to, host } = this.#server;
    // RFC 3834: no machine answers it with an out-of-office note.
    const headers = { 'Auto-Submitted': 'auto-generated' };
    // Throws where nobody's address was taken.
    const { rejected } = await this.#transport.sendMail({ from, to: [...to], subject, text, headers });
    // To send it again would be one more for those who have it.
    if (rejected.length > 0) {
      const addresses = rejected.join(', ');
      logFailed(`${host} took the mail "${subject}" for others, and not for ${addresses}`, this.#logger);
    }
  }
}

function transportTo({ host, port, tls, user, password }: MailServer, { createTransport }: Library) {
  return createTransport({
    host,
    port,
    secure: tls === 'always',
    requireTLS: tls === 'required',
    ignoreTLS: tls === 'none',
    ...(user === undefined ? {} : { auth: { user, pass: password ?? '' } }),
    connectionTimeout: STEP_MS,
    greetingTimeout: STEP_MS,
    socketTimeout: STEP_MS,
    // Texts are strangers': none of them names a file or an address to be read.
    disableFileAccess: true,
    disableUrlAccess: true,
  });
}
