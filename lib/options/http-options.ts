/** What an HTTP task or a webhook may say of where it sends to and how, checked. */
import { booleanOption, integerIn, refuseUnknownKeys, shown } from '../base/checks.ts';
import { type Duration, durationSeconds } from '../base/duration.ts';
import { HttpTargetRefused, InvalidOption } from '../base/errors.ts';
import { DEFAULT_HTTP_TIMEOUT_SECONDS, MAX_HTTP_REDIRECTS, MAX_HTTP_TIMEOUT_SECONDS } from '../base/limits.ts';
import { refusedWhatever, rangesOf } from '../http/ranges.ts';
import { checkHeaders } from '../http/headers.ts';
import { keyOf } from '../http/signing.ts';
import { checkedTarget, patternOf, readHostPattern, type TargetRules } from '../http/target.ts';

/** A value, or what gives it when a request is sent: of a variable or a secret that is not there when the app is declared. */
export type Late<T> = T | (() => T | Promise<T>);

/** Where requests go, and what goes with them. */
export interface HttpTargetOptions {
  /**
   * Hosts that requests may go to: `'api.example.org'`, `'api.example.org:8443'`, `'*.example.org'` for every name below it, or `'*'` for
   * every name. Needed where `url` is a function. Default: the host of `url`.
   */
  readonly hosts?: readonly string[];
  /** Headers beside those that the library sends. A function is asked before each request. */
  readonly headers?: Late<Readonly<Record<string, string>>>;
  /**
   * Signs requests as Standard Webhooks say: `whsec_` and 24 to 64 bytes in base64; of several each signs, while one takes the place of
   * the other. A function is asked before each request. Default: requests are not signed.
   */
  readonly secret?: Late<string | readonly string[]>;
  /** A request is given up after this long. Default 15 s. */
  readonly timeout?: Duration;
  /** Redirects that are followed, each to an address that is checked as the first one. Default 0, at most 5. */
  readonly redirects?: number;
  /** Lets requests go by `http:` too. Default false. */
  readonly allowHttp?: boolean;
  /**
   * Private addresses and ranges that requests may go to: `['10.1.0.0/16']`. Never link-local ones, and on Lambda never
   * those of the machine itself. Default: none.
   */
  readonly allowPrivate?: readonly string[];
}

/** An HTTP task's own options. `P`: its argument. */
export interface HttpTaskTarget<P = unknown> extends HttpTargetOptions {
  /** Where its requests go; a function is given the task's argument, and needs `hosts`. */
  readonly url: string | ((payload: P) => string);
  /** Default 'POST'. With 'GET' and 'DELETE' the argument's fields are written into the URL. */
  readonly method?: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** How the argument is written. Default 'json'; 'form' as Celery's own HTTP tasks did. */
  readonly body?: 'json' | 'form';
  /**
   * What the answer is: Celery's `{"status": "success", "retval": ...}`, or any JSON, which is then the result; nothing is null.
   * Default 'webhook', the first of them.
   */
  readonly answer?: 'webhook' | 'json';
}

export const TARGET_KEYS = ['hosts', 'headers', 'secret', 'timeout', 'redirects', 'allowHttp', 'allowPrivate'] as const;
export const HTTP_KEYS: readonly string[] = ['url', 'method', 'body', 'answer', ...TARGET_KEYS];
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
const SENT_IN_URL: ReadonlySet<string> = new Set(['GET', 'DELETE']);

/** Checked, with its defaults. */
export interface ResolvedTarget extends Pick<HttpTargetOptions, 'headers' | 'secret'> {
  /** What error texts call it. */
  readonly what: string;
  readonly rules: TargetRules;
  readonly timeoutSeconds: number;
  readonly redirects: number;
}

export interface ResolvedHttpTask extends ResolvedTarget {
  readonly url: string | ((payload: never) => string);
  readonly method: string;
  /** Whether the argument stands in the URL. */
  readonly inUrl: boolean;
  readonly form: boolean;
  readonly anyJson: boolean;
}

/** @throws InvalidOption */
export function resolveHttpTask(name: string, options: HttpTaskTarget<never>): ResolvedHttpTask {
  const what = `task '${name}'`;
  const { method = 'POST', body = 'json', answer = 'webhook' } = options;
  oneOf(method, METHODS, `method of ${what}`);
  oneOf(body, ['json', 'form'], `body of ${what}`);
  oneOf(answer, ['webhook', 'json'], `answer of ${what}`);
  const inUrl = SENT_IN_URL.has(method);
  if (inUrl && options.secret !== undefined)
    throw new InvalidOption(
      `secret of ${what}: a signature covers the body, and a request by ${method} has none. Use 'POST', or leave the secret out.`,
    );
  return {
    ...resolveTarget(what, options, options.url),
    url: options.url,
    method,
    inUrl,
    form: body === 'form',
    anyJson: answer === 'json',
  };
}

