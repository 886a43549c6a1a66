/** Who may do what: over every route of the API, and everything that a browser could be made to send. */
import { describe, expect, it } from 'vitest';

import type { Access } from '../../lib/monitor/access.ts';
import type { Route, Visitor } from '../../lib/monitor/route.ts';
import { ROUTES } from '../../lib/monitor/routes.ts';
import { monitorOfShop as given } from '../support/monitored-shop.ts';
import { HOST, type Monitor, nameOf, TOKEN } from '../support/monitor.ts';

const CSRF = 'of-this-session';

const headersOf = (...all: readonly Record<string, string>[]): readonly Record<string, string>[] => all;

/** Somebody who is logged in by a cookie. */
function loggedIn(visitor: Visitor | undefined): Access {
  return { ways: ['password'], identify: () => Promise.resolve(visitor), mount: () => {} };
}

const pathOf = ({ path }: Route): string => path.replaceAll(/\{\w+\}/g, 'mail');
const actions = ROUTES.filter(({ action }) => action !== undefined);

/** What fits each action, so that nothing but the right is missing. */
const BODIES: Readonly<Record<string, unknown>> = {
  'POST /api/tasks': { task: 'orders.charge', args: ['ada'] },
  'POST /api/tasks/revoke': { ids: ['some-id'] },
  'POST /api/locks/free': { key: 'import' },
  'POST /api/rates': { task: 'orders.charge', limit: '5/m' },
  'PUT /api/schedules/{name}': { task: 'orders.charge', schedule: 60 },
  'POST /api/schedules/check': { name: 'x', task: 'orders.charge', schedule: 60 },
  'POST /api/queues/{queue}/purge': { name: 'mail' },
  'POST /api/schedules/{name}/rename': { to: 'other' },
  'POST /api/schedules/many': { names: ['mail'], what: 'disable' },
};
const bodyOf = (route: Route): unknown => BODIES[nameOf(route)] ?? {};

describe.each(actions.map((route) => [nameOf(route), route] as const))('%s', (_name, route) => {
  const looksOnly = route.isOnlyLooking?.(bodyOf(route) as never) === true;

  it.each([
    ['a viewer', 'FORBIDDEN', { access: loggedIn({ name: 'eve', role: 'viewer' }) }],
    ['an operator of a monitor that only shows', 'READ_ONLY', { readOnly: true }],
  ])('refuses %s, and does nothing', async (_who, code, options) => {
    const { monitor, audit } = given(options);
    const { status, json } = await monitor.ask(pathOf(route), { method: route.method, body: bodyOf(route) });
    if (looksOnly) expect(status).toBe(200);
    else expect([status, json['code']]).toEqual([403, code]);
    expect(await audit.list({ limit: 1, nowMs: 0 })).toEqual([]);
  });

  it('wants the token of the session, where a cookie says who asks', async () => {
    const { monitor, audit } = given({ access: loggedIn({ name: 'ada', role: 'operator', csrf: CSRF }) });
    const ask = (headers: Record<string, string>): Promise<{ json: Record<string, unknown> }> =>
      monitor.ask(pathOf(route), { method: route.method, body: bodyOf(route), headers });
    for (const headers of headersOf({}, { 'x-celeriac-csrf': 'of-another' }))
      expect((await ask(headers)).json['code']).toBe('CSRF');
    expect(await audit.list({ limit: 1, nowMs: 0 })).toEqual([]);
    expect((await ask({ 'x-celeriac-csrf': CSRF })).json['code']).not.toBe('CSRF');
  });

  it('takes nothing from another page', async () => {
    const { monitor } = given({ isOwnHost: (host) => [HOST, 'neighbour.test'].includes(host) });
    for (const headers of headersOf(
      { origin: 'https://neighbour.test' },
      { 'sec-fetch-site': 'cross-site' },
      { 'sec-fetch-site': 'same-site' },
      { 'sec-fetch-site': 'none' },
      { origin: 'https://evil.test' },
      { origin: 'null' },
    ))
      expect(
        (await monitor.ask(pathOf(route), { method: route.method, body: bodyOf(route), headers })).json['code'],
      ).toBe('CROSS_SITE');
  });
});

describe('every route', () => {
  const paths = [
    ...ROUTES.map((route) => [route.method, pathOf(route)] as const),
    ['GET', '/metrics'],
    ['GET', '/tasks/x/status'],
  ] as const;

  it('is closed to those who are not logged in', async () => {
    const { monitor } = given({ access: loggedIn(undefined) });
    for (const [method, path] of paths) {
      const { status, json } = await monitor.ask(path, { method, ...(method === 'GET' ? {} : { body: {} }) });
      expect([path, status, json['code']]).toEqual([path, 401, 'UNAUTHENTICATED']);
    }
    expect((await monitor.ask('/api/session')).json).toEqual({
      app: 'shop',
      user: null,
      login: ['password'],
      readOnly: false,
      showValues: false,
      hasCode: true,
      live: 'stream',
    });
  });

  it('answers to its own name alone', async () => {
    const { monitor } = given();
    for (const [method, path] of paths)
      for (const host of ['evil.test', 'monitor.test', `${HOST}.evil.test`])
        expect((await monitor.ask(path, { method, headers: { host } })).status, path).toBe(421);
  });

  it('may stand in no frame, and runs nothing that is not its own', async () => {
    const { monitor } = given();
    for (const path of ['/api/session', '/api/tasks', '/nothing', '/api/nothing']) {
      const { headers } = await monitor.ask(path);
      expect(headers.get('content-security-policy')).toBe(
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
      );
      expect([headers.get('x-content-type-options'), headers.get('referrer-policy')]).toEqual([
        'nosniff',
        'no-referrer',
      ]);
    }
  });
});

