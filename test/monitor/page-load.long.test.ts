/**
 * 100,000 attempts of a day in the embedded cloud's store, in a real browser: how soon each view of the page is there, what it asks
 * SQS and DynamoDB for, which docs/monitor.md tells, and a list of 10,000 that is read page by page.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { readFileSync, writeFileSync } from 'node:fs';

import { Celeriac, crontab, every, Reject } from 'celeriac';
import { LocalCloud } from 'celeriac/local';
import { ManualClock } from 'celeriac/testing';
import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { systemClock } from '../../lib/base/time.ts';
import { openService } from '../../lib/cli/find-service.ts';
import { monitoredService } from '../../lib/cli/monitored-service.ts';
import type { Service } from '../../lib/cli/service.ts';
import { DAY_MS, HOUR_MS, startOf } from '../../lib/history/read.ts';
import { monitorApp } from '../../lib/monitor/monitor-app.ts';
import { TokenAccess } from '../../lib/monitor/token-access.ts';
import { builtPage, CHROMIUM, launched, type Served, servedOn } from '../support/browser.ts';
import { terminalWith } from '../support/celeriac.ts';
import { type LoadedTask, loadHistory } from '../support/loaded-history.ts';
import { TOKEN } from '../support/monitor.ts';
import { PATIENCE_MS } from '../support/patience.ts';

const ATTEMPTS = 100_000;
const LAST = `load-${ATTEMPTS - 1}`;
const [CHARGE, SHIP, RECEIPT, BUILD] = [
  { task: 'orders.charge', queue: 'default', failing: 0.02, runMs: 120 },
  { task: 'orders.ship', queue: 'shipping', failing: 0, runMs: 900 },
  { task: 'mail.receipt', queue: 'mail', failing: 0.1, runMs: 80 },
  { task: 'reports.build', queue: 'reports', failing: 0.001, runMs: 4000 },
];
/** They take turns. */
const TURNS: readonly LoadedTask[] = [CHARGE, CHARGE, SHIP, CHARGE, RECEIPT, CHARGE, CHARGE, RECEIPT, CHARGE, BUILD];
const BUILDS = ATTEMPTS / TURNS.length;
// A window of 900 pixels shows 25 rows; some more wait above and below it.
const MOST_ROWS = 80;

const PAGE = 'docs/monitor.md';
/** The rows of the table on what a view costs. */
const TABLE = /(?<=\n\| view [^\n]*\n\| -[^\n]*\n)(?:\|[^\n]*\n)+/;

interface Asked {
  sqs: number;
  dynamodb: number;
}

/** Whoever asks for no page: the cloud's workers. */
const NOBODY: Asked = { sqs: 0, dynamodb: 0 };

/** Of each view: what stands in it when it is there. */
const VIEWS: readonly (readonly [view: string, path: string, text: string])[] = [
  ['overview, an hour', '/', 'orders.charge'],
  ['overview, seven days', '/?range=7d', 'orders.charge'],
  ['tasks', '/tasks', `order ${ATTEMPTS - 1}'`],
  ['tasks, one state of a day that few have', '/tasks?state=rejected', 'No task fits'],
  ['one task', `/tasks/${LAST}`, 'It succeeded'],
  ['one task of which nothing is stored', '/tasks/nobody-knows-it', 'Nothing is stored'],
  ['queues', '/queues', 'reports'],
  ['dead letters', '/dead-letters', 'mail.receipt'],
  ['schedules', '/schedules', 'nightly'],
  ['limits and locks', '/limits', 'import'],
  ['catalogue', '/catalogue', 'orders.charge'],
  ['audit list', '/audit', 'Nobody has'],
];

function shop(): Celeriac {
  const queues = { default: {}, mail: {}, reports: {}, shipping: {} };
  // What has been loaded is all that its history has.
  const app = new Celeriac('shop', { history: 'off', queues, routes: { 'mail.*': 'mail', 'reports.*': 'reports' } });
  app.task('orders.charge', (order: string) => order);
  app.task('orders.ship', { queue: 'shipping', concurrency: { limit: 5 } }, (order: string) => order);
  app.task('mail.receipt', () => {
    throw new Reject('address is blocked');
  });
  const build = app.task('reports.build', () => 'built');
  app.beat({
    nightly: { task: build.s(), schedule: crontab({ minute: 30, hour: 2 }, { timezone: 'Europe/Berlin' }) },
    hourly: { task: build.s(), schedule: every('1h') },
  });
  return app;
}

