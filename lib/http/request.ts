/**
 * One request to an address that an app names, with what it may cost bounded: time, bytes, and where it goes. By `node:https`, whose
 * `lookup` is asked by the socket itself: the address that was checked is the one that is connected to.
 */
import type * as Dns from 'node:dns';
import type * as Http from 'node:http';
import type { IncomingMessage } from 'node:http';
import type * as Https from 'node:https';
import type { LookupFunction } from 'node:net';

import { errorLine, isOf } from '../base/error-text.ts';
import { HttpRequestFailed, HttpTargetRefused } from '../base/errors.ts';
import type { Clock } from '../base/time.ts';
import { addressRefusal, type AllowedAddresses } from './addresses.ts';
import { literalOf, placeOf } from './target.ts';

/** Finds all addresses of a name. */
export type Resolve = (
  host: string,
  found: (error: NodeJS.ErrnoException | null, addresses: readonly Dns.LookupAddress[]) => void,
) => void;

export interface HttpRequest {
  /** Checked by `checkedTarget`. */
  readonly url: URL;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | undefined;
}

export interface HttpBounds {
  readonly addresses: AllowedAddresses;
  /** When it is given up. */
  readonly deadlineMs: number;
  readonly maxAnswerBytes: number;
  readonly signal?: AbortSignal | undefined;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface HttpTools {
  readonly clock: Pick<Clock, 'nowMs' | 'schedule'>;
  /** @default - the system's */
  readonly resolve?: Resolve;
}

/** It may succeed when it is sent again. `retryAfterSeconds`: not before. */
export interface Passing {
  readonly retryAfterSeconds?: number;
}

const PASSING = new WeakMap<object, Passing>();

/** Undefined for what would fail again. */
export function passingOf(error: unknown): Passing | undefined {
  return typeof error === 'object' && error !== null ? PASSING.get(error) : undefined;
}

/** Of the answer; undefined for what is none of ours, or came of no answer. */
export function statusOf(error: unknown): number | undefined {
  return isOf(error, HttpRequestFailed) ? (error as HttpRequestFailed).status : undefined;
}

export function requestFailed(
  message: string,
  { cause, status, passing }: { readonly cause?: unknown; readonly status?: number; readonly passing?: Passing } = {},
): HttpRequestFailed {
  const error = new HttpRequestFailed(message, cause === undefined ? undefined : { cause });
  if (status !== undefined) Object.assign(error, { status });
  if (passing !== undefined) PASSING.set(error, passing);
  return error;
}

// What the answer's own headers may take.
const MAX_ANSWER_HEADERS_BYTES = 16_384;

/** Follows no redirect: who asks does. @throws HttpTargetRefused, HttpRequestFailed */
export function request(
  { url, method, headers, body }: HttpRequest,
  bounds: HttpBounds,
  tools: HttpTools,
): Promise<HttpAnswer> {
  const place = placeOf(url);
  const literal = literalOf(url);
  // No lookup is asked for those.
  if (literal !== undefined) refuseAddress(place, literal, bounds.addresses);
  const { clock, resolve: look = systemResolve } = tools;
  return new Promise((resolve, reject) => {
    // An import of these costs each start 25 ms that nobody else needs.
    const { request: send } = process.getBuiltinModule(url.protocol === 'https:' ? 'node:https' : 'node:http') as
      | typeof Http
      | typeof Https;
    const sent = send(url, optionsOf({ url, method, headers, body }, bounds.addresses, look));
    const stop = (error: Error): void => void sent.destroy(error);
    const cancel = clock.schedule(Math.max(0, bounds.deadlineMs - clock.nowMs()), () =>
      stop(requestFailed(`${place} did not answer in time.`, { passing: {} })),
    );
    const abort = (): void => stop(requestFailed(`The request to ${place} was stopped.`));
    bounds.signal?.addEventListener('abort', abort, { once: true });
    const end = (): void => {
      cancel();
      bounds.signal?.removeEventListener('abort', abort);
    };
    const fail = (error: unknown): void => {
      end();
      // After its end a connection may still break.
      sent.on('error', () => {});
      sent.destroy();
      reject(ownError(error, place));
    };
    sent.on('error', fail);
    sent.on('socket', (socket) =>
      socket.once('connect', () => {
        // Looked up and checked before; told once more by the system.
        const why = addressRefusal(socket.remoteAddress ?? '', bounds.addresses);
        if (why !== undefined) stop(refused(place, socket.remoteAddress ?? '', why));
      }),
    );
    sent.on('response', (answer) => {
      readBody(answer, bounds.maxAnswerBytes, place).then((text) => {
        end();
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: text });
      }, fail);
    });
    if (bounds.signal?.aborted === true) abort();
    sent.end(body);
  });
}

