/** Logins of a deployed monitor: passwords, a provider, IAM; sessions that nobody else can make. */
import { createServer, type Server } from 'node:http';

import fc from 'fast-check';
import type { Context } from 'hono';
import { SignJWT } from 'jose';
import { Provider } from 'oidc-provider';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { systemClock } from '../../lib/base/time.ts';
import type { Access } from '../../lib/monitor/access.ts';
import { IamAccess } from '../../lib/monitor/login/iam-access.ts';
import { OidcAccess } from '../../lib/monitor/login/oidc-access.ts';
import { PasswordAccess, type Users } from '../../lib/monitor/login/password-access.ts';
import { hashPassword, isPassword, isPasswordHash } from '../../lib/monitor/login/password-hash.ts';
import { roleOf } from '../../lib/monitor/login/roles.ts';
import { Sessions } from '../../lib/monitor/login/sessions.ts';
import type { MonitoredService } from '../../lib/monitor/service.ts';
import { celeriacAt } from '../support/celeriac.ts';
import { type Asked, HOST, type Monitor } from '../support/monitor.ts';
import { type MonitoredShop, monitorOfShop } from '../support/monitored-shop.ts';

const KEY = new Uint8Array(32).fill(7);
const sessionsOf = ({ app }: MonitoredService, key = KEY): Sessions =>
  new Sessions({ app: app.name, key: async () => key, clock: app.clock });

/** A browser that keeps cookies. */
class Browser {
  readonly #monitor: Monitor;
  readonly cookies: Map<string, string> = new Map();

  constructor(monitor: Monitor) {
    this.#monitor = monitor;
  }

  async ask(path: string, asked: Asked = {}): ReturnType<Monitor['ask']> {
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const headers = { authorization: '', cookie, ...asked.headers };
    const answer = await this.#monitor.ask(path, { ...asked, headers });
    for (const line of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === '') this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    return answer;
  }

  async session(): Promise<{ readonly user: unknown; readonly csrf?: string }> {
    return (await this.ask('/api/session')).json as { user: unknown; csrf?: string };
  }
}

