/** The page in a real browser, on the embedded cloud with a busy service behind it: every view, both themes, a phone, the actions. */
import { fileURLToPath } from 'node:url';

import axe from 'axe-core';
import { every } from 'celeriac';
import { LocalCloud } from 'celeriac/local';
import type { Browser, BrowserContext, BrowserContextOptions, Page } from 'playwright-core';
import { build } from 'vite';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import { systemClock } from '../../lib/base/time.ts';
import { openService } from '../../lib/cli/find-service.ts';
import { monitoredService } from '../../lib/cli/monitored-service.ts';
import type { Service } from '../../lib/cli/service.ts';
import { noteRun } from '../../lib/monitor/begun-runs.ts';
import { type MonitorServer, serveMonitor } from '../../lib/monitor/serve.ts';
import { CHROMIUM, launched } from '../support/browser.ts';
import { busyApp, makeBusy } from '../support/busy-service.ts';
import { terminalWith } from '../support/celeriac.ts';
import { PATIENCE_MS } from '../support/patience.ts';

if (CHROMIUM === undefined) process.stdout.write('Skipped: the page in a browser: there is no Chromium.\n');

const PHONE = { width: 390, height: 844 };
const DESK = { width: 1440, height: 900 };
/** Themes and widths. By axe a view is checked in one of the first two. */
const LOOKS = [
  ['light', DESK],
  ['dark', PHONE],
  ['dark', DESK],
  ['light', PHONE],
] as const;
const PAINTED = 'new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))';
/** Asked of the browser: pixels beyond its window. */
const WIDER = 'document.documentElement.scrollWidth - document.documentElement.clientWidth';
/** To be run by the browser: keys pressed in one go. */
const pressing = (...keys: readonly string[]): string =>
  keys
    .map((key) => `document.body.dispatchEvent(new KeyboardEvent('keydown', { key: '${key}', bubbles: true }));`)
    .join('\n');
/** Asked of the browser: names of all that can be pressed in a view. */
const NAMES = `[...document.querySelectorAll('.view button:not([disabled]), .view [role=switch]:not([disabled])')]
  .map((each) => each.getAttribute('aria-label') ?? each.innerText)`;
/** Asked of the browser, once axe is there: what it finds serious. */
const SERIOUS = `axe.run({ resultTypes: ['violations'] }).then(({ violations }) =>
  violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .map(({ id, nodes }) => id + ': ' + nodes[0]?.html))`;
/** Words of what changes something. */
const ACTION =
  /^(pause|resume|purge|redrive|retry|revoke|drop(?! all filters)|delete|edit|rename|new|call|run|free|rate|take|select|enable|disable|hand back)\b|is enabled$/i;
const SHOTS = process.env['CELERIAC_SHOTS'];

