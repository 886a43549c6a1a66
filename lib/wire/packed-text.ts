/**
 * A record's texts (the result document, what settling needs), packed like bodies. Where one is stored elsewhere or compressed, a
 * document stands in its place that Python's reader takes too: it finds the state, and as the result where the real one is.
 */
import { InvalidResult } from '../base/errors.ts';
import { errorText } from '../base/error-text.ts';
import { isObject, type JsonObject } from './fields.ts';
import { decodeJsonKeepingTypes, encodeJson } from './json.ts';
import { checkedCompression } from './compression.ts';
import { PAYLOAD_FIELD } from './message.ts';
import { unshrunk } from './unshrunk.ts';
import { type Packing, type Payload, payloadKey, type Pointer, readPointer, shrunk, toStore } from './packing.ts';

/** What stands in a record, and what is to lie in the store before. */
export interface PackedText {
  readonly text: string;
  readonly payload?: Payload | undefined;
}

const TYPE = 'celeriac-payload';
// No packed text is longer than this, so that a result of somebody's that looks like one costs no second parse.
const MARK = `{"${PAYLOAD_FIELD}":{"__type__":"${TYPE}"`;

// What Python's reader asks of a document (celery/backends/base.py).
const KEPT = ['status', 'traceback', 'date_done', 'task_id', 'group_id', 'parent_id'] as const;

/** @param id of the record's task */
export function packText(id: string, text: string, packing: Packing): PackedText {
  const { compression, bytes } = shrunk(text, packing);
  const isLong = packing.storeAboveBytes !== null && bytes.byteLength > packing.storeAboveBytes;
  if (!isLong && compression === undefined) return { text };
  const stored = isLong ? toStore('results', id, bytes, packing) : undefined;
  const value = {
    ...(stored === undefined ? { inline: bytes.toString('base64') } : stored.pointer),
    ...(compression === undefined ? {} : { compression }),
  };
  const mark = `${MARK},"__value__":${encodeJson(value)}}`;
  const packed = `${mark}${surroundings(text)}}`;
  return { text: packed, payload: stored?.payload };
}

/** The fields of a document, but for its result. */
function surroundings(text: string): string {
  const fields = decodeJsonKeepingTypes(text) as JsonObject;
  if (!isObject(fields) || typeof fields['status'] !== 'string') return '';
  const kept = Object.fromEntries(KEPT.flatMap((name) => (fields[name] === undefined ? [] : [[name, fields[name]]])));
  const note = 'stored by celeriac (largePayloads); read it with celeriac';
  return `,${encodeJson({ ...kept, result: note, children: [] }, 'meta', { asPython: true }).slice(1, -1)}`;
}

/** A packed text: where its bytes are, and how they are compressed. */
export interface Unpacking {
  /** Where they are in the store; undefined where they are here. */
  readonly stored: (Pointer & { readonly key: string }) | undefined;
  readonly inline: Uint8Array | undefined;
  readonly compression: string | undefined;
}

/** The document in the place of a packed one, with no result; undefined for a text that is not packed. */
export function withoutPayload(text: string): string | undefined {
  if (!text.startsWith(MARK)) return undefined;
  const { [PAYLOAD_FIELD]: _pointer, ...document } = decodeJsonKeepingTypes(text) as JsonObject;
  return encodeJson({ ...document, result: null }, 'meta', { asPython: true });
}

/** Untrusted. Undefined for a text that is not packed. @throws InvalidResult */
export function readPacked(id: string, text: string): Unpacking | undefined {
  if (!text.startsWith(MARK)) return undefined;
  const value = valueIn(text);
  const pointer = readPointer(value);
  const { inline, compression = null } = value;
  if (pointer === undefined && typeof inline !== 'string')
    throw new InvalidResult('A packed result names no bytes, and holds none.');
  try {
    return {
      stored: pointer && { ...pointer, key: payloadKey('results', id, pointer) },
      inline: typeof inline === 'string' ? Buffer.from(inline, 'base64') : undefined,
      compression: compression === null ? undefined : checkedCompression(compression),
    };
  } catch (error) {
    throw new InvalidResult(`A packed result cannot be read: ${errorText(error).message}`);
  }
}

function valueIn(text: string): JsonObject {
  try {
    const fields = decodeJsonKeepingTypes(text) as { readonly [PAYLOAD_FIELD]?: { readonly __value__?: unknown } };
    const value = fields[PAYLOAD_FIELD]?.__value__;
    if (isObject(value)) return value;
  } catch {
    // Told below.
  }
  throw new InvalidResult('A packed result is no JSON.');
}

/** @throws InvalidResult */
export function unpackText(bytes: Uint8Array, { compression }: Unpacking, maxBytes: number): string {
  try {
    return unshrunk(bytes, compression, maxBytes);
  } catch (error) {
    throw new InvalidResult(`A packed result cannot be read: ${errorText(error).message}`);
  }
}