describe('passwords', () => {
  let users: Users;
  beforeAll(async () => {
    users = {
      ada: { hash: await hashPassword('correct horse'), role: 'operator' },
      eve: { hash: await hashPassword('just looking'), role: 'viewer' },
    };
  });
  const shop = (): MonitoredShop & { readonly browser: Browser } => {
    const callerOf = (context: Context): string => context.req.header('x-caller') ?? 'somewhere';
    const made = monitorOfShop((service) => ({
      access: new PasswordAccess({
        app: service.app,
        sessions: sessionsOf(service),
        users: async () => users,
        callerOf,
      }),
    }));
    return { ...made, browser: new Browser(made.monitor) };
  };
  const login = (browser: Browser, name: string, password: string, caller = 'here'): ReturnType<Monitor['ask']> =>
    browser.ask('/api/login', { method: 'POST', body: { name, password }, headers: { 'x-caller': caller } });

  it('let in who knows one, with the role of that name, until they log out', async () => {
    const { browser } = shop();
    expect((await browser.ask('/api/tasks')).status).toBe(401);
    const { status, headers } = await login(browser, 'ada', 'correct horse');
    expect(status).toBe(200);
    expect(headers.getSetCookie()[0]).toMatch(
      /^__Host-celeriac-monitor=[\w.-]+; Max-Age=43200; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
    );
    const { user, csrf = '' } = await browser.session();
    expect(user).toEqual({ name: 'ada', role: 'operator' });
    const pause = { method: 'POST', body: {}, headers: { 'x-celeriac-csrf': csrf } };
    expect((await browser.ask('/api/queues/mail/pause', pause)).json).toMatchObject({ by: 'ada' });
    await browser.ask('/api/logout', { method: 'POST', body: {} });
    expect((await browser.session()).user).toBeNull();
  });

  it('of a viewer let nobody act', async () => {
    const { browser } = shop();
    await login(browser, 'eve', 'just looking');
    const { csrf = '' } = await browser.session();
    const pause = { method: 'POST', body: {}, headers: { 'x-celeriac-csrf': csrf } };
    expect((await browser.ask('/api/queues/mail/pause', pause)).json['code']).toBe('FORBIDDEN');
  });

  it('are tried five times, then once in half a minute; nobody learns which part was wrong, and others go on', async () => {
    const { browser, world } = shop();
    const wrong = async (name: string): Promise<unknown[]> => {
      const { status, json } = await login(browser, name, 'guess');
      return [status, json['detail']];
    };
    for (const left of [4, 3, 2]) expect(await wrong('ada')).toEqual([401, `${left} tries are left.`]);
    for (const left of ['1 try is', '0 tries are']) expect(await wrong('nobody')).toEqual([401, `${left} left.`]);
    for (let guess = 0; guess < 20; guess += 1)
      expect(await wrong('ada')).toEqual([429, expect.stringMatching(/^Try again in \d+ s\.$/)]);
    expect((await login(browser, 'ada', 'correct horse')).status).toBe(429);
    expect((await login(browser, 'ada', 'correct horse', 'elsewhere')).status).toBe(200);
    await world.advance('31s');
    expect((await login(browser, 'ada', 'correct horse')).status).toBe(200);
  });

  it('are sent by the page of the monitor alone', async () => {
    const { browser } = shop();
    const body = { name: 'ada', password: 'correct horse' };
    const elsewhere = { method: 'POST', body, headers: { 'sec-fetch-site': 'cross-site' } };
    expect((await browser.ask('/api/login', elsewhere)).json['code']).toBe('CROSS_SITE');
    const form = { method: 'POST', body: 'name=ada', headers: { 'content-type': 'application/x-www-form-urlencoded' } };
    expect((await browser.ask('/api/login', form)).status).toBe(400);
  });

  it('are made into hashes by the command', async () => {
    const { code, printed } = await celeriacAt({ input: 'correct horse\n' }, 'monitor', '--hash');
    expect([code, await isPassword('correct horse', printed)]).toEqual([0, true]);
    expect((await celeriacAt({ input: 'short\n' }, 'monitor', '--hash')).code).toBe(2);
  });

  it('are kept as hashes that only they fit', async () => {
    const hash = users['ada']?.hash ?? '';
    expect(isPasswordHash(hash)).toBe(true);
    expect(await isPassword('correct horse', hash)).toBe(true);
    // As two keyboards write it.
    expect(await isPassword('caf\u00E9', await hashPassword('cafe\u0301'))).toBe(true);
    for (const other of ['', 'scrypt', hash.replace('scrypt:32768', 'scrypt:9999999'), hash.slice(0, -4)])
      expect(await isPassword('correct horse', other)).toBe(false);
  });
});

describe('a session', () => {
  const given = (): MonitoredShop & { readonly sessions: Sessions } => {
    const made = monitorOfShop((service) => {
      const sessions = sessionsOf(service);
      const access: Access = { ways: [], identify: (context) => sessions.visitor(context), mount: () => {} };
      return { access };
    });
    return { ...made, sessions: sessionsOf(made.service) };
  };
  const claims = { role: 'operator', csrf: 'x' };
  const statusOf = async (monitor: Monitor, token: string): Promise<number> =>
    (
      await monitor.ask('/api/catalogue', {
        headers: { authorization: '', cookie: `__Host-celeriac-monitor=${token}` },
      })
    ).status;

  it('ends after twelve hours', async () => {
    const { monitor, sessions, world } = given();
    const token = await sessions.sign(claims, { subject: 'ada', audience: 'session', seconds: 43_200 });
    expect(await statusOf(monitor, token)).toBe(200);
    await world.advance('11h');
    expect(await statusOf(monitor, token)).toBe(200);
    await world.advance('1h');
    expect(await statusOf(monitor, token)).toBe(401);
  });

  it('is nobody else’s to make', async () => {
    const { monitor, sessions, service } = given();
    const good = await sessions.sign(claims, { subject: 'ada', audience: 'session', seconds: 60 });
    const [head = '', body = '', signature = ''] = good.split('.');
    const none = Buffer.from('{"alg":"none"}').toString('base64url');
    const other = sessionsOf(service, new Uint8Array(32).fill(8));
    const elsewhere = new Sessions({ app: 'blog', key: async () => KEY, clock: service.app.clock });
    const forever = new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256' })
      .setSubject('ada')
      .setAudience('shop:session');
    const wanted = { subject: 'ada', audience: 'session', seconds: 60 };
    const tokens = [
      '',
      `${none}.${body}.`,
      `${head}.${body}.${signature.slice(0, -2)}`,
      `${head}.${Buffer.from(JSON.stringify({ ...claims, sub: 'eve', aud: 'shop:session', exp: 9e9 })).toString('base64url')}.${signature}`,
      await other.sign(claims, wanted),
      await elsewhere.sign(claims, wanted),
      await sessions.sign(claims, { ...wanted, audience: 'login' }),
      await sessions.sign({ ...claims, role: 'owner' }, wanted),
      await forever.sign(KEY),
    ];
    for (const token of tokens) expect([token, await statusOf(monitor, token)]).toEqual([token, 401]);
    expect(await statusOf(monitor, good)).toBe(200);
  });
});