describe('the token in the address', () => {
  it('becomes a cookie, and leaves the address', async () => {
    const { monitor } = given();
    const opened = await monitor.ask(`/tasks?state=FAILURE&token=${TOKEN}`, { headers: { authorization: '' } });
    expect([opened.status, opened.headers.get('location')]).toEqual([303, '/tasks?state=FAILURE']);
    const cookie = opened.headers.get('set-cookie') ?? '';
    expect(cookie).toMatch(/^celeriac-monitor-4570=the-token; Path=\/; HttpOnly; SameSite=Strict$/);
    const headers = { authorization: '', cookie: cookie.split(';')[0] ?? '' };
    const { json } = await monitor.ask('/api/session', { headers });
    expect(json).toMatchObject({ user: { name: 'ada', role: 'operator' }, csrf: expect.any(String) });
    const pause = { method: 'POST', body: {} };
    expect((await monitor.ask('/api/queues/mail/pause', { ...pause, headers })).json['code']).toBe('CSRF');
    const told = { ...headers, 'x-celeriac-csrf': String(json['csrf']) };
    expect((await monitor.ask('/api/queues/mail/pause', { ...pause, headers: told })).status).toBe(200);
  });

  it('that is another one is of no use', async () => {
    const { monitor } = given();
    const opened = await monitor.ask('/?token=guessed', { headers: { authorization: '' } });
    expect([opened.status, opened.headers.get('set-cookie')]).toEqual([303, null]);
    for (const headers of headersOf(
      { authorization: 'Bearer guessed' },
      { authorization: '', cookie: 'celeriac-monitor-4570=x' },
    ))
      expect((await monitor.ask('/api/tasks', { headers })).status).toBe(401);
  });
});

describe('what is sent', () => {
  it('must be JSON, of a bounded size, and is never repeated in a refusal', async () => {
    const { monitor } = given();
    const ask = (body: unknown, headers: Record<string, string> = {}): ReturnType<Monitor['ask']> =>
      monitor.ask('/api/tasks', { method: 'POST', body, headers });
    expect((await ask('task=x', { 'content-type': 'text/plain' })).status).toBe(415);
    expect((await ask('{"task"')).status).toBe(400);
    expect((await ask({ task: 'orders.charge', args: ['x'.repeat(1_400_000)] })).status).toBe(413);
    for (const body of [
      { task: 'orders.charge', args: 'SECRET' },
      { task: 'orders.charge', SECRET: 1, kwargs: ['SECRET'] },
      { task: 7, args: ['SECRET'] },
    ]) {
      const { status, text } = await ask(body);
      expect([status, text.replace('body.SECRET', '').includes('SECRET')]).toEqual([400, false]);
    }
  });

  it('with arguments leaves none of them in the audit list', async () => {
    const { monitor, audit, service } = given();
    await monitor.act('/api/tasks', { task: 'orders.charge', args: ['SECRET'], kwargs: { also: 'SECRET' } });
    const entries = await audit.list({ limit: 10, nowMs: service.app.clock.nowMs() });
    expect(entries).toMatchObject([{ by: 'ada', action: 'task.call', outcome: 'done' }]);
    expect(JSON.stringify(entries)).not.toContain('SECRET');
  });

  it('names of people and things are cut where they are long', async () => {
    const long = 'x'.repeat(1000);
    const { monitor, audit } = given({ access: loggedIn({ name: long, role: 'operator' }) });
    await monitor.ask(`/api/queues/${long}/pause`, { method: 'POST', body: {} });
    const [entry] = await audit.list({ limit: 1, nowMs: 0 });
    expect([entry?.by.length, entry?.on[0]?.length]).toEqual([300, 300]);
  });
});

describe('an action', () => {
  it('is not done where it cannot be written down', async () => {
    const { monitor, audit, service } = given();
    audit.put = () => Promise.reject(new Error('no table'));
    const { status, json } = await monitor.ask('/api/queues/mail/pause', { method: 'POST', body: {} });
    // What nobody foresaw is the log's to tell.
    expect([status, json]).toEqual([
      500,
      expect.objectContaining({ code: 'INTERNAL_ERROR', detail: 'Its log says why.' }),
    ]);
    expect(await (await service.app.ports()).pauses?.list()).toEqual([]);
  });
});
