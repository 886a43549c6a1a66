/**
 * How bytes leave that are too large, and what stands in their place. On the way out: JSON -> compressed -> stored elsewhere;
 * back in the other order. The one place for messages (envelope.ts) and for what a record holds (packed-text.ts) alike. Pure: who
 * sends puts `payload` into the store first, who reads asks the store for what `readPointer` names.
 */
import { createHash } from 'node:crypto';

import { derivedId } from '../base/ids.ts';
import { newSalt, SALT_BYTES } from './payload-salt.ts';
import { compress } from './compression.ts';
import { isObject, type JsonObject } from './fields.ts';

/** What is done to large bytes. */
export interface Packing {
  /** Name of the compression, as kombu's header has it; undefined for none. */
  readonly compression: string | undefined;
  /** JSON of more bytes is compressed. */
  readonly compressAboveBytes: number;
  /** What is larger as it would be sent is stored elsewhere; null for nothing. */
  readonly storeAboveBytes: number | null;
  /** Bytes that the JSON may have at most. */
  readonly maxBytes: number;
  /** Values that it may have at most. */
  readonly maxValues: number;
  /** What is stored is encrypted on its way: nor may its name tell what it is. Absent: it is not. */
  readonly secret?: boolean;
}

/** Which of them it is: a message's body, or what a task's record holds. */
export type PayloadKind = 'messages' | 'results';

/** Bytes that are to lie in the store before whatever points to them is sent. */
export interface Payload {
  /** Where they are to lie. */
  readonly key: string;
  /** What is to lie there. */
  readonly bytes: Uint8Array;
  /** When the same bytes were stored before, milliseconds since the epoch; undefined where nobody knows that they were. */
  readonly storedMs?: number | undefined;
}

/** What stands in the place of bytes. It names no key: the id of its own message or record makes that, so that none can point to another's. */
export interface Pointer {
  /** Of the bytes, in hexadecimal. */
  readonly sha256: string;
  /** How many they are. */
  readonly bytes: number;
  /** How many of them are random, in front of the others. Absent: none. */
  readonly salt?: typeof SALT_BYTES;
}

/** Bytes as they are stored, and what points to them. */
export interface Stored {
  readonly pointer: Pointer;
  readonly payload: Payload;
}

/** Bytes that came from the store. */
export interface Fetched {
  readonly bytes: Uint8Array;
  /** What lay in front of them; undefined for nothing. */
  readonly salt: Uint8Array | undefined;
}

const SHA256 = /^[0-9a-f]{64}$/;

/** Where the bytes of a task lie. Ids may be any text; a key has letters, digits, `-` and `/`. */
export function payloadKey(kind: PayloadKind, id: string, { sha256 }: Pick<Pointer, 'sha256'>): string {
  return `${kind}/${derivedId(`payload:${id}`)}/${sha256}`;
}

/**
 * What is to lie in the store. Its name is a hash, so that the same bytes written again are the same object; of secret ones it is a hash of
 * random bytes and them, or whoever reads a message or lists the store could tell what they are by guessing.
 *
 * @param salt of the same task's bytes as they were stored before. Default: this process's own for the task
 */
export function toStore(
  kind: PayloadKind,
  id: string,
  plain: Uint8Array,
  { secret = false }: Pick<Packing, 'secret'>,
  salt?: Uint8Array,
): Stored {
  const bytes = secret ? Buffer.concat([salt ?? newSalt(`${kind}/${id}`), plain]) : plain;
  const pointer: Pointer = {
    sha256: sha256Of(bytes),
    bytes: bytes.byteLength,
    ...(secret ? { salt: SALT_BYTES } : {}),
  };
  return { pointer, payload: { key: payloadKey(kind, id, pointer), bytes } };
}

/** Untrusted. Undefined for what is none. */
export function readPointer(value: unknown): Pointer | undefined {
  if (!isObject(value)) return undefined;
  const { sha256, bytes, salt } = value as JsonObject;
  if (typeof sha256 !== 'string' || !SHA256.test(sha256)) return undefined;
  if (salt !== undefined && salt !== SALT_BYTES) return undefined;
  if (!Number.isSafeInteger(bytes) || (bytes as number) < (salt ?? 0)) return undefined;
  return { sha256, bytes: bytes as number, ...(salt === undefined ? {} : { salt }) };
}

/** How many bytes a pointer stands for. */
export function plainBytesOf({ bytes, salt }: Pick<Pointer, 'bytes' | 'salt'>): number {
  return bytes - (salt ?? 0);
}

/** Bytes as they were before they were stored; undefined where they are others. */
export function fromStore(pointer: Pointer, bytes: Uint8Array): Fetched | undefined {
  if (bytes.byteLength !== pointer.bytes || sha256Of(bytes) !== pointer.sha256) return undefined;
  const { salt } = pointer;
  return { bytes: bytes.subarray(salt), salt: salt && bytes.subarray(0, salt) };
}

function sha256Of(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** The name of the compression that was used, undefined for none, and the bytes. What it does not make smaller stays as it is. */
export function shrunk(
  json: string,
  packing: Packing | undefined,
): { readonly compression: string | undefined; readonly bytes: Buffer } {
  const bytes = Buffer.from(json, 'utf8');
  const { compression, compressAboveBytes = 0 } = packing ?? {};
  if (compression === undefined || bytes.byteLength <= compressAboveBytes) return { compression: undefined, bytes };
  const small = Buffer.from(compress(compression, json));
  return small.byteLength < bytes.byteLength ? { compression, bytes: small } : { compression: undefined, bytes };
}
