/**
 * Who may ask a server of the embedded cloud: programs that speak as the SDKs do, and no web page. A browser sends
 * what any page wants to any port of this machine, and a name that a page's owner points at 127.0.0.1 makes it "the same
 * origin" (DNS rebinding). So a request must show what no page can send without being asked first by a preflight,
 * which is refused too: our name as its host, a signature, the SDK's content type.
 */
import type { IncomingHttpHeaders, IncomingMessage, Server, ServerResponse } from 'node:http';

/** What a server listens for: a prefix of `x-amz-target`, as in `AmazonSQS.`. */
export interface Gate {
  readonly service: string;
}

interface Request {
  readonly method?: string | undefined;
  readonly url?: string | undefined;
  readonly headers: IncomingHttpHeaders;
}

/** What a browser names this machine. */
export const HOST: RegExp = /^(?:127\.0\.0\.1|localhost)(?::\d{1,5})?$/i;
// Emulators know no secrets, so the signature itself is not checked: no page can send this header unasked.
const SIGNATURE = /^AWS4-HMAC-SHA256 Credential=[^\s,]+, ?SignedHeaders=[^\s,]+, ?Signature=[0-9a-f]{64}$/;
const OBJECT = /^\/[a-z0-9.-]{3,63}\/[\w./-]{1,1024}$/;
const CONTENT_TYPES: ReadonlySet<string> = new Set(['application/x-amz-json-1.0', 'application/x-amz-json-1.1']);

/** Why a request is not let in; undefined for one that is. */
export function refusalOf({ method, url, headers }: Request, { service }: Gate): string | undefined {
  if (headers.origin !== undefined || headers['sec-fetch-site'] !== undefined)
    return 'web pages are not served here: the request has an Origin or Sec-Fetch-Site header';
  if (!HOST.test(headers.host ?? '')) return 'the Host header must be 127.0.0.1 or localhost';
  if (headers.upgrade !== undefined || method !== 'POST' || url !== '/') return 'only POST / is served here';
  if (!CONTENT_TYPES.has(headers['content-type'] ?? ''))
    return `the content type must be ${[...CONTENT_TYPES].join(' or ')}`;
  if (!SIGNATURE.test(headers.authorization ?? '')) return 'the request is not signed (AWS Signature Version 4)';
  const target = headers['x-amz-target'];
  if (typeof target !== 'string' || !target.startsWith(service)) return `only requests to ${service}* are served here`;
  return undefined;
}

/** The same for a server of objects, whose requests say by method and path what they are. No page can send their signature unasked. */
export function objectRefusalOf({ method, url, headers }: Request): string | undefined {
  if (headers.origin !== undefined || headers['sec-fetch-site'] !== undefined)
    return 'web pages are not served here: the request has an Origin or Sec-Fetch-Site header';
  if (!HOST.test(headers.host ?? '')) return 'the Host header must be 127.0.0.1 or localhost';
  if (headers.upgrade !== undefined || !['PUT', 'GET', 'DELETE'].includes(method ?? '') || !OBJECT.test(url ?? ''))
    return 'only PUT, GET and DELETE of an object are served here';
  return SIGNATURE.test(headers.authorization ?? '')
    ? undefined
    : 'the request is not signed (AWS Signature Version 4)';
}

type Listener = (request: IncomingMessage, response: ServerResponse) => void;

/** Stands before whatever handles the server's requests now. */
export function guard(server: Server, gate: Gate): Server {
  const inner = server.listeners('request') as Listener[];
  server.removeAllListeners('request');
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const refusal = refusalOf(request, gate);
    if (refusal === undefined) for (const listener of inner) listener.call(server, request, response);
    else refuse(response, refusal);
  });
  return server;
}

/** In the form of an error of AWS, for the SDK of a program that is not set up rightly. */
export function refuse(response: ServerResponse, message: string): void {
  // Whatever body is still to come is not read.
  response
    .writeHead(403, { 'content-type': 'application/x-amz-json-1.0', connection: 'close' })
    .end(JSON.stringify({ __type: 'AccessDeniedException', message }));
}
