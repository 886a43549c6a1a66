/** Keys by id: the first one encrypts, all of them decrypt. */
import { createSecretKey, type KeyObject } from 'node:crypto';

import { ImproperlyConfigured } from '../base/errors.ts';

export interface HeldKey {
  readonly id: Uint8Array;
  readonly key: KeyObject;
}

/** Keys, wherever they are. */
export interface KeySource {
  /** The key that encrypts now. */
  newest(): Promise<HeldKey>;
  /** The key of an id, which may be anybody's; undefined where there is none. */
  find(id: Uint8Array): Promise<KeyObject | undefined>;
}

const ID = /^[\w.-]{1,64}$/;
const KEY_BYTES = 32;
// Node leaves out what is no base64, Python refuses it or leaves it out: the same text has to be the same key.
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const LONGEST_RING_KEYS = 100;
const FORM =
  "'id:key' with commas or line ends between them, the newest first: ids have 1 to 64 letters, digits, '.', '_' and '-', keys are 32 bytes in base64 (openssl rand -base64 32)";

/**
 * Reads a ring. Its text is secret: no error quotes it.
 *
 * @param where it was found, for errors
 * @throws ImproperlyConfigured
 */
export function readKeyRing(text: string, where: string): KeyRing {
  const parts = text.split(/[\s,]+/).filter((part) => part !== '');
  if (parts.length === 0) throw new ImproperlyConfigured(`${where} holds no keys; it needs ${FORM}.`);
  if (parts.length > LONGEST_RING_KEYS)
    throw new ImproperlyConfigured(`${where} holds ${parts.length} keys; ${LONGEST_RING_KEYS} are allowed.`);
  const keys = new Map<string, KeyObject>();
  for (const [index, part] of parts.entries()) {
    const colon = part.indexOf(':');
    const id = part.slice(0, Math.max(0, colon));
    const refuse = (why: string): never => {
      throw new ImproperlyConfigured(`${where}: key ${index + 1} of ${parts.length} ${why}; it needs ${FORM}.`);
    };
    if (!ID.test(id)) refuse('has no id, or one that is not allowed');
    if (keys.has(id)) refuse('has the id of another one');
    const text = part.slice(colon + 1);
    if (!BASE64.test(text)) refuse(`('${id}') is no base64`);
    const bytes = Buffer.from(text, 'base64');
    if (bytes.byteLength !== KEY_BYTES) refuse(`('${id}') has ${bytes.byteLength} bytes`);
    keys.set(id, createSecretKey(bytes));
  }
  return new KeyRing(keys);
}

export class KeyRing {
  readonly #keys: ReadonlyMap<string, KeyObject>;

  /** @param keys the newest first, one at least */
  constructor(keys: ReadonlyMap<string, KeyObject>) {
    this.#keys = keys;
  }

  get newest(): HeldKey {
    const [first] = this.#keys;
    if (first === undefined) throw new ImproperlyConfigured('The ring holds no keys.');
    return { id: Buffer.from(first[0]), key: first[1] };
  }

  find(id: Uint8Array): KeyObject | undefined {
    return this.#keys.get(Buffer.from(id).toString('latin1'));
  }
}
