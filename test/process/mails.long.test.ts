/** `celeriac worker` sends mails by a real mail server, under the rights that its policy gives. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

import { silentLogger } from 'celeriac';
import type { LocalCloud } from 'celeriac/local';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';

import { connect } from '../../lib/aws/connect.ts';
import { systemClock, systemRandom } from '../../lib/base/time.ts';
import { actAs, workerOf } from '../../lib/local/actors.ts';
import { sentBy } from '../../lib/notify/send.ts';
import type { Mail } from '../../lib/ports/notices.ts';
import { watchMails } from '../../lib/process/mail-watch.ts';
import { PROCESS_VARIABLES } from '../support/celeriac.ts';
import { startCloud } from '../support/iam/cloud.ts';
import { EVERY_GRANT, rolesOf } from '../support/iam/roles.ts';
import { type MailServerForTests, startMailServer } from '../support/mail-server.ts';
import { PATIENCE_MS, PATIENCE_SECONDS } from '../support/patience.ts';
import { app, failing, failingInFunction } from '../support/mail-tasks.ts';

const PATIENCE = { timeout: PATIENCE_MS, interval: 100 };
let server: MailServerForTests;
let cloud: LocalCloud;
const children = new Set<ChildProcess>();

beforeAll(async () => {
  server = await startMailServer();
  cloud = await startCloud(
    app,
    { processes: false, sweepEvery: 1, logger: silentLogger, notify: { window: 60 } },
    rolesOf(app, EVERY_GRANT, 'processes'),
  );
});
afterEach(async () => {
  for (const child of children) {
    children.delete(child);
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const exit = once(child, 'exit');
    child.kill('SIGKILL');
    await exit;
  }
});
afterAll(async () => {
  await cloud.stop();
  await server.stop();
});

const MAILS = { CELERIAC_MAIL_FROM: 'tasks@example.org', CELERIAC_MAIL_TO: 'ops@example.org' };

/** @returns what it wrote, once it is ready or has ended */
async function start(
  variables: Record<string, string>,
): Promise<{ readonly child: ChildProcess; readonly log: string }> {
  const args = ['worker', '--app', 'test/support/mail-tasks.ts', '-Q', 'slow'];
  const child = spawn(process.execPath, ['--conditions=@celeriac/source', 'lib/cli/main.ts', ...args], {
    env: { ...PROCESS_VARIABLES, ...cloud.variables(workerOf('slow')), ...variables },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.add(child);
  const lines: string[] = [];
  await new Promise<void>((resolve) => {
    for (const stream of [child.stdout, child.stderr])
      createInterface(stream).on('line', (line) => {
        lines.push(line);
        if (line.includes('is ready')) resolve();
      });
    child.once('close', () => resolve());
  });
  return { child, log: lines.join('\n') };
}

it('the first failure of a kind at once, the others of all kinds once their window is over, and it ends when it is told', async () => {
  const { child, log } = await start({ ...MAILS, CELERIAC_SMTP_URL: `smtp://127.0.0.1:${server.port}` });
  expect(log).toContain(`127.0.0.1:${server.port}`);
  const results = await app.sendMany([
    ...Array.from({ length: 20 }, (_, index) => failing.s(index)),
    failingInFunction.s(),
  ]);
  for (const result of results) await expect(result.get({ timeout: PATIENCE_SECONDS })).rejects.toThrow('no card');
  await expect.poll(() => server.mails.length, PATIENCE).toBeGreaterThan(0);
  const [first] = server.mails;
  expect(first?.subject).toMatch(/^\[mails\] Error: Task failing \(.*\): TypeError: no card/);
  expect([first?.from, first?.to]).toEqual(['tasks@example.org', ['ops@example.org']]);
  expect(first?.text).toMatch(new RegExp(`^Worker: .*\\.${child.pid}/`, 'm'));
  child.kill('SIGTERM');
  expect(await once(child, 'exit')).toEqual([0, null]);
  // What a process sees some minutes later, under the rights of its policy: a window lasts too long for a test.
  const mails: Mail[] = [];
  const clock = { ...systemClock, nowMs: () => systemClock.nowMs() + 300_000 };
  const laterRollUp = { ...(await app.ports()), clock };
  const { notify, history } = connect(cloud.environment, { clock, random: systemRandom }, cloud.clients);
  const notifying = await sentBy({ send: (mail) => Promise.resolve(void mails.push(mail)) }, notify)?.();
  if (notifying === undefined) throw new Error('the environment tells nobody');
  await expect
    .poll(async () => {
      // The sweeper of a service counts, and tells how far it is.
      await actAs('sweeper', () => app.sweep({}, laterRollUp));
      const over = new AbortController();
      const watch = actAs(workerOf('slow'), () =>
        watchMails({ notifying, history, clock, logger: silentLogger }, over.signal),
      );
      over.abort();
      await watch;
      return mails.map(({ subject }) => subject.replace(/\(.*\)/, ''));
    }, PATIENCE)
    .toEqual([
      expect.stringMatching(/^\[mails\] Error: Task failingInFunction/),
      expect.stringMatching(/^\[mails\] 2[01] errors in \d+ minutes: (Task failing|2 tasks)$/),
    ]);
});

it.each<[string, () => Record<string, string>, RegExp]>([
  ['no addresses', () => ({ CELERIAC_SMTP_URL: 'smtp://127.0.0.1:1' }), /CELERIAC_MAIL_FROM: '' given/],
  ['no server', () => MAILS, /CELERIAC_MAIL_FROM is set and CELERIAC_SMTP_URL is not/],
  [
    'a service that tells nobody',
    () => ({ ...MAILS, CELERIAC_SMTP_URL: 'smtp://127.0.0.1:1', ...withNotify(undefined) }),
    /the service of 'mails' tells nobody of failures. Call service\.notifyByProcesses\(\)/,
  ],
  [
    'a service with a topic',
    () => ({ ...MAILS, CELERIAC_SMTP_URL: 'smtp://127.0.0.1:1', ...withNotify({ topic: 'arn:x', window: 60 }) }),
    /tells failures by the topic arn:x/,
  ],
])('%s: it does not start, and says what to do', async (_what, variables, said) => {
  const { child, log } = await start(variables());
  expect(log).toMatch(said);
  expect(child.exitCode).toBeGreaterThan(0);
});

function withNotify(notify: object | undefined): Record<string, string> {
  const [[name, value] = ['', '{}']] = Object.entries(cloud.variables()).filter(([each]) =>
    each.startsWith('CELERIAC_SERVICE_'),
  );
  return { [name]: JSON.stringify({ ...(JSON.parse(value) as object), notify }) };
}
