/** Blobs in memory: the executable meaning of `Blobs`. */
import { StoreRefused } from '../base/errors.ts';
import type { Clock } from '../base/time.ts';
import type { Blob, Blobs } from '../ports/blobs.ts';

// S3's longest key, in bytes.
const MAX_KEY_BYTES = 1024;

/** Blobs in memory: the meaning of the port. */
export class MemoryBlobs implements Blobs {
  readonly #clock: Pick<Clock, 'nowMs'>;
  readonly #blobs = new Map<string, Blob>();

  /** Empty. `clock` tells when something was put. */
  constructor(clock: Pick<Clock, 'nowMs'>) {
    this.#clock = clock;
  }

  /** What is stored, by key. */
  get all(): ReadonlyMap<string, Blob> {
    return this.#blobs;
  }

  async put(key: string, bytes: Uint8Array): Promise<void> {
    const length = Buffer.byteLength(key);
    if (length === 0 || length > MAX_KEY_BYTES)
      throw new StoreRefused(`The key of a blob has ${length} bytes; 1 to ${MAX_KEY_BYTES} are allowed.`);
    this.#blobs.set(key, { bytes: new Uint8Array(bytes), storedMs: Math.floor(this.#clock.nowMs() / 1000) * 1000 });
  }

  async get(key: string, maxBytes: number): Promise<Blob | undefined> {
    const blob = this.#blobs.get(key);
    if (blob !== undefined && blob.bytes.byteLength > maxBytes)
      throw new StoreRefused(`The blob has ${blob.bytes.byteLength} bytes; ${maxBytes} are allowed.`);
    return blob && { ...blob, bytes: new Uint8Array(blob.bytes) };
  }

  delete(keys: readonly string[]): Promise<void> {
    for (const key of keys) this.#blobs.delete(key);
    return Promise.resolve();
  }
}
