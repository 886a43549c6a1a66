/**
 * Blobs in an S3 bucket. Three requests of a protocol of its own (bytes, and errors in XML): the SDK's client would be 400 KB of a bundle, so
 * they are made here, with the signer, the connections and the retries of the lean client.
 */
import { StoreRefused } from '../base/errors.ts';
import { mapConcurrently } from '../base/map-concurrently.ts';
import { type Clock, type Random, systemClock, systemRandom } from '../base/time.ts';
import type { Blob, Blobs } from '../ports/blobs.ts';
import { type Ask, environmentCredentials } from './lean/credentials.ts';
import { resolveEndpoint } from './lean/endpoint.ts';
import { serviceVariables } from './lean/environment.ts';
import { HttpHandler, type HttpRequest, type HttpResponse } from './lean/http.ts';
import { errorTypeOf, StandardRetries } from './lean/retries.ts';
import { Signer } from './lean/sign.ts';

/** Which bucket, and by what it is reached. */
export interface S3BlobsOptions {
  /** Name of the bucket. */
  readonly bucket: string;
  /** Default: those of the environment, or of the container. */
  readonly credentials?: Ask | undefined;
  /** Default: `AWS_ENDPOINT_URL_S3`, else the region's own. */
  readonly endpoint?: string | undefined;
  /** Default: `AWS_REGION`. */
  readonly region?: string | (() => Promise<string>) | undefined;
  /** Waits between attempts. Default: the system's. */
  readonly clock?: Clock;
  /** Random numbers for jitter between attempts. Default: the system's. */
  readonly random?: Random;
}

// As for DynamoDB: whoever gives up runs its task again.
const ATTEMPTS = 8;
const BASE_DELAY_MS = 50;
const CONNECTION_TIMEOUT_MS = 3100;
const SOCKET_TIMEOUT_MS = 20_000;
const DELETES_AT_ONCE = 8;
// Dots would be more levels than the certificate of `*.s3.amazonaws.com` holds.
const VIRTUAL_HOST = /^[a-z0-9-]+$/;

interface Asked {
  readonly method: 'PUT' | 'GET' | 'DELETE';
  readonly key: string;
  readonly body?: Uint8Array;
  /** Bytes of an answer that are read. */
  readonly maxBytes?: number;
}

interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly bytes: Buffer;
}

/** Blobs in an S3 bucket, each an object of its key. */
export class S3Blobs implements Blobs {
  readonly #options: S3BlobsOptions;
  readonly #clock: Clock;
  readonly #handler: HttpHandler;
  readonly #retries: StandardRetries;
  #signer: Signer | undefined;

  /** Connects to nothing yet. */
  constructor(options: S3BlobsOptions) {
    const { clock = systemClock, random = systemRandom } = options;
    this.#options = options;
    this.#clock = clock;
    const timeouts = { connectionTimeout: CONNECTION_TIMEOUT_MS, socketTimeout: SOCKET_TIMEOUT_MS };
    this.#handler = new HttpHandler(timeouts, systemClock);
    this.#retries = new StandardRetries({
      maxAttempts: ATTEMPTS,
      baseDelayMs: BASE_DELAY_MS,
      random,
      nowMs: () => clock.nowMs(),
    });
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    await this.#ask({ method: 'PUT', key, body: bytes });
  }

  async get(key: string, maxBytes: number): Promise<Blob | undefined> {
    const answer = await this.#ask({ method: 'GET', key, maxBytes });
    if (answer === undefined) return undefined;
    return { bytes: answer.bytes, storedMs: Date.parse(answer.headers['last-modified'] ?? '') || this.#clock.nowMs() };
  }

  async delete(keys: readonly string[]): Promise<void> {
    await mapConcurrently(keys, DELETES_AT_ONCE, (key) => this.#ask({ method: 'DELETE', key }));
  }

  /** Undefined where there is no such object. */
  async #ask(asked: Asked): Promise<Answered | undefined> {
    const { region: given } = this.#options;
    const region = (typeof given === 'function' ? await given() : given) ?? serviceVariables('S3').region;
    if (region === undefined) throw new Error('Region is missing');
    const url = objectUrl(this.#options, region, asked.key);
    this.#signer ??= new Signer(this.#options.credentials ?? environmentCredentials(systemClock), {
      service: 's3',
      region,
    });
    const request = requestTo(url, asked);
    let token = await this.#retries.acquireInitialRetryToken();
    for (;;) {
      try {
        const answer = await this.#try(request, this.#signer, asked);
        this.#retries.recordSuccess(token);
        return answer;
      } catch (error) {
        try {
          token = await this.#retries.refreshRetryTokenForRetry(token, { error, errorType: errorTypeOf(error) });
        } catch {
          throw error;
        }
      }
      await this.#clock.sleep(token.getRetryDelay());
    }
  }

  async #try(request: HttpRequest, signer: Signer, { method, maxBytes }: Asked): Promise<Answered | undefined> {
    const signed = await signer.sign(request, new Date(systemClock.nowMs()));
    const { response } = await this.#handler.handle(signed);
    const { statusCode: status, headers } = response;
    const isError = status >= 300;
    const bytes = await read(response, isError ? undefined : maxBytes);
    if (!isError) return { status, headers, bytes };
    const said = bytes.toString();
    const code = inXml(said, 'Code');
    // Without the right to list the bucket S3 says 403 of what is not there; with it 404.
    if (status === 404 && code !== 'NoSuchBucket')
      return method === 'PUT' ? refuse(status, code, said, this) : undefined;
    return refuse(status, code, said, this);
  }

  /** For error texts. */
  get bucket(): string {
    return this.#options.bucket;
  }
}

