/** The codec of the library: AES-256-GCM by Node's own crypto. */
import type { KeyObject } from 'node:crypto';

import { kindOf, refuseUnknownKeys } from '../base/checks.ts';
import { DecryptionFailed, ImproperlyConfigured, InvalidOption, MissingEnvironment } from '../base/errors.ts';
import { once } from '../base/lazy.ts';
import { systemClock } from '../base/time.ts';
import { processEnvironment } from '../options/environment.ts';
import type { Codec } from '../ports/codec.ts';
import type { KeySource } from './key-ring.ts';
import { type AwsRequests, fixedRing, KmsKeys, SecretRing } from './sources.ts';
import { encryptToken, readToken } from './token.ts';

/**
 * Where the keys are: one of these. A ring of keys is text, `id:key` with commas or line ends between them, the newest first: it encrypts, and
 * all of them decrypt. Ids have 1 to 64 letters, digits, `.`, `_` and `-`; keys are 32 bytes in base64 (`openssl rand -base64 32`).
 */
export interface AesGcmOptions {
  /** Name of the variable that holds the ring. */
  readonly environment?: string;
  /** Name or ARN of the secret in Secrets Manager whose text is the ring. It is read again after five minutes. */
  readonly secret?: string | (() => string);
  /** ARN of a symmetric KMS key, whose data keys encrypt: a new one each hour, or after 2^20 values. */
  readonly kms?: string | (() => string);
  /** Gives the ring itself. Asked once, when something is encrypted or decrypted first. */
  readonly keys?: () => string;
}

const KINDS = ['environment', 'secret', 'kms', 'keys'] as const;

/**
 * Encrypts with AES-256-GCM, with keys of the environment, of Secrets Manager, or of KMS.
 *
 * @example
 * ```ts
 * const app = new Celeriac('shop', { codec: aesGcm({ environment: 'VAULT_KEYS' }) });
 * ```
 * @throws InvalidOption
 */
export function aesGcm(options: AesGcmOptions): Codec {
  if (typeof options !== 'object' || options === null)
    throw new InvalidOption(`aesGcm(): ${kindOf(options)} given; one of ${KINDS.join(', ')} is needed.`);
  refuseUnknownKeys(options, new Set<string>(KINDS), 'aesGcm()');
  const given = KINDS.filter((kind) => options[kind] !== undefined);
  const [kind] = given;
  if (kind === undefined || given.length > 1)
    throw new InvalidOption(
      `aesGcm(): ${given.length === 0 ? 'nothing' : given.join(' and ')} given; one of ${KINDS.join(', ')} is needed.`,
    );
  return new AesGcm(sourceOf(kind, options));
}

function sourceOf(kind: (typeof KINDS)[number], { environment, secret, kms, keys }: AesGcmOptions): KeySource {
  if (kind === 'environment') {
    const name = textOption(environment, 'environment');
    return fixedRing(() => variable(name), `variable ${name}`);
  }
  if (kind === 'keys') {
    if (typeof keys !== 'function')
      throw new InvalidOption('aesGcm(): keys is no function; one that gives the ring as text is needed.');
    return fixedRing(() => ringText((keys as () => unknown)()), 'what keys() gave');
  }
  if (kind === 'secret')
    return deferred(secret, 'secret', (name) => new SecretRing(name, requestsOfAws(), systemClock));
  return deferred(kms, 'kms', (keyId) => new KmsKeys(keyId, requestsOfAws(), systemClock));
}

/** Loaded by the first that asks: who has the ring in a variable asks nobody. */
function requestsOfAws(): () => Promise<AwsRequests> {
  return once(async (): Promise<AwsRequests> => {
    const [{ functionRequests }, { decryptDataKey, generateDataKey }] = await Promise.all([
      import('../aws/function-requests.ts'),
      import('../aws/kms-data-keys.ts'),
    ]);
    const requests = functionRequests(systemClock);
    return {
      secret: (name) => requests.secret(name),
      generateDataKey: (keyId) => generateDataKey(keyId, requests),
      decryptDataKey: (keyId, encrypted) => decryptDataKey(keyId, encrypted, requests),
    };
  });
}

/** A name that only the deployed function has, in a variable, is asked for when the first key is needed. */
function deferred(name: unknown, what: string, make: (name: string) => KeySource): KeySource {
  if (typeof name !== 'function') return make(textOption(name, what));
  let made: KeySource | undefined;
  const source = (): KeySource => (made ??= make(textOption((name as () => unknown)(), what)));
  return { newest: async () => source().newest(), find: async (id) => source().find(id) };
}

function textOption(value: unknown, what: string): string {
  if (typeof value === 'string' && value !== '') return value;
  throw new InvalidOption(
    `aesGcm(): ${what} is ${value === '' ? 'empty' : kindOf(value)}; text of one character or more is needed.`,
  );
}

/** Of a ring nothing is quoted. */
function ringText(given: unknown): string {
  if (typeof given === 'string') return given;
  throw new ImproperlyConfigured(`aesGcm(): keys() gave ${kindOf(given)}; the ring as text is needed.`);
}

function variable(name: string): string {
  const text = processEnvironment()[name];
  if (text !== undefined && text !== '') return text;
  throw new MissingEnvironment(
    `The variable ${name} is not set. The app's codec has its keys there: 'id:key', the newest first.`,
  );
}

/** What `aesGcm()` gives, over any keys. */
export class AesGcm implements Codec {
  readonly #keys: KeySource;

  constructor(keys: KeySource) {
    this.#keys = keys;
  }

  async encrypt(plain: Uint8Array): Promise<Uint8Array> {
    const { id, key } = await this.#keys.newest();
    return encryptToken(plain, id, key);
  }

  async decrypt(token: Uint8Array): Promise<Uint8Array> {
    const { id, decrypt } = readToken(token);
    const key: KeyObject | undefined = await this.#keys.find(id);
    if (key === undefined) throw unknownKey(id);
    return decrypt(key);
  }
}

function unknownKey(id: Uint8Array): DecryptionFailed {
  const text = Buffer.from(id).toString('latin1');
  // Of KMS it is a data key, encrypted.
  const name = /^[\w.-]{1,64}$/.test(text) ? `key '${text}'` : `a key of ${id.byteLength} bytes`;
  return new DecryptionFailed(
    `Encrypted data names ${name}, which this app's keys do not hold. Add it to the ring, behind the newest one.`,
  );
}
