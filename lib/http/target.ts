/** Whether a request may go to an address: its scheme, host and port, before anything is looked up. */
import type { BlockList } from 'node:net';
import { isIP } from 'node:net';

import { shown } from '../base/checks.ts';
import { HttpTargetRefused } from '../base/errors.ts';
import { MAX_URL_CHARACTERS } from '../base/limits.ts';

/** Where requests may go. */
export interface TargetRules {
  readonly hosts: readonly HostPattern[];
  readonly allowHttp: boolean;
  readonly ranges: BlockList;
}

/** One entry of an allow-list. */
export interface HostPattern {
  /** As URLs write it: lower case, IDN in ASCII, without a trailing dot. `*` for every host with a name. */
  readonly host: string;
  /** Whether every name below it is meant, and not itself. */
  readonly below: boolean;
  /** Undefined for the scheme's own. */
  readonly port: string | undefined;
}

const EVERY_HOST = '*';
// A URL drops or turns some of these without a word.
const UNCLEAN = /[\s\\\p{Cc}]/u;
const DEFAULT_PORTS: Readonly<Record<string, string>> = { 'https:': '443', 'http:': '80' };

/** A parsed URL to which a request may go, as far as its text tells. @throws HttpTargetRefused */
export function checkedTarget(text: unknown, rules: TargetRules, base?: URL): URL {
  if (
    typeof text !== 'string' ||
    text.length > MAX_URL_CHARACTERS ||
    UNCLEAN.test(text) ||
    !URL.canParse(text, base?.href)
  )
    throw new HttpTargetRefused(
      `url: ${shown(text)} given; an absolute URL of at most ${MAX_URL_CHARACTERS} characters without blanks is allowed.`,
    );
  const url = new URL(text, base?.href);
  const refuse = (why: string): never => {
    throw new HttpTargetRefused(`A request to ${placeOf(url)} is refused: ${why}`);
  };
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && rules.allowHttp))
    refuse(`its scheme is '${url.protocol.slice(0, -1)}'; https is allowed${rules.allowHttp ? ', and http' : ''}.`);
  if (url.username !== '' || url.password !== '') refuse('it has a user or a password in it. Use a header.');
  const host = plainHost(url.hostname);
  if (host === '') refuse('it names no host.');
  url.hostname = host;
  url.hash = '';
  const port = url.port === '' ? DEFAULT_PORTS[url.protocol] : url.port;
  const isListed = rules.hosts.some(
    (pattern) => matches(pattern, host) && port === (pattern.port ?? DEFAULT_PORTS[url.protocol]),
  );
  if (!isListed) refuse(`hosts allows ${rules.hosts.map(hostText).join(', ') || 'none'}.`);
  return url;
}

/** Without the path and what it is asked: those may be secret. */
export function placeOf(url: URL): string {
  return `${url.protocol}//${url.host}`;
}

/** An address without its brackets where the host is one; undefined for a name. */
export function literalOf(url: URL): string | undefined {
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  return isIP(host) === 0 ? undefined : host;
}

/** Undefined where the text is no host, `host:port`, `*.host` or `*`. */
export function readHostPattern(text: unknown): HostPattern | undefined {
  if (text === EVERY_HOST) return { host: EVERY_HOST, below: true, port: undefined };
  if (typeof text !== 'string' || UNCLEAN.test(text) || /[/?#@%]/.test(text)) return undefined;
  const below = text.startsWith('*.');
  const rest = below ? text.slice(2) : text;
  // Of this scheme no port is left out as its own.
  const parsed = URL.canParse(`https://${rest}`) ? new URL(`https://${rest}`) : undefined;
  if (parsed === undefined || rest.includes('*')) return undefined;
  const host = plainHost(parsed.hostname);
  const port = /:(\d+)$/.exec(rest)?.[1];
  if (host === '' || (below && literalOf(parsed) !== undefined)) return undefined;
  return { host, below, port: port === undefined ? undefined : String(Number(port)) };
}

/** The only host of a fixed URL, with its port. */
export function patternOf(url: URL): HostPattern {
  return { host: plainHost(url.hostname), below: false, port: url.port === '' ? undefined : url.port };
}

function matches({ host: pattern, below }: HostPattern, host: string): boolean {
  if (!below) return host === pattern;
  if (isIP(host.replace(/^\[(.*)\]$/, '$1')) !== 0) return false;
  return pattern === EVERY_HOST || host.endsWith(`.${pattern}`);
}

function hostText({ host, below, port }: HostPattern): string {
  return `${below && host !== EVERY_HOST ? '*.' : ''}${host}${port === undefined ? '' : `:${port}`}`;
}

/** `a.test.` is `a.test`, for DNS and for us. */
function plainHost(host: string): string {
  return host.replace(/\.$/, '');
}