describe('roles', () => {
  it.each([
    [{ name: 'ada@example.org' }, 'operator'],
    [{ name: 'ADA@Example.org' }, 'operator'],
    [{ name: 'bob@example.org' }, 'viewer'],
    [{ name: 'bob@example.org', groups: ['ops'] }, 'operator'],
    [{ name: 'bob@example.org.evil.test' }, undefined],
    [{ name: 'sub:ada@example.org' }, 'viewer'],
    [{ name: 'group:ops' }, undefined],
  ] as const)('%j is %s', (identity, role) => {
    expect(roleOf(identity, { operators: ['ada@example.org', 'group:ops'], viewers: ['*@example.org'] })).toBe(role);
  });

  it('a pattern means what its stars stand for, and nothing else', () => {
    const part = fc.string({ unit: fc.constantFrom('a', 'b', '.', '@') });
    fc.assert(
      fc.property(fc.array(part, { minLength: 1, maxLength: 4 }), part, (parts, name) => {
        const pattern = parts.join('*');
        const meant = new RegExp(`^${parts.map((each) => each.replaceAll('.', String.raw`\.`)).join('[^]*')}$`).test(
          name,
        );
        expect(roleOf({ name }, { operators: [pattern] }) === 'operator').toBe(meant);
      }),
    );
  });
});

describe('IAM', () => {
  it('is told by Lambda, and by nothing in the request', async () => {
    const arn = 'arn:aws:sts::123456789012:assumed-role/Ops/ada';
    const { monitor } = monitorOfShop({
      access: new IamAccess({ operators: ['arn:aws:sts::123456789012:assumed-role/Ops/*'] }),
    });
    const ask = async (userArn: unknown): Promise<unknown> => {
      const event = { requestContext: { authorizer: { iam: { userArn } } } };
      const request = new Request(`http://${HOST}/api/session`, { headers: { host: HOST, 'x-user-arn': arn } });
      return ((await (await monitor.app.request(request, undefined, { event })).json()) as { user: unknown }).user;
    };
    expect(await ask(arn)).toEqual({ name: arn, role: 'operator' });
    expect(await ask('arn:aws:sts::123456789012:assumed-role/Dev/ada')).toBeNull();
    expect(await ask(undefined)).toBeNull();
  });
});

