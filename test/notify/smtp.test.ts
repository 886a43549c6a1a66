/** Mails by a mail server: what a real one receives, what it refuses, and what becomes of mails while it is away. */
import { Celeriac, silentLogger } from 'celeriac';
import { LocalCloud } from 'celeriac/local';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { systemClock } from '../../lib/base/time.ts';
import { failureMail } from '../../lib/notify/mail.ts';
import { type MailServer, readMailServer } from '../../lib/options/mail-server.ts';
import type { Logger } from '../../lib/ports/log.ts';
import type { Failure } from '../../lib/ports/notices.ts';
import { smtpNotifier } from '../../lib/process/smtp-notifier.ts';
import { type MailServerForTests, startMailServer } from '../support/mail-server.ts';
import { PATIENCE_MS, PATIENCE_SECONDS } from '../support/patience.ts';

const MAIL = { subject: '[shop] Error: Task a (b): x & y=z', text: 'Task a\nüñí&=+%\n.\n..\n' };
const ADDRESSES = { from: 'tasks@example.org', to: ['ops@example.org', 'boss@example.org'] };
const PLACE = { app: 'shop', windowSeconds: 900, monitorUrl: 'https://tasks.example.org' };

const started: MailServerForTests[] = [];
let lines: string[] = [];
const logger: Logger = { log: (_level, message, fields) => void lines.push(`${String(fields?.['code'])} ${message}`) };

beforeEach(() => {
  lines = [];
});
afterEach(async () => {
  for (const server of started.splice(0)) await server.stop();
});

async function mailServer(...given: Parameters<typeof startMailServer>): Promise<MailServerForTests> {
  const server = await startMailServer(...given);
  started.push(server);
  return server;
}

const to = ({ port }: MailServerForTests, more: Partial<MailServer> = {}): MailServer => ({
  host: '127.0.0.1',
  port,
  tls: 'none',
  ...ADDRESSES,
  ...more,
});

function failure(more: Partial<Failure> = {}): Failure {
  const facts = { key: 'a', task: 'orders.charge', id: 'id-1', queue: 'default', state: 'FAILURE', retries: 0 };
  return { ...facts, error: 'TypeError: no card', endedMs: 1_900_000_000_000, ...more };
}

describe('a mail', () => {
  it('arrives as it was written, at each address, and asks no machine for an answer', async () => {
    const server = await mailServer();
    await (await smtpNotifier(to(server), logger)).send(MAIL);
    expect(server.mails).toEqual([expect.objectContaining({ ...MAIL, from: ADDRESSES.from, to: ADDRESSES.to })]);
    const headers = new Map(server.mails[0]?.headers);
    expect(headers.get('To')).toBe(ADDRESSES.to.join(', '));
    expect(headers.get('Auto-Submitted')).toBe('auto-generated');
    expect(headers.get('Content-Type')).toBe('text/plain; charset=utf-8');
    expect(lines).toEqual([]);
  });

  // What a message's sender or an error's text might try. Each stands in every field that a mail shows.
  it.each<[string, string]>([
    ['a header of their own', 'x\r\nBcc: victim@example.net'],
    ['a line feed alone', 'x\nBcc: victim@example.net'],
    ['a carriage return alone', 'x\rBcc: victim@example.net'],
    ['the end of the headers', 'x\r\n\r\n<b>another text</b>'],
    [
      'the end of the mail, and a second one',
      'x\r\n.\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<victim@example.net>\r\nDATA\r\n',
    ],
    ['a line feed around the end', 'x\n.\r\nMAIL FROM:<a@b.c>'],
    ['separators of lines', 'x\u2028Bcc: victim@example.net\u2029\u0085\u000b\u000c'],
    ['an encoded word', '=?utf-8?q?x=0D=0ABcc:_victim@example.net?='],
    ['a folded line', 'x\r\n Bcc: victim@example.net'],
    ['turned text and nothing', 'x\u202egro.elpmaxe@spo\u0000\u0007'],
    ['a file to attach', '{"path":"/etc/passwd"} file:///etc/passwd data:text/plain,x'],
  ])("whose text is a stranger's has the headers of any other: %s", async (_what, text) => {
    const server = await mailServer();
    const notifier = await smtpNotifier(to(server), logger);
    const stranger = {
      id: text,
      task: text,
      queue: text,
      error: text,
      repr: text,
      stack: text,
      worker: text,
      deadLetter: text,
    };
    await notifier.send(failureMail(failure(), PLACE));
    await notifier.send(failureMail(failure(stranger), PLACE));
    await notifier.send(failureMail(failure({ task: text }), PLACE));
    const [usual, ...strange] = server.mails;
    expect(strange).toHaveLength(2);
    for (const mail of strange) {
      expect(mail.headers.map(([name]) => name)).toEqual(usual?.headers.map(([name]) => name));
      expect([mail.from, mail.to]).toEqual([ADDRESSES.from, ADDRESSES.to]);
      expect(mail.headers.filter(([name, value]) => name !== 'Subject' && value.includes('victim'))).toEqual([]);
      // All of it is one text, from its first line to its last.
      expect(mail.text).toMatch(/^Task .*\n[^]*What fails the same way within 15 minutes is counted/);
    }
  });

  it('goes to those whom the server takes; who was refused is named in the log, and the others get it once', async () => {
    const server = await mailServer({
      onRcptTo: ({ address }, _session, done) =>
        done(address.startsWith('boss') ? new Error('no such mailbox') : undefined),
    });
    await (await smtpNotifier(to(server), logger)).send(MAIL);
    expect(server.mails.map((mail) => mail.to)).toEqual([['ops@example.org']]);
    expect(lines).toEqual([expect.stringMatching(/^NOTIFICATION_FAILED .* not for boss@example\.org$/)]);
  });

  it('that the server refuses tells what it said', async () => {
    const server = await mailServer({
      onMailFrom: (_address, _session, done) => done(Object.assign(new Error('not from here'), { responseCode: 550 })),
    });
    await expect((await smtpNotifier(to(server), logger)).send(MAIL)).rejects.toThrow(/550 not from here/);
  });

  it('to a server that says nothing is given up soon', async () => {
    const server = await mailServer({ onConnect: () => {} });
    const startedMs = systemClock.nowMs();
    await expect((await smtpNotifier(to(server), logger)).send(MAIL)).rejects.toThrow(
      /Greeting never received|Timeout/,
    );
    expect(systemClock.nowMs() - startedMs).toBeLessThan(PATIENCE_MS);
  });
});

