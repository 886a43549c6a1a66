/** People log in by the page, in a real browser: by password and by a provider; what each of them sees, until a session ends. */
import { createServer, type Server } from 'node:http';

import { Provider } from 'oidc-provider';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import { systemClock } from '../../lib/base/time.ts';
import type { Access } from '../../lib/monitor/access.ts';
import { OidcAccess } from '../../lib/monitor/login/oidc-access.ts';
import { hashPassword } from '../../lib/monitor/login/password-hash.ts';
import { PasswordAccess, type Users } from '../../lib/monitor/login/password-access.ts';
import { Sessions } from '../../lib/monitor/login/sessions.ts';
import type { PageFiles } from '../../lib/monitor/page-files.ts';
import type { MonitoredService } from '../../lib/monitor/service.ts';
import { builtPage, CHROMIUM, launched, type Served, servedOn } from '../support/browser.ts';
import { type MonitoredShop, monitorOfShop } from '../support/monitored-shop.ts';

const KEY = new Uint8Array(32).fill(7);

describe.skipIf(CHROMIUM === undefined)('the page', () => {
  let files: PageFiles;
  let browser: Browser;
  let users: Users;
  let page: Page;
  const stops: (() => Promise<unknown>)[] = [];

  beforeAll(async () => {
    files = await builtPage();
    browser = await launched();
    users = {
      ada: { hash: await hashPassword('correct horse'), role: 'operator' },
      eve: { hash: await hashPassword('just looking'), role: 'viewer' },
    };
  });
  afterAll(() => browser?.close());
  beforeEach(async () => {
    page = await (await browser.newContext()).newPage();
  });
  afterEach(async () => {
    await page.context().close();
    for (const stop of stops.splice(0)) await stop();
  });

  async function shop(accessOf: (service: MonitoredService, host: string) => Access): Promise<Served & MonitoredShop> {
    let made: MonitoredShop | undefined;
    const served = await servedOn((host) => {
      const access = (service: MonitoredService): Access => accessOf(service, host);
      made = monitorOfShop((service) => ({
        access: access(service),
        page: files,
        live: 'poll',
        isOwnHost: (asked) => asked === host,
      }));
      return made.monitor.app;
    });
    stops.push(() => served.stop());
    if (made === undefined) throw new Error('Nothing was made.');
    return { ...made, ...served };
  }
  const withPasswords = (): Promise<Served & MonitoredShop> =>
    shop(
      ({ app }) =>
        new PasswordAccess({
          app,
          sessions: new Sessions({ app: app.name, key: async () => KEY, clock: app.clock }),
          users: async () => users,
          callerOf: () => 'here',
        }),
    );
  async function logIn(name: string, password: string): Promise<void> {
    await page.getByLabel('Name').fill(name);
    await page.getByLabel('Password').fill(password);
    await page.getByRole('button', { name: 'Log in' }).click();
  }

  it('lets in who knows a password, to the address that was asked for, and out again', async () => {
    const { url } = await withPasswords();
    await page.goto(`${url}/queues`);
    await logIn('ada', 'wrong');
    await page.getByText('Name and password do not fit.').waitFor();
    await page.getByText('4 tries are left.').waitFor();
    await logIn('ada', 'correct horse');
    await page.getByRole('button', { name: 'Pause…' }).first().waitFor();
    expect(new URL(page.url()).pathname).toBe('/queues');
    await page.reload();
    await page.getByRole('heading', { name: 'Queues', level: 1 }).waitFor();
    await page.getByRole('button', { name: 'Log out' }).click();
    await page.getByRole('button', { name: 'Log in' }).waitFor();
    await page.reload();
    await page.getByRole('button', { name: 'Log in' }).waitFor();
  });

  it('says that a session has ended, and goes on where it was', async () => {
    const { url, world } = await withPasswords();
    await page.goto(`${url}/queues`);
    await logIn('ada', 'correct horse');
    await page.getByRole('button', { name: 'Pause…' }).first().click();
    await world.advance('13h');
    await page.getByRole('button', { name: 'Pause default' }).click();
    await page.getByText('Your session has ended.').waitFor();
    // Nothing of what was seen stays.
    expect(await page.getByText('Pause default').count()).toBe(0);
    await logIn('eve', 'just looking');
    await page.getByRole('heading', { name: 'Queues', level: 1 }).waitFor();
    expect(await page.getByRole('button', { name: 'Pause…' }).count()).toBe(0);
    expect(await page.getByText('viewer').count()).toBeGreaterThan(0);
  });

  describe('by a provider', () => {
    let server: Server;
    let issuer: string;
    beforeAll(async () => {
      server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      const address = server.address();
      issuer = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
    });
    afterEach(() => server.removeAllListeners('request'));
    afterAll(async () => {
      await new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      });
    });

    async function withProvider(): Promise<Served & MonitoredShop> {
      const made = await shop(
        () =>
          new OidcAccess({
            issuer,
            clientId: 'monitor',
            clientSecret: async () => 'of-the-monitor',
            operators: ['ada@example.org'],
            // The provider knows the true time.
            sessions: new Sessions({ app: 'shop', key: async () => KEY, clock: systemClock }),
            logger: { log: () => {} },
            allowHttp: true,
          }),
      );
      const provider = new Provider(issuer, {
        clients: [
          {
            client_id: 'monitor',
            client_secret: 'of-the-monitor',
            redirect_uris: [`${made.url}/login/callback`],
            token_endpoint_auth_method: 'client_secret_post',
          },
        ],
        pkce: { required: () => true },
        conformIdTokenClaims: false,
        claims: { openid: ['sub'], email: ['email', 'email_verified'] },
        findAccount: (_context, id) => ({
          accountId: id,
          claims: () => ({ sub: id, email: id, email_verified: true }),
        }),
        cookies: { keys: ['some key'] },
      });
      const handle = provider.callback();
      server.on('request', (request, response) => void handle(request, response));
      return made;
    }
    /** Through the provider's own forms. */
    async function as(person: string): Promise<void> {
      await page.getByRole('link', { name: 'Log in with single sign-on' }).click();
      await page.locator('input[name=login]').fill(person);
      await page.locator('input[name=password]').fill('any');
      await page.getByRole('button', { name: 'Sign-in' }).click();
      await page.getByRole('button', { name: 'Continue' }).click();
    }

    it('lets in whom the rules name', async () => {
      const { url } = await withProvider();
      await page.goto(url);
      await as('ada@example.org');
      await page.getByRole('heading', { name: 'Overview', level: 1 }).waitFor();
      expect(await page.getByText('ada@example.org').count()).toBeGreaterThan(0);
    });

    it('says that somebody is known there and not here', async () => {
      const { url } = await withProvider();
      await page.goto(url);
      await as('mallory@evil.test');
      await page.getByText('Nobody of that name may see this monitor.').waitFor();
      await vi.waitUntil(() => new URL(page.url()).pathname === '/login');
      expect(await page.getByRole('link', { name: 'Log in with single sign-on' }).count()).toBe(1);
    });
  });
});