describe.skipIf(CHROMIUM === undefined)('100,000 attempts of a day', () => {
  const app = shop();
  // Half an hour begins: which parts of the history are asked follows from it.
  const nowMs = startOf(Date.now() - HOUR_MS / 2, HOUR_MS) + HOUR_MS / 2;
  const asking = new AsyncLocalStorage<Asked>();
  let asked: Asked = { sqs: 0, dynamodb: 0 };
  let cloud: LocalCloud;
  let service: Service;
  let served: Served;
  let browser: Browser;
  let context: BrowserContext;

  beforeAll(async () => {
    cloud = await LocalCloud.start(app, { logger: { log: () => {} } });
    const page = await builtPage();
    const clock = new ManualClock(nowMs);
    service = await openService({}, terminalWith({ variables: cloud.variables('local'), clock }));
    const ports = await service.app.ports();
    service.app.use({ ...ports, clock });
    const { history, backend } = ports;
    if (history === undefined) throw new Error('no history');
    const began = systemClock.nowMs();
    await loadHistory({
      history,
      attempts: ATTEMPTS,
      fromMs: nowMs - DAY_MS,
      untilMs: nowMs,
      tasks: TURNS,
    });
    process.stdout.write(
      `${ATTEMPTS} attempts stored and rolled up in ${Math.round(systemClock.nowMs() - began)} ms\n`,
    );
    await backend.conclude([
      {
        id: LAST,
        attempt: 0,
        name: 'reports.build',
        queue: 'reports',
        nowMs: nowMs - 500,
        status: 'SUCCESS',
        meta: JSON.stringify({ status: 'SUCCESS', result: 'built', task_id: LAST }),
        expiresAtSeconds: nowMs / 1000 + 86_400,
      },
    ]);
    await app.locks.acquire('import');
    for (let letter = 0; letter < 3; letter += 1) await app.send('mail.receipt', []);
    await vi.waitUntil(async () => (await cloud.deadLetters('mail')).length === 3, { timeout: PATIENCE_MS });
    served = await servedOn((host) => {
      const monitor = monitorApp({
        service: monitoredService(service),
        access: new TokenAccess(TOKEN, 'ada'),
        page,
        live: 'poll',
        isSecure: false,
        isOwnHost: (other) => other === host,
      });
      return { fetch: (...request) => asking.run(asked, () => monitor.fetch(...request)) };
    });
    service.clients.sqs.middlewareStack.add(
      (next) => (args) => {
        (asking.getStore() ?? NOBODY).sqs += 1;
        return next(args);
      },
      { step: 'initialize' },
    );
    service.clients.dynamodb.middlewareStack.add(
      (next) => (args) => {
        (asking.getStore() ?? NOBODY).dynamodb += 1;
        return next(args);
      },
      { step: 'initialize' },
    );
    browser = await launched();
    context = await browser.newContext({ viewport: { width: 1440, height: 900 } });
    const first = await context.newPage();
    await first.goto(`${served.url}/?token=${TOKEN}`);
    await first.waitForURL((url) => !url.search.includes('token'));
    await first.close();
  });
  afterAll(async () => {
    await browser?.close();
    await served?.stop();
    service?.close();
    await cloud?.stop();
  });

  it('each view is there soon, by as many requests as docs/monitor.md says: UPDATE=1 writes them', async () => {
    const rows: string[] = [];
    for (const [view, path, text] of VIEWS) {
      asked = { sqs: 0, dynamodb: 0 };
      const page = await context.newPage();
      const began = systemClock.nowMs();
      await page.goto(`${served.url}${path}`);
      await page.getByText(text).first().waitFor();
      const tookMs = Math.round(systemClock.nowMs() - began);
      await page.waitForLoadState('networkidle');
      await page.close();
      // A second is the goal, on a quiet machine.
      process.stdout.write(`${view}: there after ${tookMs} ms\n`);
      rows.push(`| ${view} | ${asked.dynamodb} | ${asked.sqs} |\n`);
    }
    const text = readFileSync(PAGE, 'utf8');
    if (process.env['UPDATE'] === '1') writeFileSync(PAGE, text.replace(TABLE, rows.join('')));
    expect((TABLE.exec(text)?.[0] ?? '').replaceAll(/ +\|/g, ' |')).toBe(rows.join(''));
  });

  it('10,000 of them are scrolled through to the first one, without ever drawing many', async () => {
    const page = await context.newPage();
    await page.goto(`${served.url}/tasks?since=1d&task=${BUILD.task}`);
    await page.locator('table.tasks tbody tr').first().waitFor();
    const older = page.getByText('Older ones are read as you scroll.');
    let most = 0;
    while ((await older.count()) > 0) {
      await page.evaluate('scrollTo(0, document.documentElement.scrollHeight)');
      await page.evaluate('new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))');
      most = Math.max(most, await page.locator('table.tasks tbody tr').count());
    }
    expect(most).toBeGreaterThan(20);
    expect(most).toBeLessThan(MOST_ROWS);
    // None was left out on the way.
    await page.evaluate('scrollTo(0, document.documentElement.scrollHeight)');
    await page.getByText(`order ${TURNS.indexOf(BUILD)}'`).waitFor();
    expect(await page.locator('tbody tr[data-index]').last().getAttribute('data-index')).toBe(String(BUILDS - 1));
    // And back to the newest.
    await page.evaluate('scrollTo(0, 0)');
    await page
      .getByText(`order ${ATTEMPTS - 1}'`)
      .first()
      .waitFor();
    await page.close();
  });
});
