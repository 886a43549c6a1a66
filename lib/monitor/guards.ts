/** What is asked of each request before anything else: by which name, from where, how large; and what each answer says to browsers. */
import type { Context, Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { secureHeaders } from 'hono/secure-headers';

import { MAX_MONITOR_BODY_BYTES } from '../base/limits.ts';
import { Refused } from './problem.ts';
import type { Visitor } from './route.ts';
import { isSameText } from './same-text.ts';

/** Changes show it beside the cookie. */
export const CSRF_HEADER = 'x-celeriac-csrf';

export interface GuardOptions {
  /** Names by which it may be asked, with the port where there is one. Others are somebody else's that point here. */
  readonly isOwnHost: (host: string) => boolean;
  /** It is reached by https alone. */
  readonly isSecure: boolean;
}

export function mountGuards(app: Hono, { isOwnHost, isSecure }: GuardOptions): void {
  app.use('*', headersFor(isSecure));
  app.use('*', async (context, next) => {
    const host = context.req.header('host') ?? new URL(context.req.url).host;
    if (isOwnHost(host)) return next();
    throw new Refused({
      status: 421,
      code: 'WRONG_HOST',
      title: 'This is not the monitor of that name.',
      detail: 'The request names another host.',
      hint: 'Use the address that was printed when the monitor started.',
    });
  });
  app.use('*', async (context, next) => {
    if (!isReading(context)) refuseCrossSite(context);
    await next();
  });
  app.use(
    '*',
    bodyLimit({
      maxSize: MAX_MONITOR_BODY_BYTES,
      onError: () => {
        throw new Refused({
          status: 413,
          code: 'BODY_TOO_LARGE',
          title: 'The request is too large.',
          detail: `Up to ${MAX_MONITOR_BODY_BYTES} bytes are allowed.`,
        });
      },
    }),
  );
}

/** Nothing from elsewhere, nothing inline, in no frame. */
function headersFor(isSecure: boolean): ReturnType<typeof secureHeaders> {
  return secureHeaders({
    contentSecurityPolicy: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      connectSrc: ["'self'"],
      imgSrc: ["'self'", 'data:'],
      formAction: ["'self'"],
      baseUri: ["'none'"],
      frameAncestors: ["'none'"],
    },
    xFrameOptions: 'DENY',
    referrerPolicy: 'no-referrer',
    crossOriginOpenerPolicy: 'same-origin',
    crossOriginResourcePolicy: 'same-origin',
    strictTransportSecurity: isSecure ? 'max-age=31536000' : false,
  });
}

function isReading({ req }: Context): boolean {
  return req.method === 'GET' || req.method === 'HEAD';
}

/** A browser says where a request comes from; what says nothing of it is no browser, and has no cookie of ours. */
function refuseCrossSite({ req }: Context): void {
  const site = req.header('sec-fetch-site');
  const origin = req.header('origin');
  const host = req.header('host') ?? new URL(req.url).host;
  const isOwn = site === undefined ? origin === undefined || isOrigin(origin, host) : site === 'same-origin';
  if (isOwn) return;
  throw new Refused({
    status: 403,
    code: 'CROSS_SITE',
    title: 'Another page has sent this.',
    detail: 'Changes are taken from the monitor’s own page alone.',
  });
}

/** The very host that was asked: others that are let in may be somebody else's, as functions' addresses are. */
function isOrigin(origin: string, host: string): boolean {
  try {
    return new URL(origin).host === host;
  } catch {
    return false;
  }
}

/** Of whoever is known by a cookie, which browsers send unasked. @throws Refused */
export function checkCsrf({ req }: Context, { csrf }: Visitor): void {
  if (csrf === undefined || isSameText(req.header(CSRF_HEADER) ?? '', csrf)) return;
  throw new Refused({
    status: 403,
    code: 'CSRF',
    title: 'The request does not show the token of this session.',
    detail: `Send it in the header ${CSRF_HEADER}.`,
    hint: 'GET /api/session tells it.',
  });
}
