/** Who is logged in, in a signed cookie: nothing is stored. */
import { randomBytes } from 'node:crypto';

import type { Context } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { jwtVerify, SignJWT } from 'jose';

import type { Clock } from '../../base/time.ts';
import type { Role, Visitor } from '../route.ts';

export interface SessionsOptions {
  /** Of the app: a cookie of one is none of another's. */
  readonly app: string;
  /** At least 32 bytes. Asked when somebody comes. */
  readonly key: () => Promise<Uint8Array>;
  readonly clock: Clock;
}

const ALGORITHM = 'HS256';
// A working day; who is taken off the list is out after it.
const SESSION_SECONDS = 43_200;
const CSRF_BYTES = 16;
// `__Host-`: by https, for this host alone, for all paths.
const COOKIE = 'celeriac-monitor';
const STRICT = { path: '/', secure: true, httpOnly: true, sameSite: 'Strict', prefix: 'host' } as const;

export class Sessions {
  readonly #options: SessionsOptions;

  constructor(options: SessionsOptions) {
    this.#options = options;
  }

  async begin(context: Context, { name, role }: Pick<Visitor, 'name' | 'role'>): Promise<void> {
    const csrf = randomBytes(CSRF_BYTES).toString('base64url');
    const token = await this.sign({ role, csrf }, { subject: name, audience: 'session', seconds: SESSION_SECONDS });
    setCookie(context, COOKIE, token, { ...STRICT, maxAge: SESSION_SECONDS });
  }

  end(context: Context): void {
    deleteCookie(context, COOKIE, STRICT);
  }

  async visitor(context: Context): Promise<Visitor | undefined> {
    const token = getCookie(context, COOKIE, 'host');
    const claims = token === undefined ? undefined : await this.read(token, 'session');
    const { sub: name, role, csrf } = claims ?? {};
    if (typeof name !== 'string' || !isRole(role) || typeof csrf !== 'string') return undefined;
    return { name, role, csrf };
  }

  /** Text that nobody else can make. */
  async sign(
    claims: Readonly<Record<string, unknown>>,
    { subject, audience, seconds }: { readonly subject: string; readonly audience: string; readonly seconds: number },
  ): Promise<string> {
    const { app, key, clock } = this.#options;
    const nowSeconds = Math.floor(clock.nowMs() / 1000);
    return new SignJWT({ ...claims })
      .setProtectedHeader({ alg: ALGORITHM })
      .setSubject(subject)
      .setAudience(`${app}:${audience}`)
      .setIssuedAt(nowSeconds)
      .setExpirationTime(nowSeconds + seconds)
      .sign(await key());
  }

  /** undefined for what is not ours, for something else, or whose time is over. */
  async read(token: string, audience: string): Promise<Readonly<Record<string, unknown>> | undefined> {
    const { app, key, clock } = this.#options;
    const secret = await key();
    try {
      const { payload } = await jwtVerify(token, secret, {
        algorithms: [ALGORITHM],
        audience: `${app}:${audience}`,
        requiredClaims: ['exp', 'sub'],
        currentDate: new Date(clock.nowMs()),
      });
      return payload;
    } catch {
      return undefined;
    }
  }
}

function isRole(value: unknown): value is Role {
  return value === 'viewer' || value === 'operator';
}
