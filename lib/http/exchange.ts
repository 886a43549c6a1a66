/** A request with its headers and its signature, the redirects that are allowed, and what its status means. */
import { addressLibrary } from '#deployed/http/address-library';
import { cut } from '../base/error-text.ts';
import { MAX_HTTP_ANSWER_BYTES, MAX_HTTP_REASON_CHARACTERS, MAX_RETRY_AFTER_SECONDS } from '../base/limits.ts';
import {
  type HttpAnswer,
  type HttpBounds,
  type HttpRequest,
  type HttpTools,
  request,
  requestFailed,
} from './request.ts';
import { signatureOf } from './signing.ts';
import { checkedTarget, placeOf, type TargetRules } from './target.ts';

export interface Exchange {
  readonly url: string;
  readonly method: string;
  readonly body: string | undefined;
  readonly contentType: string;
  /** The user's own. */
  readonly headers: Readonly<Record<string, string>>;
  /** The same whenever this is sent again: whoever takes it may tell that it is not new. */
  readonly id: string;
  /** That sign it; none for a request without a signature. */
  readonly keys: readonly Buffer[];
  readonly rules: TargetRules;
  readonly redirects: number;
  readonly bounds: Pick<HttpBounds, 'deadlineMs' | 'signal'>;
  /** Whether it may go to addresses of this machine, where `rules` say so. */
  readonly loopback: boolean;
}

export interface Answered {
  readonly body: string;
  /** What to call it in an error text. */
  readonly place: string;
  readonly status: number;
}

/** Gives what was answered with a status of success. @throws HttpTargetRefused, HttpRequestFailed */
export async function exchange(given: Exchange, tools: HttpTools): Promise<Answered> {
  const { method, body, rules } = given;
  const bounds: HttpBounds = {
    ...given.bounds,
    addresses: { ranges: rules.ranges, loopback: given.loopback, library: await addressLibrary() },
    maxAnswerBytes: MAX_HTTP_ANSWER_BYTES,
  };
  let url = checkedTarget(given.url, rules);
  const first = url;
  for (let followed = 0; ; followed += 1) {
    const own = url.origin === first.origin ? given.headers : {};
    const headers = headersOf(given, own, tools);
    const sent: HttpRequest = { url, method, headers, body };
    // One after another: each answer says where the next goes.
    const answer = await request(sent, bounds, tools);
    const next = redirectOf(answer, url, given, followed);
    if (next === undefined)
      return { body: answer.body, place: placeOf(url), status: checkedStatus(answer, url, tools) };
    url = next;
  }
}

function headersOf(
  { id, body, keys, contentType }: Exchange,
  own: Readonly<Record<string, string>>,
  { clock }: HttpTools,
): Record<string, string> {
  const timestampSeconds = Math.floor(clock.nowMs() / 1000);
  const lower = Object.fromEntries(Object.entries(own).map(([name, value]) => [name.toLowerCase(), value]));
  return {
    'user-agent': 'celeriac',
    accept: 'application/json',
    ...(body === undefined ? {} : { 'content-type': contentType }),
    ...lower,
    'webhook-id': id,
    'webhook-timestamp': String(timestampSeconds),
    ...(keys.length === 0
      ? {}
      : { 'webhook-signature': signatureOf({ id, timestampSeconds, body: body ?? '' }, keys) }),
  };
}

const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const KEEP_METHOD: ReadonlySet<number> = new Set([307, 308]);

/** Where to ask next. @throws HttpRequestFailed, HttpTargetRefused where that is not allowed */
function redirectOf(
  { status, headers: { location } }: HttpAnswer,
  url: URL,
  { redirects, rules, method }: Exchange,
  followed: number,
): URL | undefined {
  if (!REDIRECTS.has(status)) return undefined;
  const refuse = (why: string): never => {
    throw requestFailed(`${placeOf(url)} answered ${status}, a redirect: ${why}`, { status });
  };
  if (followed >= redirects) return refuse(`redirects allows ${redirects}. Ask the address that it leads to.`);
  if (location === undefined) return refuse('it says not where to.');
  if (method !== 'GET' && !KEEP_METHOD.has(status)) return refuse(`it would turn ${method} into GET.`);
  return checkedTarget(location, rules, url);
}

/** Those that ask to come again; of the server's own faults each. Source: RFC 9110, 15; RFC 6585, 4. */
function passes(status: number): boolean {
  return status >= 500 || status === 408 || status === 425 || status === 429;
}

/** @throws HttpRequestFailed */
function checkedStatus(answer: HttpAnswer, url: URL, { clock }: HttpTools): number {
  const { status, headers } = answer;
  if (status >= 200 && status < 300) return status;
  const reason = reasonIn(answer.body);
  const retryAfterSeconds = retryAfter(headers['retry-after'], clock.nowMs());
  throw requestFailed(`${placeOf(url)} answered ${status}${reason === undefined ? '' : `: ${reason}`}.`, {
    status,
    ...(passes(status) ? { passing: retryAfterSeconds === undefined ? {} : { retryAfterSeconds } } : {}),
  });
}

/** Seconds, or a date. Undefined for what is neither. */
export function retryAfter(text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined;
  const seconds = /^\d{1,10}$/.test(text.trim()) ? Number(text) : (Date.parse(text) - nowMs) / 1000;
  return Number.isNaN(seconds) ? undefined : Math.min(MAX_RETRY_AFTER_SECONDS, Math.max(0, Math.ceil(seconds)));
}

/** Celery's protocol. @throws HttpRequestFailed */
export function retvalOf({ body, place, status }: Answered): unknown {
  const answer = jsonOf({ body, place, status });
  const {
    status: outcome,
    retval,
    reason,
  } = (typeof answer === 'object' && answer !== null ? answer : {}) as Readonly<Record<string, unknown>>;
  if (outcome === 'success') return retval ?? null;
  if (outcome === 'failure') throw requestFailed(`${place} answered with a failure: ${reasonText(reason)}`, { status });
  throw requestFailed(
    `${place} answered neither {"status": "success", "retval": ...} nor {"status": "failure", "reason": ...}. Where its answer is the result, say answer: 'json'.`,
    { status },
  );
}

/** Nothing is null. @throws HttpRequestFailed */
export function jsonOf({ body, place, status }: Answered): unknown {
  if (body.trim() === '') return null;
  try {
    return JSON.parse(body);
  } catch (cause) {
    throw requestFailed(`${place} answered with what is no JSON.`, { cause, status });
  }
}

function reasonIn(body: string): string | undefined {
  try {
    const answer: unknown = JSON.parse(body);
    const { reason } = answer as { readonly reason?: unknown };
    return reason === undefined ? undefined : reasonText(reason);
  } catch {
    return undefined;
  }
}

function reasonText(reason: unknown): string {
  return cut(typeof reason === 'string' ? reason : (JSON.stringify(reason) ?? 'no reason'), MAX_HTTP_REASON_CHARACTERS);
}