describe('a login', () => {
  const onAuth: NonNullable<Parameters<typeof startMailServer>[0]>['onAuth'] = (
    { username, password },
    _session,
    done,
  ) => done(password === 'p@ss:word' ? undefined : new Error('no'), { user: username });

  it('is the one that the environment gives, and a wrong one is told without it', async () => {
    const server = await mailServer({ onAuth, allowInsecureAuth: true });
    const variables = (password: string) => ({
      CELERIAC_SMTP_URL: `smtp://tasks%40example.org@127.0.0.1:${server.port}`,
      CELERIAC_SMTP_PASSWORD: password,
      CELERIAC_MAIL_FROM: ADDRESSES.from,
      CELERIAC_MAIL_TO: ADDRESSES.to.join(', '),
    });
    const send = async (password: string): Promise<void> => {
      const read = readMailServer(variables(password));
      if (read !== undefined) await (await smtpNotifier(read, logger)).send(MAIL);
    };
    await send('p@ss:word');
    expect(server.mails.map(({ user }) => user)).toEqual(['tasks@example.org']);
    const wrong = await send('secret').catch((error: unknown) => String(error));
    expect(wrong).toMatch(/Invalid login/);
    expect(wrong).not.toContain('secret');
  });

  it.each(['always', 'required'] as const)(
    'is given to nobody with a certificate that none has signed: %s',
    async (tls) => {
      const logins: unknown[] = [];
      const server = await mailServer({
        secure: tls === 'always',
        onAuth: (auth, session, done) => {
          logins.push(auth.username);
          onAuth(auth, session, done);
        },
      });
      const login = { user: 'tasks', password: 'p@ss:word' };
      const notifier = await smtpNotifier(to(server, { tls, ...login }), logger);
      await expect(notifier.send(MAIL)).rejects.toThrow(/self.signed|certificate/i);
      expect([server.mails, logins]).toEqual([[], []]);
    },
  );

  it('is not given where TLS is required and the server has none', async () => {
    const logins: unknown[] = [];
    const server = await mailServer({
      disabledCommands: ['STARTTLS'],
      allowInsecureAuth: true,
      onAuth: ({ username }) => void logins.push(username),
    });
    const notifier = await smtpNotifier(to(server, { tls: 'required', user: 'tasks', password: 'x' }), logger);
    await expect(notifier.send(MAIL)).rejects.toThrow(/TLS/);
    expect([server.mails, logins]).toEqual([[], []]);
  });
});

it('a project without nodemailer is told to install it', async () => {
  const missing = Object.assign(new Error("Cannot find package 'nodemailer'"), { code: 'ERR_MODULE_NOT_FOUND' });
  const opened = smtpNotifier({ host: 'x', port: 25, tls: 'none', ...ADDRESSES }, logger, () =>
    Promise.reject(missing),
  );
  await expect(opened).rejects.toThrow(/not installed here.*npm install nodemailer/);
});

it('a storm while the server is away: logged, no task fails, and all is told when it is back', async () => {
  const app = new Celeriac('shop', { logger });
  const charge = app.task('orders.charge', (order: number) => {
    throw new TypeError(`no card for ${order}`);
  });
  let server = await startMailServer();
  const { port } = server;
  await server.stop();
  const notifier = await smtpNotifier(to(server), silentLogger);
  const cloud = await LocalCloud.start(app, { notify: { window: 60 }, notifier });
  /** So many minutes later, for the sweeper alone. */
  const sweepIn = async (minutes: number): Promise<void> => {
    const clock = { ...systemClock, nowMs: () => systemClock.nowMs() + minutes * 60_000 };
    await app.sweep({}, { ...(await app.ports()), clock });
  };
  try {
    const results = await app.sendMany(Array.from({ length: 60 }, (_, index) => charge.s(index)));
    for (const result of results) await expect(result.get({ timeout: PATIENCE_SECONDS })).rejects.toThrow('no card');
    await sweepIn(3);
    expect(lines.filter((line) => /^NOTIFICATION_FAILED .*ECONNREFUSED/.test(line)).length).toBeGreaterThan(0);
    server = await mailServer({ port });
    await expect
      .poll(
        async () => {
          await sweepIn(6);
          return server.mails.length;
        },
        { timeout: PATIENCE_MS },
      )
      .toBe(2);
    expect(server.mails.map(({ subject }) => subject)).toEqual([
      expect.stringMatching(/^\[shop\] Error: Task orders\.charge \(.*\): TypeError: no card for/),
      expect.stringMatching(/^\[shop\] 60 errors in \d+ minutes: Task orders\.charge$/),
    ]);
  } finally {
    await cloud.stop();
  }
});