describe('a provider', () => {
  let server: Server;
  let issuer: string;
  const people: Readonly<Record<string, { readonly verified: boolean }>> = {
    'ada@example.org': { verified: true },
    'liar@example.org': { verified: false },
    'mallory@evil.test': { verified: true },
  };
  beforeAll(async () => {
    server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    issuer = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
    const provider = new Provider(issuer, {
      clients: [
        {
          client_id: 'monitor',
          client_secret: 'of-the-monitor',
          redirect_uris: [`http://${HOST}/login/callback`],
          token_endpoint_auth_method: 'client_secret_post',
        },
      ],
      pkce: { required: () => true },
      conformIdTokenClaims: false,
      claims: { openid: ['sub'], email: ['email', 'email_verified'], groups: ['groups'] },
      scopes: ['openid', 'email', 'groups'],
      findAccount: (_context, id) => ({
        accountId: id,
        claims: () => ({ sub: id, email: id, email_verified: people[id]?.verified === true, groups: ['staff'] }),
      }),
      cookies: { keys: ['some key'] },
    });
    const handle = provider.callback();
    server.on('request', (request, response) => void handle(request, response));
  });
  afterAll(async () => {
    await new Promise((resolve) => {
      server.close(resolve);
      server.closeAllConnections();
    });
  });

  const shop = (): MonitoredShop & { readonly browser: Browser; readonly log: string[] } => {
    const log: string[] = [];
    const made = monitorOfShop({
      access: new OidcAccess({
        issuer,
        clientId: 'monitor',
        clientSecret: async () => 'of-the-monitor',
        operators: ['ada@example.org', 'liar@example.org'],
        scopes: ['groups'],
        // Providers know the true time.
        sessions: new Sessions({ app: 'shop', key: async () => KEY, clock: systemClock }),
        logger: { log: (_level, message) => void log.push(message) },
        allowHttp: true,
      }),
    });
    return { ...made, browser: new Browser(made.monitor), log };
  };

  /** Goes through the provider's own forms as this person. @returns the address that it sends the browser back to */
  async function throughProvider(address: string, person: string): Promise<string> {
    const jar = new Map<string, string>();
    let [url, form]: [string, URLSearchParams | undefined] = [address, undefined];
    for (let step = 0; step < 20; step += 1) {
      const response = await fetch(url, {
        redirect: 'manual',
        method: form === undefined ? 'GET' : 'POST',
        headers: { cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; ') },
        ...(form === undefined ? {} : { body: form }),
      });
      for (const line of response.headers.getSetCookie()) {
        const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
        jar.set(name, value);
      }
      const next = response.headers.get('location');
      const page = await response.text();
      form = undefined;
      if (next !== null) url = new URL(next, url).href;
      else {
        const action = /<form[^>]*action="([^"]+)"/.exec(page)?.[1] ?? '';
        const prompt = /name="prompt" value="(\w+)"/.exec(page)?.[1] ?? '';
        if (action === '') throw new Error(`no form: ${page.replaceAll(/<style[^]*?<\/style>/g, '').slice(0, 2000)}`);
        url = new URL(action, url).href;
        form = new URLSearchParams({ prompt, login: person, password: 'any' });
      }
      if (url.startsWith(`http://${HOST}/`)) return url.slice(`http://${HOST}`.length);
    }
    throw new Error('the provider never came back');
  }

  const begin = async (browser: Browser): Promise<string> =>
    (await browser.ask('/login/oidc')).headers.get('location') ?? '';

  it('lets in whom the rules name', async () => {
    const { browser } = shop();
    const back = await throughProvider(await begin(browser), 'ada@example.org');
    expect((await browser.ask(back)).headers.get('location')).toBe('/');
    expect((await browser.session()).user).toEqual({ name: 'ada@example.org', role: 'operator' });
    expect([...browser.cookies.keys()]).toEqual(['__Host-celeriac-monitor']);
  });

  it.each(['mallory@evil.test', 'liar@example.org'])('does not let in %s', async (person) => {
    const { browser } = shop();
    const back = await throughProvider(await begin(browser), person);
    expect((await browser.ask(back)).headers.get('location')).toBe('/login?refused=unknown');
    expect((await browser.session()).user).toBeNull();
  });

  it('answers the browser that asked, once, and no other', async () => {
    const { browser, monitor, log } = shop();
    const back = await throughProvider(await begin(browser), 'ada@example.org');
    // Somebody who was sent the link.
    expect((await new Browser(monitor).ask(back)).headers.get('location')).toBe('/login?refused=unknown');
    const other = new Browser(monitor);
    await begin(other);
    expect((await other.ask(back)).headers.get('location')).toBe('/login?refused=failed');
    expect((await browser.ask(back.replace(/code=[^&]+/, 'code=guessed'))).headers.get('location')).toBe(
      '/login?refused=failed',
    );
    expect((await browser.ask(back)).headers.get('location')).toBe('/login?refused=unknown');
    expect(log).toHaveLength(2);
  });
});
