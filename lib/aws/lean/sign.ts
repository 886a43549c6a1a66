/**
 * Signature Version 4 by `@smithy/signature-v4`, the signer of the SDK itself: 14.5 KB minified (5.7 KB gzip), 2 ms of load time and
 * 55 µs a request. By hand it is half a kilobyte and as quick; aws4fetch (2.6 KB gzip, no commit since 2024) starts WebCrypto, 40 ms;
 * aws4 signs `content-length`, which the SDK does not. What decides is who keeps it: whatever AWS asks of a signature comes with an update.
 */
import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';

import { SignatureV4 } from '@smithy/signature-v4';

import type { Credentials } from './credentials.ts';
import type { HttpRequest } from './http.ts';

type Data = string | ArrayBuffer | ArrayBufferView;

/** Node's own hash: the signer brings a slower one otherwise. */
class Sha256 {
  readonly #secret: Data | undefined;
  #hash: Hash | Hmac;

  constructor(secret?: Data) {
    this.#secret = secret;
    this.#hash = this.#fresh();
  }

  update(data: Data): void {
    this.#hash.update(bytesOf(data));
  }

  digest(): Promise<Uint8Array> {
    return Promise.resolve(this.#hash.digest());
  }

  reset(): void {
    this.#hash = this.#fresh();
  }

  #fresh(): Hash | Hmac {
    return this.#secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(this.#secret));
  }
}

function bytesOf(data: Data): string | Uint8Array {
  if (typeof data === 'string') return data;
  return data instanceof ArrayBuffer
    ? new Uint8Array(data)
    : new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

export interface SigningTarget {
  /** As in `sqs`. */
  readonly service: string;
  readonly region: string;
}

export class Signer {
  readonly #signer: SignatureV4;

  constructor(credentials: () => Promise<Credentials>, { service, region }: SigningTarget) {
    this.#signer = new SignatureV4({ service, region, credentials, sha256: Sha256 });
  }

  /** A copy of the request with the headers of its signature. */
  async sign(request: HttpRequest, signingDate: Date): Promise<HttpRequest> {
    const { port, ...rest } = request;
    const signable = { ...rest, query: {}, ...(port === undefined ? {} : { port }) };
    const { headers } = await this.#signer.sign(signable, { signingDate });
    return { ...request, headers };
  }
}
