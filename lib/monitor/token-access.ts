/** Whoever has the token may come in: for a monitor on the machine that one works at, whose address is printed. */
import { createHmac } from 'node:crypto';

import type { Context, Hono } from 'hono';
import { getCookie, setCookie } from 'hono/cookie';

import type { Access, LoginWay } from './access.ts';
import type { Visitor } from './route.ts';
import { isSameText } from './same-text.ts';

/** Sent in a header by tools; browsers get a cookie by the address that has the token. */
export class TokenAccess implements Access {
  readonly ways: readonly LoginWay[] = ['token'];
  readonly #token: string;
  readonly #name: string;

  /** @param name of whoever works at this machine, for the audit list */
  constructor(token: string, name: string) {
    this.#token = token;
    this.#name = name;
  }

  identify(context: Context): Promise<Visitor | undefined> {
    const person = { name: this.#name, role: 'operator' as const };
    const bearer = /^Bearer (.+)$/.exec(context.req.header('authorization') ?? '')?.[1];
    if (bearer !== undefined) return Promise.resolve(isSameText(bearer, this.#token) ? person : undefined);
    const cookie = getCookie(context, cookieName(context));
    if (cookie === undefined || !isSameText(cookie, this.#token)) return Promise.resolve(undefined);
    const csrf = createHmac('sha256', this.#token).update('csrf').digest('base64url');
    return Promise.resolve({ ...person, csrf });
  }

  mount(app: Hono): void {
    app.use('*', async (context, next) => {
      const url = new URL(context.req.url);
      const token = url.searchParams.get('token');
      if (context.req.method !== 'GET' || url.pathname.startsWith('/api/') || token === null) return next();
      // What is in an address is kept in the history of the browser, and shown to whoever looks: it leaves it at once.
      url.searchParams.delete('token');
      if (isSameText(token, this.#token))
        setCookie(context, cookieName(context), token, { httpOnly: true, sameSite: 'Strict', path: '/' });
      return context.redirect(`${url.pathname}${url.search}`, 303);
    });
  }
}

/** Browsers have the same cookies for all ports of a host. */
function cookieName(context: Context): string {
  return `celeriac-monitor-${new URL(context.req.url).port}`;
}
