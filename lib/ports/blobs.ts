/** Port of the blobs: bytes that are too large for a message or a record. */

/** Bytes as they were found. */
export interface Blob {
  /** What was put. */
  readonly bytes: Uint8Array;
  /** When it was put, milliseconds since the epoch, to about a second. */
  readonly storedMs: number;
}

/** Where bytes lie that are too large for a message or a record. Who puts them says how they are called; nobody lists them. */
export interface Blobs {
  /** Stores bytes under a key; what stood there is replaced. */
  put(key: string, bytes: Uint8Array): Promise<void>;
  /** The bytes under a key; undefined where there are none. @throws StoreRefused where there are more than `maxBytes` */
  get(key: string, maxBytes: number): Promise<Blob | undefined>;
  /** Deletes what stands under keys. Where nothing does is no error. */
  delete(keys: readonly string[]): Promise<void>;
}
