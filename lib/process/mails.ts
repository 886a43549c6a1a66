/** Mails about failures from a worker process, where its environment names a mail server. */
import { connect } from '../aws/connect.ts';
import type { Clients } from '../aws/connected.ts';
import { ImproperlyConfigured } from '../base/errors.ts';
import { systemClock, systemRandom } from '../base/time.ts';
import { sentBy } from '../notify/send.ts';
import { MAIL_VARIABLES, readMailServer } from '../options/mail-server.ts';
import type { Environment } from '../options/manifest.ts';
import type { Ports } from '../ports/ports.ts';
import type { App } from '../producer/app.ts';
import { watchMails } from './mail-watch.ts';
import { smtpNotifier } from './smtp-notifier.ts';

export interface ProcessMails {
  /** By which server, for a log line. */
  readonly place: string;
  /** For the ports of the worker: what fails there is told at once. */
  readonly wrap: (ports: Ports) => Partial<Ports>;
  /** Looks from now on what else is to be told. */
  begin(): void;
  /** Looks no more; what was begun is done then. */
  stop(): Promise<void>;
}

interface MailsOf {
  readonly app: App;
  readonly environment: Environment;
  readonly clients: Clients;
}

/**
 * @returns undefined where no server is named
 * @throws InvalidOption; ImproperlyConfigured for a service that tells nobody, or tells by a topic, and without nodemailer
 */
export async function processMails(
  { app, environment, clients }: MailsOf,
  variables: Readonly<Record<string, string | undefined>>,
): Promise<ProcessMails | undefined> {
  const server = readMailServer(variables);
  if (server === undefined) return undefined;
  const { logger } = app;
  const { notify, history } = connect(environment, { clock: systemClock, random: systemRandom }, clients);
  refuseOthers(environment);
  const notifier = await smtpNotifier(server, logger);
  const sending = sentBy(notifier, notify);
  const over = new AbortController();
  let watch: Promise<void> | undefined;
  return {
    place: `${server.host}:${server.port}`,
    wrap: () => ({ notify: sending }),
    begin: () => {
      watch = (async () => {
        const notifying = await sending?.();
        if (notifying !== undefined) await watchMails({ notifying, history, clock: systemClock, logger }, over.signal);
      })();
    },
    stop: async () => {
      over.abort();
      await watch;
    },
  };
}

function refuseOthers({ app, notify }: Environment): void {
  const { url } = MAIL_VARIABLES;
  if (notify === undefined)
    throw new ImproperlyConfigured(
      `${url} is set, and the service of '${app}' tells nobody of failures. Call service.notifyByProcesses() in its stack and give this process service.workerEnvironment(), or unset the variable.`,
    );
  if (notify.topic !== undefined)
    throw new ImproperlyConfigured(
      `${url} is set, and the service of '${app}' tells failures by the topic ${notify.topic}: nobody would know who tells what. Call service.notifyByProcesses() in the place of notify(), or unset the variable.`,
    );
}
