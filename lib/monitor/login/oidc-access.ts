/** Logins at an OpenID provider, by the code flow with PKCE. */
import type { Context, Hono } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import * as oidc from 'openid-client';

import { errorLine } from '../../base/error-text.ts';
import type { Logger } from '../../ports/log.ts';
import type { Access, LoginWay } from '../access.ts';
import type { Visitor } from '../route.ts';
import { mountLogout } from './password-access.ts';
import { roleOf, type RoleRules } from './roles.ts';
import type { Sessions } from './sessions.ts';

export interface OidcOptions extends RoleRules {
  /** As the provider calls itself: `https://...`. */
  readonly issuer: string;
  readonly clientId: string;
  /** undefined for a client without one. Asked when somebody logs in. */
  readonly clientSecret: () => Promise<string | undefined>;
  /** The claim that lists groups. Default `'groups'`. */
  readonly groupsClaim?: string;
  /** Beside `openid email`. */
  readonly scopes?: readonly string[];
  readonly sessions: Sessions;
  readonly logger: Logger;
  /** For tests alone: providers on loopback have no https. */
  readonly allowHttp?: boolean;
}

const BEGIN = '/login/oidc';
const CALLBACK = '/login/callback';
const COOKIE = 'celeriac-login';
// Somebody who looks for their second factor meanwhile.
const LOGIN_SECONDS = 600;
// Lax: the provider sends the browser back from its own site.
const LAX = { path: '/', httpOnly: true, sameSite: 'Lax', secure: true, prefix: 'host' } as const;

export class OidcAccess implements Access {
  readonly ways: readonly LoginWay[] = ['oidc'];
  readonly #options: OidcOptions;
  #provider: Promise<oidc.Configuration> | undefined;

  constructor(options: OidcOptions) {
    this.#options = options;
  }

  identify(context: Context): Promise<Visitor | undefined> {
    return this.#options.sessions.visitor(context);
  }

  mount(app: Hono): void {
    app.get(BEGIN, (context) => this.#begin(context));
    app.get(CALLBACK, (context) => this.#end(context));
    mountLogout(app, this.#options.sessions);
  }

  /** What only this browser knows goes into a signed cookie; the provider gets what cannot be used without it. */
  async #begin(context: Context): Promise<Response> {
    const { sessions, scopes = [] } = this.#options;
    const [verifier, state, nonce] = [oidc.randomPKCECodeVerifier(), oidc.randomState(), oidc.randomNonce()];
    const provider = await this.#discovered();
    const address = oidc.buildAuthorizationUrl(provider, {
      redirect_uri: callbackOf(context),
      scope: ['openid', 'email', ...scopes].join(' '),
      code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state,
      nonce,
    });
    const kept = { subject: 'login', audience: 'login', seconds: LOGIN_SECONDS };
    setCookie(context, COOKIE, await sessions.sign({ verifier, state, nonce }, kept), {
      ...LAX,
      maxAge: LOGIN_SECONDS,
    });
    return context.redirect(address.href, 303);
  }

  async #end(context: Context): Promise<Response> {
    const { sessions, logger } = this.#options;
    const cookie = getCookie(context, COOKIE, 'host');
    const kept = cookie === undefined ? undefined : await sessions.read(cookie, 'login');
    deleteCookie(context, COOKIE, LAX);
    try {
      const visitor = kept === undefined ? undefined : await this.#visitor(context, kept);
      if (visitor === undefined) return context.redirect('/login?refused=unknown', 303);
      await sessions.begin(context, visitor);
      // A page of ours asks for the rest: the cookie is not sent in the wake of the provider's redirect.
      return context.redirect('/', 303);
    } catch (error) {
      logger.log('warn', `A login was refused: ${errorLine(error)}`);
      return context.redirect('/login?refused=failed', 303);
    }
  }

  async #visitor(
    context: Context,
    { verifier, state, nonce }: Readonly<Record<string, unknown>>,
  ): Promise<Pick<Visitor, 'name' | 'role'> | undefined> {
    const { groupsClaim = 'groups' } = this.#options;
    // The address as it was given to the provider: what stands before us may have another.
    const address = new URL(callbackOf(context));
    address.search = new URL(context.req.url).search;
    const tokens = await oidc.authorizationCodeGrant(await this.#discovered(), address, {
      pkceCodeVerifier: String(verifier),
      expectedState: String(state),
      expectedNonce: String(nonce),
      idTokenExpected: true,
    });
    const claims = tokens.claims() ?? {};
    const { email, email_verified: isVerified, sub } = claims as Readonly<Record<string, unknown>>;
    // An address that nobody has verified names nobody, and a provider's own id must not look like one.
    const name = typeof email === 'string' && isVerified === true ? email : `sub:${String(sub)}`;
    const listed = (claims as Readonly<Record<string, unknown>>)[groupsClaim];
    const groups = Array.isArray(listed) ? listed.filter((each): each is string => typeof each === 'string') : [];
    const role = roleOf({ name, groups }, this.#options);
    return role === undefined ? undefined : { name, role };
  }

  /** Once; what failed is tried again by the next. */
  #discovered(): Promise<oidc.Configuration> {
    this.#provider ??= this.#discover().catch((error: unknown) => {
      this.#provider = undefined;
      throw error;
    });
    return this.#provider;
  }

  async #discover(): Promise<oidc.Configuration> {
    const { issuer, clientId, clientSecret, allowHttp = false } = this.#options;
    const secret = await clientSecret();
    return oidc.discovery(
      new URL(issuer),
      clientId,
      undefined,
      secret === undefined ? oidc.None() : oidc.ClientSecretPost(secret),
      allowHttp ? { execute: [oidc.allowInsecureRequests] } : {},
    );
  }
}

/** As Lambda tells its own name: what the request says of forwarding is not asked. */
function callbackOf(context: Context): string {
  return new URL(CALLBACK, context.req.url).href;
}
