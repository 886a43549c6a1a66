/** Where keys come from: a text that is at hand, a secret of Secrets Manager, data keys of KMS. */
import { createSecretKey, type KeyObject } from 'node:crypto';

import { once } from '../base/lazy.ts';
import type { Clock } from '../base/time.ts';
import { type HeldKey, type KeyRing, type KeySource, readKeyRing } from './key-ring.ts';

/** A ring that does not change while the process lives. */
export function fixedRing(read: () => string, where: string): KeySource {
  const ring = once(() => readKeyRing(read(), where));
  return {
    newest: async () => ring().newest,
    find: async (id) => ring().find(id),
  };
}

/** What is asked of Secrets Manager. */
export interface SecretReader {
  secret(name: string): Promise<string>;
}

// A key that was added holds after that, and an unknown one is looked for at once, but not with each message of a forger.
const SECRET_MS = 300_000;
const AGAIN_MS = 10_000;

/** A ring in a secret's text, read again after five minutes, and sooner for an id that it does not hold. */
export class SecretRing implements KeySource {
  readonly #name: string;
  readonly #reader: () => Promise<SecretReader>;
  readonly #clock: Pick<Clock, 'nowMs'>;
  #held: { readonly ring: Promise<KeyRing>; readonly readMs: number } | undefined;

  constructor(name: string, reader: () => Promise<SecretReader>, clock: Pick<Clock, 'nowMs'>) {
    this.#name = name;
    this.#reader = reader;
    this.#clock = clock;
  }

  async newest(): Promise<HeldKey> {
    return (await this.#ring(SECRET_MS)).newest;
  }

  async find(id: Uint8Array): Promise<KeyObject | undefined> {
    return (await this.#ring(SECRET_MS)).find(id) ?? (await this.#ring(AGAIN_MS)).find(id);
  }

  #ring(keptMs: number): Promise<KeyRing> {
    const nowMs = this.#clock.nowMs();
    if (this.#held !== undefined && nowMs - this.#held.readMs < keptMs) return this.#held.ring;
    const held = { ring: this.#read(), readMs: nowMs };
    this.#held = held;
    // What failed is not kept.
    held.ring.catch(() => {
      if (this.#held === held) this.#held = undefined;
    });
    return held.ring;
  }

  async #read(): Promise<KeyRing> {
    const text = await (await this.#reader()).secret(this.#name);
    return readKeyRing(text, `secret ${this.#name}`);
  }
}

/** What is asked of KMS. */
export interface DataKeys {
  /** A new key of 32 bytes, and the same encrypted with the KMS key. */
  generateDataKey(keyId: string): Promise<{ readonly plain: Uint8Array; readonly encrypted: Uint8Array }>;
  /** Undefined where it is none of that KMS key. */
  decryptDataKey(keyId: string, encrypted: Uint8Array): Promise<Uint8Array | undefined>;
}

export type AwsRequests = SecretReader & DataKeys;

// Far below the 2^32 messages that random nonces allow.
const NEW_KEY_MS = 3_600_000;
const NEW_KEY_USES = 2 ** 20;
// Each process of a service has a data key of its own each hour: as many as are read in a while.
const MAX_HELD_KEYS = 1000;
const HELD_MS = 3_600_000;

/** Data keys: one encrypts for an hour, and goes encrypted with each token as the id of its key. */
export class KmsKeys implements KeySource {
  readonly #keyId: string;
  readonly #kms: () => Promise<DataKeys>;
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #found = new Map<string, { readonly key: Promise<KeyObject | undefined>; readonly untilMs: number }>();
  #newest: { readonly key: Promise<HeldKey>; readonly untilMs: number; uses: number } | undefined;

  constructor(keyId: string, kms: () => Promise<DataKeys>, clock: Pick<Clock, 'nowMs'>) {
    this.#keyId = keyId;
    this.#kms = kms;
    this.#clock = clock;
  }

  newest(): Promise<HeldKey> {
    const nowMs = this.#clock.nowMs();
    if (this.#newest !== undefined && nowMs < this.#newest.untilMs && this.#newest.uses < NEW_KEY_USES) {
      this.#newest.uses += 1;
      return this.#newest.key;
    }
    const newest = { key: this.#generate(), untilMs: nowMs + NEW_KEY_MS, uses: 1 };
    this.#newest = newest;
    newest.key.catch(() => {
      if (this.#newest === newest) this.#newest = undefined;
    });
    return newest.key;
  }

  async #generate(): Promise<HeldKey> {
    const { plain, encrypted } = await (await this.#kms()).generateDataKey(this.#keyId);
    const key = createSecretKey(plain);
    // Who encrypts reads its own results, too.
    this.#keep(nameOf(encrypted), Promise.resolve(key));
    return { id: encrypted, key };
  }

  find(id: Uint8Array): Promise<KeyObject | undefined> {
    const name = nameOf(id);
    const held = this.#found.get(name);
    if (held !== undefined && held.untilMs > this.#clock.nowMs()) return held.key;
    const key = this.#decrypt(id);
    this.#keep(name, key);
    // What failed is asked again; what is none stays none.
    key.catch(() => this.#found.delete(name));
    return key;
  }

  async #decrypt(id: Uint8Array): Promise<KeyObject | undefined> {
    const plain = await (await this.#kms()).decryptDataKey(this.#keyId, id);
    return plain === undefined ? undefined : createSecretKey(plain);
  }

  #keep(name: string, key: Promise<KeyObject | undefined>): void {
    this.#found.delete(name);
    // The oldest first: it is asked for again.
    if (this.#found.size >= MAX_HELD_KEYS) this.#found.delete(this.#found.keys().next().value ?? '');
    this.#found.set(name, { key, untilMs: this.#clock.nowMs() + HELD_MS });
  }
}

function nameOf(id: Uint8Array): string {
  return Buffer.from(id).toString('base64');
}