/** @param url a text is checked now, what a function gives when it is asked. @throws InvalidOption */
export function resolveTarget(what: string, options: HttpTargetOptions, url: unknown): ResolvedTarget {
  const { allowHttp = false, headers, secret } = options;
  const ranges = privateRanges(options.allowPrivate ?? [], `allowPrivate of ${what}`);
  const base = { allowHttp: booleanOption(allowHttp, `allowHttp of ${what}`), ranges };
  const rules = { ...base, hosts: hostsOf(what, options, url) };
  if (typeof url !== 'function') checkUrl(what, url, rules);
  if ('headers' in options && typeof headers !== 'function') checkHeaders(headers, `headers of ${what}`);
  if ('secret' in options && typeof secret !== 'function') keysOf(secret, `secret of ${what}`);
  const timeoutSeconds = durationSeconds(options.timeout ?? DEFAULT_HTTP_TIMEOUT_SECONDS, `timeout of ${what}`, 0.001);
  if (timeoutSeconds > MAX_HTTP_TIMEOUT_SECONDS)
    throw new InvalidOption(
      `timeout of ${what}: ${timeoutSeconds} s given; at most ${MAX_HTTP_TIMEOUT_SECONDS} s are allowed, since Lambda runs 900 s.`,
    );
  return {
    what,
    rules,
    timeoutSeconds,
    redirects: integerIn(options.redirects ?? 0, 0, MAX_HTTP_REDIRECTS, `redirects of ${what}`),
    ...(headers === undefined ? {} : { headers }),
    ...(secret === undefined ? {} : { secret }),
  };
}

/** The keys of a secret or of several. @throws InvalidOption without what was given, which is secret */
export function keysOf(secret: unknown, field: string): readonly Buffer[] {
  const list: readonly unknown[] = Array.isArray(secret) ? secret : [secret];
  const keys = list.map(keyOf);
  if (keys.length > 0 && keys.every((key) => key !== undefined)) return keys;
  throw new InvalidOption(
    `${field}: no secret of Standard Webhooks is given; 'whsec_' and 24 to 64 bytes in base64 are allowed, or a list of such. Where it is not known yet, give a function, which is asked before each request.`,
  );
}

export function refuseUnknownTarget(options: object, keys: readonly string[], what: string): void {
  refuseUnknownKeys(options, new Set([...keys, ...TARGET_KEYS]), what);
}

function hostsOf(what: string, { hosts }: HttpTargetOptions, url: unknown): TargetRules['hosts'] {
  const field = `hosts of ${what}`;
  if (hosts === undefined) {
    if (typeof url === 'function')
      throw new InvalidOption(`${field}: nothing given; with a function as url the hosts that it may name are needed.`);
    return typeof url === 'string' && URL.canParse(url) ? [patternOf(new URL(url))] : [];
  }
  const given: readonly unknown[] = Array.isArray(hosts) ? hosts : [];
  if (given.length === 0)
    throw new InvalidOption(`${field}: ${shown(hosts)} given; a list of hosts is allowed, as in ['api.example.org'].`);
  return given.map((text) => {
    const pattern = readHostPattern(text);
    if (pattern !== undefined) return pattern;
    throw new InvalidOption(
      `${field}: ${shown(text)} given; 'api.example.org', 'api.example.org:8443', '*.example.org' and '*' are allowed.`,
    );
  });
}

function checkUrl(what: string, url: unknown, rules: TargetRules): void {
  try {
    checkedTarget(url, rules);
  } catch (error) {
    if (!HttpTargetRefused.is(error)) throw error;
    throw new InvalidOption(`url of ${what}: ${error.message}`);
  }
}

function privateRanges(list: unknown, field: string): TargetRules['ranges'] {
  const texts: readonly unknown[] = Array.isArray(list) ? list : [list];
  try {
    const ranges = rangesOf(texts.map(String));
    const refused = refusedWhatever(ranges);
    if (refused === undefined) return ranges;
    throw new InvalidOption(
      `${field}: ${shown(list)} given, with ${refused} in it: no request goes to link-local, metadata or multicast addresses. Name smaller ranges.`,
    );
  } catch (error) {
    if (InvalidOption.is(error)) throw error;
    throw new InvalidOption(
      `${field}: ${shown(list)} given; a list of addresses and ranges is allowed, as in ['10.1.0.0/16', 'fd12::/48'].`,
    );
  }
}

function oneOf(value: unknown, allowed: readonly string[], field: string): void {
  if (!allowed.some((each) => each === value))
    throw new InvalidOption(`${field}: ${shown(value)} given; one of ${allowed.join(', ')} is allowed.`);
}
