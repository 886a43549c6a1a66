/** Credentials as a function or a container has them: by environment, or from the container's own endpoint (Lambda with SnapStart, ECS, EKS). */

import type { Clock } from '../../base/time.ts';
import { credentialVariables, type CredentialVariables } from './environment.ts';
import { HttpHandler, type HttpRequest } from './http.ts';

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly expiration?: Date;
}

/** Asks for new credentials. */
export type Ask = () => Promise<Credentials>;

class CredentialsProviderError extends Error {
  override readonly name: string = 'CredentialsProviderError';
}

const RENEW_BEFORE_MS = 300_000;
const TRIES = 4;
const PAUSE_MS = 1000;
const TIMEOUT_MS = 1000;
const CONTAINER_HOST = 'http://169.254.170.2';
const TRUSTED_HOST = /^(169\.254\.170\.2|169\.254\.170\.23|\[fd00:ec2::23\]|\[::1\]|localhost|127(\.\d{1,3}){3})$/;

/** Keeps credentials until shortly before they expire; who asks meanwhile waits for the same answer. */
export class Renewed {
  readonly #ask: Ask;
  readonly #clock: Clock;
  #held: Credentials | undefined;
  #asking: Promise<Credentials> | undefined;

  constructor(ask: Ask, clock: Clock) {
    this.#ask = ask;
    this.#clock = clock;
  }

  async get(): Promise<Credentials> {
    const leftMs = this.#leftMs();
    if (this.#held !== undefined && leftMs > RENEW_BEFORE_MS) return this.#held;
    this.#asking ??= this.#renew();
    try {
      return await this.#asking;
    } catch (error) {
      // The endpoint may be down for a moment: what is valid still serves.
      if (this.#held !== undefined && this.#leftMs() > 0) return this.#held;
      throw error;
    }
  }

  async #renew(): Promise<Credentials> {
    try {
      return (this.#held = await this.#ask());
    } finally {
      this.#asking = undefined;
    }
  }

  #leftMs(): number {
    return (this.#held?.expiration?.getTime() ?? Infinity) - this.#clock.nowMs();
  }
}

/** The environment's; where it has none, the container's. All clients of a process share the answer. */
export function environmentCredentials(clock: Clock): Ask {
  const container = new Renewed(() => fromContainer(credentialVariables(), clock), clock);
  return () => {
    const { accessKeyId, secretAccessKey, sessionToken } = credentialVariables();
    if (accessKeyId === undefined || secretAccessKey === undefined) return container.get();
    return Promise.resolve({ accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) });
  };
}

/** @throws CredentialsProviderError */
export async function fromContainer(variables: CredentialVariables, clock: Clock): Promise<Credentials> {
  const url = containerUrl(variables);
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await askContainer(url, variables, clock);
    } catch (error) {
      if (attempt >= TRIES)
        throw error instanceof CredentialsProviderError ? error : new CredentialsProviderError(String(error));
    }
    await clock.sleep(PAUSE_MS);
  }
}

function containerUrl({ relativeUri, fullUri }: CredentialVariables): URL {
  if (relativeUri !== undefined) return new URL(`${CONTAINER_HOST}${relativeUri}`);
  if (fullUri === undefined)
    throw new CredentialsProviderError(
      'Could not load credentials: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set, nor AWS_CONTAINER_CREDENTIALS_FULL_URI. This bundle is made for Lambda, which sets them.',
    );
  const url = new URL(fullUri);
  // Whoever may set the variable must not be able to send the token anywhere in plain text.
  if (url.protocol === 'https:' || TRUSTED_HOST.test(url.hostname)) return url;
  throw new CredentialsProviderError(
    `AWS_CONTAINER_CREDENTIALS_FULL_URI names ${url.hostname}; https, or an address of this host or container is allowed.`,
  );
}

async function askContainer(url: URL, variables: CredentialVariables, clock: Clock): Promise<Credentials> {
  const handler = new HttpHandler(
    { connectionTimeout: TIMEOUT_MS, requestTimeout: TIMEOUT_MS, socketTimeout: TIMEOUT_MS },
    clock,
  );
  try {
    const { response } = await handler.handle(requestOf(url, await tokenOf(variables)));
    const chunks: Uint8Array[] = [];
    for await (const chunk of response.body) chunks.push(chunk);
    if (response.statusCode !== 200)
      throw new CredentialsProviderError(`The container's endpoint answered with status ${response.statusCode}.`);
    return credentialsIn(Buffer.concat(chunks).toString());
  } finally {
    handler.destroy();
  }
}

function requestOf({ protocol, hostname, port, host, pathname, search }: URL, token: string | undefined): HttpRequest {
  return {
    protocol,
    hostname,
    port: port === '' ? undefined : Number(port),
    method: 'GET',
    path: `${pathname}${search}`,
    query: {},
    headers: { host, ...(token === undefined ? {} : { authorization: token }) },
    body: undefined,
  };
}

async function tokenOf({ token, tokenFile }: CredentialVariables): Promise<string | undefined> {
  // Read each time: EKS renews the file.
  const text = tokenFile === undefined ? token : await (await import('node:fs/promises')).readFile(tokenFile, 'utf8');
  if (text?.includes('\r\n')) throw new CredentialsProviderError('The authorization token has a line break inside.');
  return text;
}

function credentialsIn(text: string): Credentials {
  const { AccessKeyId, SecretAccessKey, Token, Expiration } = JSON.parse(text) as Readonly<Record<string, unknown>>;
  if ([AccessKeyId, SecretAccessKey, Token, Expiration].some((each) => typeof each !== 'string'))
    throw new CredentialsProviderError("The container's endpoint answered without credentials.");
  return {
    accessKeyId: String(AccessKeyId),
    secretAccessKey: String(SecretAccessKey),
    sessionToken: String(Token),
    expiration: new Date(String(Expiration)),
  };
}
