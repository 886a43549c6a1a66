/**
 * How bytes leave that are too large, and what stands in their place. On the way out: JSON -> compressed -> stored elsewhere;
 * back in the other order. The one place for messages (envelope.ts) and for what a record holds (packed-text.ts) alike. Pure: who
 * sends puts `payload` into the store first, who reads asks the store for what `readPointer` names.
 */
import { createHash } from 'node:crypto';

import { derivedId } from '../base/ids.ts';
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
}

const SHA256 = /^[0-9a-f]{64}$/;

/** Where the bytes of a task lie. Ids may be any text; a key has letters, digits, `-` and `/`. */
export function payloadKey(kind: PayloadKind, id: string, { sha256 }: Pick<Pointer, 'sha256'>): string {
  return `${kind}/${derivedId(`payload:${id}`)}/${sha256}`;
}

export function pointerOf(bytes: Uint8Array): Pointer {
  return { sha256: sha256Of(bytes), bytes: bytes.byteLength };
}

/** Untrusted. Undefined for what is none. */
export function readPointer(value: unknown): Pointer | undefined {
  if (!isObject(value)) return undefined;
  const { sha256, bytes } = value as JsonObject;
  if (typeof sha256 !== 'string' || !SHA256.test(sha256)) return undefined;
  return Number.isSafeInteger(bytes) && (bytes as number) >= 0 ? { sha256, bytes: bytes as number } : undefined;
}

/** Whether bytes are those that were stored. */
export function fits(pointer: Pointer, bytes: Uint8Array): boolean {
  return bytes.byteLength === pointer.bytes && sha256Of(bytes) === pointer.sha256;
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
