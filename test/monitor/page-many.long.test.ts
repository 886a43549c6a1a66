/** A list of 10,000 tasks in a real browser: read page by page, of which only what can be seen is drawn. */
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { TokenAccess } from '../../lib/monitor/token-access.ts';
import { builtPage, CHROMIUM, launched, type Served, servedOn } from '../support/browser.ts';
import { TOKEN } from '../support/monitor.ts';
import { monitorOfShop } from '../support/monitored-shop.ts';

const TASKS = 10_000;
const AT_ONCE = 500;
// A window of 900 pixels shows 25 rows; some more wait above and below it.
const ROW_PIXELS = 36;
const MOST_ROWS = 80;

describe.skipIf(CHROMIUM === undefined)('10,000 tasks', () => {
  let browser: Browser;
  let served: Served;

  beforeAll(async () => {
    const page = await builtPage();
    browser = await launched();
    let host = '';
    const { monitor, world } = monitorOfShop({
      access: new TokenAccess(TOKEN, 'ada'),
      page,
      live: 'poll',
      isOwnHost: (asked) => asked === host,
    });
    for (let from = 0; from < TASKS; from += AT_ONCE) {
      const names = Array.from({ length: AT_ONCE }, (_, index) => [`customer ${from + index}`] as const);
      await Promise.all(names.map((args) => world.app.send('orders.charge', args)));
      await world.advance('1s');
    }
    served = await servedOn((own) => {
      host = own;
      return monitor.app;
    });
  });
  afterAll(async () => {
    await browser?.close();
    await served?.stop();
  });

  it('are scrolled through to the first one, without ever drawing many', async () => {
    const page = await (await browser.newContext({ viewport: { width: 1440, height: 900 } })).newPage();
    await page.goto(`${served.url}/?token=${TOKEN}`);
    await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
    await page.goto(`${served.url}/tasks?since=1h`);
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
    // None was left out on the way: there is room for all of them.
    const height = await page.evaluate<number>('document.documentElement.scrollHeight');
    expect(height).toBeGreaterThan(TASKS * ROW_PIXELS);
    // And back to the newest.
    await page.evaluate('scrollTo(0, 0)');
    await page
      .getByText(`'customer ${TASKS - 1}'`)
      .or(page.getByText(/'customer 9\d{3}'/))
      .first()
      .waitFor();
    await page.context().close();
  });
});
