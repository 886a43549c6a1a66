/** Which mail server a process sends by, and to whom: of its environment, since a password stands beside it. Pure. */
import { refuseUnknownKeys, shown } from '../base/checks.ts';
import { InvalidOption } from '../base/errors.ts';

/** Names of the variables. */
export const MAIL_VARIABLES = {
  url: 'CELERIAC_SMTP_URL',
  password: 'CELERIAC_SMTP_PASSWORD',
  from: 'CELERIAC_MAIL_FROM',
  to: 'CELERIAC_MAIL_TO',
} as const;

/** `always`: from the first byte; `required`: by STARTTLS, or nothing is sent; `none`: as it is, without a password. */
export type MailTls = 'always' | 'required' | 'none';

export interface MailServer {
  readonly host: string;
  readonly port: number;
  readonly tls: MailTls;
  readonly user?: string;
  readonly password?: string;
  readonly from: string;
  readonly to: readonly string[];
}

// RFC 8314: submission with TLS from the first byte, and with STARTTLS.
const PORTS = { 'smtps:': 465, 'smtp:': 587 } as const;
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/;
// As infra/notify.ts: neither spaces nor what separates or names addresses.
const ADDRESS = /^[^\s@<>(),;:"[\]\\]{1,64}@[^\s@<>(),;:"[\]\\]{1,255}$/;
const MOST_ADDRESSES = 50;
const EXAMPLE = "as in 'smtps://tasks@mail.example.org'";

/** @returns undefined where no server is named. @throws InvalidOption, which never shows a password */
export function readMailServer(variables: Readonly<Record<string, string | undefined>>): MailServer | undefined {
  const { url, password, from, to } = MAIL_VARIABLES;
  if (!variables[url]) {
    const lonely = [password, from, to].find((name) => variables[name]);
    if (lonely === undefined) return undefined;
    throw new InvalidOption(
      `${lonely} is set and ${url} is not, so no mail would be sent. Give the server, ${EXAMPLE}.`,
    );
  }
  return {
    ...serverIn(variables[url], variables[password] || undefined),
    from: addressIn(variables[from]?.trim() ?? '', from),
    to: addressesIn(variables[to] ?? ''),
  };
}

function serverIn(text: string, password: string | undefined): Omit<MailServer, 'from' | 'to'> {
  const name = MAIL_VARIABLES.url;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const port = url && PORTS[url.protocol as keyof typeof PORTS];
  // Not the value: it may hold a password.
  if (url === undefined || port === undefined || url.hostname === '')
    throw new InvalidOption(
      `${name}: this is no address of a mail server; smtps://<user>@<host>:<port> is allowed, ${EXAMPLE}.`,
    );
  if (url.pathname.length > 1 || url.hash !== '')
    throw new InvalidOption(
      `${name}: ${shown(`${url.pathname}${url.hash}`)} stands behind the host; nothing is allowed there but ?tls=required or ?tls=none.`,
    );
  if (url.password !== '' && password !== undefined)
    throw new InvalidOption(`${name} has a password, and ${MAIL_VARIABLES.password} too. Leave it out of the address.`);
  const host = decoded(url.hostname).replace(/^\[(.*)\]$/, '$1');
  const user = decoded(url.username);
  const secret = password ?? decoded(url.password);
  const isLocal = LOOPBACK.test(host);
  const tls = tlsOf(url, isLocal);
  if ((user === '') !== (secret === ''))
    throw new InvalidOption(
      user === ''
        ? `${name}: a password is given and no user. Write it before the host, ${EXAMPLE}.`
        : `${name}: a user is given and no password. Give it as ${MAIL_VARIABLES.password}.`,
    );
  if (tls === 'none' && secret !== '' && !isLocal)
    throw new InvalidOption(`${name}: ?tls=none would send the password as it is. Leave one of them out.`);
  const login = user === '' ? {} : { user, password: secret };
  return { host, port: url.port === '' ? port : Number(url.port), tls, ...login };
}

function tlsOf(url: URL, isLocal: boolean): MailTls {
  refuseUnknownKeys(Object.fromEntries(url.searchParams), new Set(['tls']), `${MAIL_VARIABLES.url}: the part behind ?`);
  const given = url.searchParams.get('tls');
  if (url.protocol === 'smtps:') {
    if (given === null) return 'always';
    throw new InvalidOption(
      `${MAIL_VARIABLES.url}: smtps is TLS from the first byte; ?tls is for smtp://. Leave it out.`,
    );
  }
  if (given === null) return isLocal ? 'none' : 'required';
  if (given === 'required' || given === 'none') return given;
  throw new InvalidOption(`${MAIL_VARIABLES.url}: tls: ${shown(given)} given; required or none is allowed.`);
}

/** A sign that is no `%41` stays what it is. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function addressesIn(text: string): string[] {
  const name = MAIL_VARIABLES.to;
  const all = text.split(',').map((address) => addressIn(address.trim(), name));
  const twice = all.find((address, index) => all.indexOf(address) !== index);
  if (twice !== undefined)
    throw new InvalidOption(`${name}: ${shown(twice)} stands there twice. Leave one of them out.`);
  if (all.length <= MOST_ADDRESSES) return all;
  throw new InvalidOption(
    `${name}: ${all.length} addresses given; at most ${MOST_ADDRESSES} are allowed. Use a list of the mail server's.`,
  );
}

function addressIn(text: string, name: string): string {
  if (ADDRESS.test(text)) return text;
  const several = name === MAIL_VARIABLES.to ? ', or several with commas between them,' : '';
  throw new InvalidOption(`${name}: ${shown(text)} given; one address as in 'ops@example.org'${several} is allowed.`);
}