describe.skipIf(CHROMIUM === undefined)('the page', () => {
  const busy = busyApp();
  let cloud: LocalCloud;
  let service: Service;
  let server: MonitorServer;
  let browser: Browser;
  /** Cookies of a page that was opened with the token. */
  let known: BrowserContextOptions['storageState'];
  /** What no page may say. */
  const complaints: string[] = [];
  const ids: Record<string, string> = {};

  beforeAll(async () => {
    const configFile = fileURLToPath(new URL('../../lib/monitor/page/vite.config.ts', import.meta.url));
    await build({ configFile, logLevel: 'silent' });
    cloud = await LocalCloud.start(busy.app, { logger: { log: () => {} } });
    service = await openService({}, terminalWith({ variables: cloud.variables('local'), clock: systemClock }));
    server = await serveMonitor({ service: monitoredService(service), port: 0, user: 'ada' });
    await makeBusy(busy);
    await busy.app.locks.acquire('nightly-export', { info: 'by hand', ttl: '10m' });
    browser = await launched();
    known = await knownAt(server);
    // What ends shows in the history a moment later.
    await vi.waitUntil(
      async () => {
        const { entries } = await busy.app.history.list({ from: '1h', limit: 200 });
        for (const { id, task } of entries) ids[task] ??= id;
        return ['orders.checkout', 'mail.welcome', 'mail.receipt', 'blog.render_comment', 'orders.total'].every(
          (name) => ids[name] !== undefined,
        );
      },
      { timeout: PATIENCE_MS, interval: 200 },
    );
  });
  afterAll(async () => {
    busy.release();
    await browser?.close();
    await server?.stop();
    service?.close();
    await cloud?.stop();
  });

  async function knownAt({ address }: MonitorServer): Promise<BrowserContextOptions['storageState']> {
    const context = await browser.newContext();
    const page = await context.newPage();
    await page.goto(address);
    // The token has left the address.
    await vi.waitUntil(() => !page.url().includes('token'));
    const state = await context.storageState();
    await context.close();
    return state;
  }

  async function opened(colorScheme: 'light' | 'dark', viewport: typeof DESK): Promise<BrowserContext> {
    return browser.newContext({ colorScheme, viewport, ...(known === undefined ? {} : { storageState: known }) });
  }

  async function at(context: BrowserContext, path: string): Promise<Page> {
    const page = await context.newPage();
    page.on('pageerror', (error) => complaints.push(`${page.url()}: ${error.message}`));
    page.on('console', (message) => {
      if (message.type() === 'error') complaints.push(`${page.url()}: ${message.text()}`);
    });
    await page.goto(`${server.url}${path}`);
    return page;
  }

  /** Paths, and what stands in each once it is there. */
  const views = (): readonly (readonly [string, string])[] => [
    ['/', 'Throughput'],
    ['/tasks', 'orders.charge'],
    ['/tasks?state=failed&since=1h', 'orders.total'],
    ['/tasks?state=delayed', 'Due'],
    ['/tasks?state=running', 'These hold the slots'],
    ['/tasks?text=nobody-has-said-this', 'No task fits'],
    [`/tasks/${ids['mail.welcome']}`, 'waits for its next attempt'],
    [`/tasks/${ids['mail.receipt']}`, 'It gave up'],
    [`/tasks/${ids['blog.render_comment']}`, 'Attempts'],
    [`/tasks/${ids['orders.checkout']}`, 'Family'],
    ['/tasks/invoice.2026.pdf', 'Nothing is stored'],
    ['/queues', 'reports'],
    ['/dead-letters', 'mail.receipt'],
    ['/schedules', 'nightly-report'],
    ['/limits?task=orders.ship&key=DE', 'nightly-export'],
    ['/catalogue', 'orders.checkout'],
    ['/audit', 'Audit list'],
    ['/nowhere', 'no such address'],
  ];

  it('text of tasks is text', async () => {
    const context = await opened('light', DESK);
    const page = await at(context, `/tasks/${ids['blog.render_comment']}`);
    await page.getByText('U+202E').first().waitFor();
    expect(await page.title()).not.toBe('taken');
    expect(await page.locator('main img').count()).toBe(0);
    await context.close();
  });

  it('filters stand in the address, and Back undoes them', async () => {
    const context = await opened('light', DESK);
    const page = await at(context, '/tasks');
    await page.getByRole('button', { name: 'Failed' }).click();
    await vi.waitUntil(() => page.url().endsWith('/tasks?state=failed'));
    await page.keyboard.press('/');
    await page.keyboard.type('task:orders.total');
    await page.keyboard.press('Enter');
    await vi.waitUntil(() => page.url().includes('task=orders.total'));
    await page.goBack();
    await vi.waitUntil(() => page.url().endsWith('/tasks?state=failed'));
    await page.getByRole('main').focus();
    await page.keyboard.press('g');
    await page.keyboard.press('q');
    await page.getByRole('heading', { name: 'Queues', level: 1 }).waitFor();
    await page.keyboard.press('?');
    await page.getByRole('dialog', { name: 'Keys' }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    await context.close();
  });

  it('rows are walked by keys that come faster than the page paints; newer rows do not move what was chosen', async () => {
    const context = await opened('dark', DESK);
    const page = await context.newPage();
    // At the first moment that rows are there, before a frame of them.
    await page.addInitScript(`new MutationObserver((_changes, observer) => {
      if (document.querySelector('table.tasks tbody tr') === null) return;
      observer.disconnect();
      ${pressing('j', 'j', 'x')}
    }).observe(document, { childList: true, subtree: true });`);
    await page.goto(`${server.url}/tasks?since=1h`);
    await page.getByText('1 task selected').waitFor();
    const second = page.locator('tbody tr').nth(1);
    expect(await second.getByRole('checkbox').isChecked()).toBe(true);
    const address = await second.getByRole('link').getAttribute('href');
    await busy.app.send('orders.charge', ['newer', 1]);
    await page.getByRole('button', { name: 'newer task' }).click();
    await vi.waitUntil(async () => (await second.getByRole('link').getAttribute('href')) !== address);
    await page.keyboard.press('Enter');
    await page.getByText('Timeline').waitFor();
    expect(new URL(page.url()).pathname).toBe(address);
    await context.close();
  });

  it('a queue is paused with a reason, and resumed', async () => {
    const context = await opened('light', DESK);
    const page = await at(context, '/queues');
    const panel = page.locator('section', { has: page.getByRole('heading', { name: 'reports' }) });
    await panel.getByRole('button', { name: 'Pause…' }).click();
    await page.getByLabel('Why').fill('the printer is on fire');
    await page.getByRole('button', { name: 'Pause reports' }).click();
    await panel.getByText('the printer is on fire').waitFor();
    await panel.getByRole('button', { name: 'Resume' }).click();
    await panel.getByText('Running', { exact: true }).waitFor();
    await context.close();
  });

  it('a queue is purged by who types its name, and told what that deletes', async () => {
    const context = await opened('light', DESK);
    const page = await at(context, '/queues');
    await page.getByRole('button', { name: 'Purge reports…' }).click();
    const dialog = page.getByRole('dialog');
    const purge = dialog.getByRole('button', { name: 'Purge reports' });
    await dialog.getByText('0 messages ready').waitFor();
    expect(await purge.isDisabled()).toBe(true);
    await dialog.getByLabel('Type reports to go on').fill('reports');
    await purge.click();
    await page.getByText('reports is purged').waitFor();
    await context.close();
  });

  it('a task is sent by its form, and shown', async () => {
    const context = await opened('light', DESK);
    const page = await at(context, '/catalogue');
    await page.getByRole('row', { name: 'orders.charge' }).getByRole('button', { name: 'Call…' }).click();
    await page.getByLabel('Arguments', { exact: true }).fill('["from the page"');
    await page.getByText('This is no JSON').waitFor();
    expect(await page.getByRole('button', { name: 'Send the task' }).isDisabled()).toBe(true);
    await page.getByLabel('Arguments', { exact: true }).fill('["from the page", 7]');
    await page.getByRole('button', { name: 'Send the task' }).click();
    await page.getByText('It succeeded.').waitFor();
    await page.getByText('{"who":"from the page","cents":7}').waitFor();
    await context.close();
  });

  it('a schedule is made, previewed, disabled, run and renamed', async () => {
    const context = await opened('light', DESK);
    const page = await at(context, '/schedules');
    await page.getByRole('button', { name: 'New schedule…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByLabel('Name').fill('lunch');
    await dialog.getByLabel('Task', { exact: true }).fill('reports.build');
    await dialog.getByLabel('Hour').fill('12');
    await dialog.getByText('At 12:00').waitFor();
    await dialog.getByText('Next 5 ticks').waitFor();
    await dialog.getByRole('button', { name: 'Save' }).click();
    const row = page.getByRole('row', { name: 'lunch' });
    await row.getByRole('switch').click();
    await page.getByText('lunch is disabled.').waitFor();
    await row.getByRole('button', { name: 'Run now…' }).click();
    await page.getByRole('button', { name: 'Run lunch' }).click();
    await page.getByText('lunch was sent').waitFor();
    await row.getByRole('button', { name: 'Edit lunch' }).click();
    await dialog.getByText('by ada').waitFor();
    await dialog.getByLabel('Name').fill('dinner');
    await dialog.getByRole('button', { name: 'Save' }).click();
    await page.getByText('dinner is saved.').waitFor();
    await row.waitFor({ state: 'detached' });
    await context.close();
  });

  it('a declared schedule is as its code says again, and tells of its runs', async () => {
    const context = await opened('light', DESK);
    const page = await at(context, '/schedules');
    const row = page.getByRole('row', { name: 'hourly' });
    await row.getByRole('switch').click();
    await row.getByText('disabled by hand').waitFor();
    await row.getByRole('button', { name: 'Let the code decide about hourly' }).click();
    await row.getByText('disabled by hand').waitFor({ state: 'detached' });
    await row.getByRole('button', { name: 'Runs of hourly' }).click();
    await page.getByRole('dialog').getByText('No run has ended since').waitFor();
    await context.close();
  });

  it('many schedules are disabled and deleted at once, by keys too, and each tells how it ended', async () => {
    for (const name of ['noon-1', 'noon-2', 'noon-3'])
      await busy.app.schedules.put(name, { task: 'reports.build', schedule: every('1d') });
    const context = await opened('light', DESK);
    const page = await at(context, '/schedules');
    const [row, dialog] = [(name: string) => page.getByRole('row', { name }), page.getByRole('dialog')];
    await row('noon-1').waitFor();
    await page.evaluate(pressing('j', 'x'));
    await page.getByText('1 schedule selected').waitFor();
    await page.getByRole('button', { name: 'Select none' }).click();
    for (const name of ['noon-1', 'noon-2', 'hourly']) await row(name).getByLabel(`Select ${name}`).check();
    await page.getByRole('button', { name: 'Disable…' }).click();
    await dialog.getByRole('button', { name: 'Disable 3 schedules' }).click();
    await dialog.getByText('3 of 3 disabled.').waitFor();
    if (SHOTS !== undefined) await page.screenshot({ path: `${SHOTS}/many-ends.png` });
    await dialog.getByRole('button', { name: 'Close' }).first().click();
    await row('hourly').getByText('disabled by hand').waitFor();
    await page.getByRole('button', { name: 'Hand back…' }).click();
    await dialog.getByRole('button', { name: 'Hand back 3 schedules' }).click();
    await dialog.getByText('1 of 3 as their code says.').waitFor();
    await dialog.getByRole('button', { name: 'Close' }).first().click();
    await page.getByRole('button', { name: 'Delete…' }).click();
    const button = dialog.getByRole('button', { name: 'Delete 3 schedules' });
    expect(await button.isDisabled()).toBe(true);
    await dialog.getByLabel('Type how many, 3, to go on').fill('3');
    await page.evaluate(axe.source);
    expect(await page.evaluate<string[]>(SERIOUS)).toEqual([]);
    await button.click();
    await dialog.getByText('2 of 3 deleted.').waitFor();
    await dialog.getByText("entry 'hourly' is declared in code").waitFor();
    await dialog.getByRole('button', { name: 'Close' }).first().click();
    await row('noon-2').waitFor({ state: 'detached' });
    await page.getByText('1 schedule selected').waitFor();
    expect(await row('noon-3').count()).toBe(1);
    await busy.app.schedules.delete('noon-3');
    await context.close();
  });

  it('a deployment is marked in the plots, and told in their tables', async () => {
    for (const version of ['1a2b3c', '1a2b3c', '4d5e6f']) await busy.app.sweep({ version });
    const context = await opened('light', DESK);
    const page = await at(context, '/');
    const plot = page.locator('section', { has: page.getByRole('heading', { name: 'Throughput' }) });
    await plot.locator('.plot-mark').nth(1).waitFor();
    expect(await plot.locator('.plot-mark').count()).toBe(2);
    expect(await plot.locator('.plot-mark').last().getAttribute('title')).toContain('version 4d5e6f');
    await plot.getByText('As a table').click();
    await plot.getByRole('cell', { name: 'version 1a2b3c' }).waitFor();
    await plot.getByRole('cell', { name: ', so far' }).waitFor();
    if (SHOTS !== undefined) await page.screenshot({ path: `${SHOTS}/deploys.png` });
    await context.close();
  });

  it('what waits for a slot is counted, and what runs is listed', async () => {
    const sent = await Promise.all(['IT', 'IT', 'IT'].map((country) => busy.app.send('orders.ship', [country])));
    const context = await opened('light', DESK);
    const page = await at(context, '/queues');
    const panel = page.locator('section', { has: page.getByRole('heading', { name: 'shipping' }) });
    const parked = panel.locator('dl.numbers > div', { hasText: 'Parked' }).locator('dd');
    await vi.waitUntil(async () => Number(await parked.textContent()) >= 2, { timeout: PATIENCE_MS });
    await page.goto(`${server.url}/`);
    await page.getByRole('columnheader', { name: 'Oldest' }).waitFor();
    await page.goto(`${server.url}/tasks?state=running`);
    await page
      .getByRole('row', { name: 'orders.ship' })
      .getByText(/^(DE|IT)$/)
      .first()
      .waitFor({ timeout: PATIENCE_MS });
    if (SHOTS !== undefined) await page.screenshot({ path: `${SHOTS}/running.png` });
    await busy.app.control.revoke(sent.map(({ id }) => id));
    await context.close();
  });

  it('a schedule that is run by hand is among its runs at once', async () => {
    await busy.app.schedules.put('by-hand', { task: 'orders.ship', args: ['FR'], schedule: every('1d') });
    const context = await opened('light', DESK);
    const page = await at(context, '/schedules');
    const row = page.getByRole('row', { name: 'by-hand' });
    await row.getByRole('button', { name: 'Run now…' }).click();
    await page.getByRole('button', { name: 'Run by-hand' }).click();
    await page.getByText('by-hand was sent').waitFor();
    await row.getByRole('button', { name: 'Runs of by-hand' }).click();
    await page.getByRole('dialog').getByText('by hand, ada').waitFor();
    await page.keyboard.press('Escape');
    // By the bar of many, and as the command line does it: each is one run more.
    const bySomebody = page.getByRole('dialog').getByText(/^by hand, /);
    await row.getByRole('checkbox').check();
    await page.getByRole('button', { name: 'Run…' }).click();
    await page.getByRole('button', { name: 'Run 1 schedule' }).click();
    await page.getByText('1 of 1 sent.').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Close' }).last().click();
    const { id } = await busy.app.schedules.runNow('by-hand');
    await noteRun(monitoredService(service), { name: 'by-hand', id, by: 'eve' });
    await row.getByRole('button', { name: 'Runs of by-hand' }).click();
    await page.getByRole('dialog').getByText('by hand, eve').waitFor();
    await vi.waitUntil(async () => (await bySomebody.count()) === 3, { timeout: PATIENCE_MS });
    if (SHOTS !== undefined) await page.screenshot({ path: `${SHOTS}/runs.png` });
    await context.close();
    await busy.app.schedules.delete('by-hand');
  });

  it('a schedule is deleted by who types its name', async () => {
    const context = await opened('light', DESK);
    const page = await at(context, '/schedules');
    await busy.app.schedules.put('lunch', { task: 'reports.build', schedule: every('1d') });
    const row = page.getByRole('row', { name: 'lunch' });
    const dialog = page.getByRole('dialog');
    await row.getByRole('button', { name: 'Delete lunch' }).click();
    expect(await dialog.getByRole('button', { name: 'Delete lunch' }).isDisabled()).toBe(true);
    await dialog.getByLabel('Type lunch to go on').fill('lunch');
    await dialog.getByRole('button', { name: 'Delete lunch' }).click();
    await row.waitFor({ state: 'detached' });
    await context.close();
  });

  it('a group of letters is dropped, another one is sent back, and the list tells of it at once', async () => {
    const context = await opened('light', DESK);
    const page = await at(context, '/dead-letters');
    const dialog = page.getByRole('dialog');
    const groupOf = (task: string) => page.locator('.group', { hasText: task });
    await groupOf('mail.digest').getByRole('button', { name: 'Drop 2 letters…' }).click();
    await dialog.getByLabel('Type mail.digest to go on').fill('mail.digest');
    await dialog.getByRole('button', { name: 'Drop 2 letters' }).click();
    await dialog.waitFor({ state: 'detached' });
    expect(await groupOf('mail.digest').count()).toBe(0);
    await groupOf('mail.receipt').getByRole('button', { name: 'Redrive 3…' }).click();
    await dialog.getByRole('button', { name: 'Redrive 3' }).click();
    await page.getByText('3 sent back.').waitFor();
    expect(await groupOf('mail.receipt').count()).toBe(0);
    // They are refused again, as they were.
    await vi.waitUntil(
      async () => {
        await page.getByRole('button', { name: 'Look again' }).click();
        await page.getByRole('button', { name: 'Look again' }).waitFor();
        return (await groupOf('mail.receipt').count()) === 1;
      },
      { timeout: PATIENCE_MS },
    );
    await context.close();
  });

  it('whoever may only look finds nothing to act by', async () => {
    const reading = await serveMonitor({ service: monitoredService(service), port: 0, user: 'eve', readOnly: true });
    const context = await browser.newContext({
      storageState: (await knownAt(reading)) ?? { cookies: [], origins: [] },
    });
    const page = await context.newPage();
    const found: string[] = [];
    for (const [path, text] of views()) {
      await page.goto(`${reading.url}${path}`);
      await page.getByText(text).first().waitFor({ state: 'attached' });
      const names = await page.evaluate<string[]>(NAMES);
      found.push(...names.filter((name) => ACTION.test(name)).map((name) => `${path}: ${name}`));
    }
    await context.close();
    await reading.stop();
    expect(found).toEqual([]);
  });

  it('who has not the token is told how to get in', async () => {
    const context = await browser.newContext();
    const page = await at(context, '/tasks');
    await page.getByText('This monitor is for whoever has its address').waitFor();
    await context.close();
  });

  it('a monitor that is gone is told of, and what was known stays', async () => {
    const context = await opened('light', DESK);
    const page = await at(context, '/queues');
    await page.getByRole('heading', { name: 'reports' }).waitFor();
    const before = complaints.length;
    await context.setOffline(true);
    await page.getByText('The monitor does not answer.').waitFor();
    expect(await page.getByRole('heading', { name: 'reports' }).count()).toBe(1);
    await context.setOffline(false);
    await page.getByText('The monitor does not answer.').waitFor({ state: 'detached' });
    await context.close();
    complaints.splice(before);
  });

  it('every view is there and fits, in both themes and on a phone, and axe finds nothing serious', async () => {
    const context = await opened('light', DESK);
    const page = await at(context, '/');
    // One page for all: each view is gone to as by a link, and axe is loaded once.
    await page.evaluate(axe.source);
    const found: string[] = [];
    for (const [index, [path, text]] of views().entries()) {
      await page.evaluate(`history.pushState(null, '', '${path}')`);
      // What stood there before is gone.
      await page.evaluate(PAINTED);
      await page.getByText(text).first().waitFor({ state: 'attached' });
      // Opened once: a window changes its width, and a system its theme, while a page is open.
      for (const [turn, [colorScheme, viewport]] of LOOKS.entries()) {
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize(viewport);
        await page.evaluate(PAINTED);
        const look = `${colorScheme}-${viewport.width}`;
        if (SHOTS !== undefined) await page.screenshot({ path: `${SHOTS}/${look}${path.replaceAll(/\W+/g, '-')}.png` });
        const wide = await page.evaluate<number>(WIDER);
        if (wide > 0) found.push(`${path} ${look} is ${wide} pixels too wide`);
        // By axe each view is checked once, in a second or two: every other one in one look, the rest in another.
        if (turn !== index % 2) continue;
        const serious = await page.evaluate<string[]>(SERIOUS);
        found.push(...serious.map((each) => `${path} ${look} ${each}`));
      }
    }
    await context.close();
    expect(found).toEqual([]);
  });

  it('no page has complained: not of the content security policy either', () => {
    expect(complaints).toEqual([]);
  });
});