function optionsOf(
  { url, method, headers, body }: HttpRequest,
  addresses: AllowedAddresses,
  resolve: Resolve,
): Https.RequestOptions {
  return {
    method,
    headers: {
      ...headers,
      'accept-encoding': 'identity',
      ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }),
    },
    // A connection that is kept was checked by somebody else's rules.
    agent: false,
    lookup: checkedLookup(placeOf(url), addresses, resolve),
    maxHeaderSize: MAX_ANSWER_HEADERS_BYTES,
    insecureHTTPParser: false,
    // Whatever the environment says.
    rejectUnauthorized: true,
  };
}

async function readBody(answer: IncomingMessage, most: number, place: string): Promise<string> {
  const coding = answer.headers['content-encoding'] ?? 'identity';
  if (coding !== 'identity')
    throw requestFailed(`${place} answered in content-encoding '${coding.slice(0, 20)}', which was not asked for.`);
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of answer as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > most) throw requestFailed(`${place} answered with more than ${most} bytes.`);
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

/** All addresses of an answer must be allowed: whoever mixes them means harm. */
function checkedLookup(place: string, allowed: AllowedAddresses, resolve: Resolve): LookupFunction {
  return (host, { all, family }, callback) => {
    resolve(host, (error, addresses) => {
      if (error) return callback(error, []);
      for (const { address } of addresses) {
        const why = addressRefusal(address, allowed);
        if (why !== undefined) return callback(refused(place, address, why), []);
      }
      const ofFamily = addresses.filter((each) => (family !== 4 && family !== 6) || each.family === family);
      const [first] = ofFamily;
      if (first === undefined) return callback(new Error(`${host} has no address`), []);
      return all === true ? callback(null, ofFamily) : callback(null, first.address, first.family);
    });
  };
}

const systemResolve: Resolve = (host, found) => process.getBuiltinModule('node:dns').lookup(host, { all: true }, found);

/** @throws HttpTargetRefused */
function refuseAddress(place: string, address: string, allowed: AllowedAddresses): void {
  const why = addressRefusal(address, allowed);
  if (why !== undefined) throw refused(place, address, why);
}

function refused(place: string, address: string, why: string): HttpTargetRefused {
  return new HttpTargetRefused(
    `A request to ${place} is refused: ${address} is ${why}. allowPrivate names private addresses that are meant.`,
  );
}

// Source: Node's TLS, X509 certificate error codes.
const CERTIFICATE =
  /^(?:ERR_TLS_CERT_ALTNAME_INVALID|(?:\w+_)?(?:CERT|CRL|ISSUER|CA|SIGNED|LEAF|PURPOSE|CHAIN)(?:_\w+)?)$/;

/** What breaks on the way may hold the next time. */
function ownError(error: unknown, place: string): Error {
  if (isOf(error, HttpTargetRefused) || isOf(error, HttpRequestFailed)) return error as Error;
  const { code } = error as { readonly code?: unknown };
  // Passing: a certificate that has run out is renewed.
  if (typeof code === 'string' && CERTIFICATE.test(code))
    return requestFailed(
      `${place} has a certificate that is not accepted: ${errorLine(error)} (${code}). Nothing was sent. Give it one of an authority that Node knows; NODE_EXTRA_CA_CERTS names a file of your own.`,
      { cause: error, passing: {} },
    );
  return requestFailed(`${place} could not be asked: ${errorLine(error)}`, { cause: error, passing: {} });
}