/**
 * Where an object is: a host of the bucket's own, and a path below an endpoint that was given, as emulators have it.
 *
 * @param variables as the SDK's clients read them of the environment
 */
export function objectUrl(
  { bucket, endpoint: given }: Pick<S3BlobsOptions, 'bucket' | 'endpoint'>,
  region: string,
  key: string,
  variables: Omit<ReturnType<typeof serviceVariables>, 'region'> = serviceVariables('S3'),
): URL {
  const { fips, dualStack, accountId, accountIdMode } = variables;
  const endpoint = given ?? variables.endpoint;
  const common = { prefix: 's3', region, accountId, accountIdMode, endpoint } as const;
  const { url: base } = resolveEndpoint({ ...common, fips: false, dualStack: false });
  if (endpoint !== undefined) return at(base, `${bucket}/${key}`);
  // S3's names of both are others than those of other services.
  base.hostname = base.hostname.replace(/^s3\./, `s3${fips ? '-fips' : ''}.${dualStack ? 'dualstack.' : ''}`);
  if (!VIRTUAL_HOST.test(bucket)) return at(base, `${bucket}/${key}`);
  base.hostname = `${bucket}.${base.hostname}`;
  return at(base, key);
}

function at(base: URL, path: string): URL {
  return new URL(`${base.pathname.replace(/\/$/, '')}/${path}`, base);
}

function requestTo(url: URL, { method, body }: Asked): HttpRequest {
  return {
    protocol: url.protocol,
    hostname: url.hostname,
    port: url.port === '' ? undefined : Number(url.port),
    method,
    path: url.pathname,
    query: {},
    headers: {
      host: url.host,
      'user-agent': 'celeriac',
      ...(body === undefined
        ? {}
        : { 'content-type': 'application/octet-stream', 'content-length': String(body.byteLength) }),
    },
    body: body === undefined ? undefined : Buffer.from(body.buffer, body.byteOffset, body.byteLength),
  };
}

async function read({ body, headers }: HttpResponse, maxBytes = Infinity): Promise<Buffer> {
  const refuseLarge = (bytes: number): StoreRefused =>
    new StoreRefused(`The stored object has ${bytes} bytes or more; ${maxBytes} are allowed.`);
  const told = Number(headers['content-length'] ?? 0);
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of body) {
    length += chunk.byteLength;
    if (Math.max(told, length) > maxBytes) throw refuseLarge(Math.max(told, length));
    chunks.push(chunk);
  }
  // Cut off, it would be taken for what was stored.
  if (length < told)
    throw Object.assign(new Error(`S3's answer ended after ${length} of ${told} bytes.`), { code: 'ECONNRESET' });
  return Buffer.concat(chunks);
}

function refuse(status: number, code: string, said: string, { bucket }: S3Blobs): never {
  const hint =
    status === 403
      ? ' Either there is no right to it, or no such object: S3 says the same of both to who may not list the bucket.'
      : '';
  throw Object.assign(
    new Error(`S3 answered ${status} ${code}: ${inXml(said, 'Message')} (bucket ${bucket}).${hint}`),
    { name: code, $metadata: { httpStatusCode: status } },
  );
}

// Of an error's answer these two are read.
function inXml(xml: string, element: 'Code' | 'Message'): string {
  return new RegExp(`<${element}>([^<]{0,500})`).exec(xml)?.[1] ?? 'without a word';
}
