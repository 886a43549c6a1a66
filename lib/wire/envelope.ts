/**
 * The layers around a task message: base64, kombu's envelope, base64 again (kombu/transport/SQS.py); and
 * readers for the fields inside. All of it comes from outside: it is as expected, or InvalidMessage says what is not.
 */
import { checkedCompression } from './compression.ts';
import { errorText, isError } from '../base/error-text.ts';
import { DecryptionFailed, InvalidMessage } from '../base/errors.ts';
import { decodeJson, decodeJsonKeepingTypes, type DecodeOptions } from './json.ts';
import { MAX_JSON_VALUES, SQS_MAX_MESSAGE_BYTES } from '../base/limits.ts';
import { wordOrShape } from '../base/shape.ts';
import { isObject, type JsonObject, wrong } from './fields.ts';
import type { Packing } from './packing.ts';
import { unshrunk } from './unshrunk.ts';

export interface Envelope {
  readonly headers: JsonObject;
  readonly properties: JsonObject;
  /** The body: three elements in protocol 2, an object in protocol 1. Typed values are not decoded. */
  readonly payload: unknown;
  /** How the body was compressed, as the header has it. */
  readonly compression: string | undefined;
}

/** The outer layer alone: a body that is neither unpacked nor parsed can do no harm. */
export interface OuterEnvelope {
  readonly headers: JsonObject;
  readonly properties: JsonObject;
  readonly body: string;
  /** As it was written: JSON, or what is encrypted. */
  readonly type: string;
}

/** Content type of a body that a codec has encrypted. */
export const ENCRYPTED_TYPE = 'application/x-celeriac-encrypted';

/** @throws InvalidMessage */
export function readOuterEnvelope(text: string): OuterEnvelope {
  const bytes = Buffer.byteLength(text);
  if (bytes > SQS_MAX_MESSAGE_BYTES) {
    throw new InvalidMessage(`The message has ${bytes} bytes; ${SQS_MAX_MESSAGE_BYTES} are allowed.`);
  }
  const envelope = parseLayer(text, 'message', decodeJson);
  if (!isObject(envelope)) throw wrong('The message', envelope, "kombu's envelope, an object,");
  const { properties, body } = envelope;
  if (!isObject(properties))
    throw wrong('properties of the message', properties, 'an object, as every Celery client writes it,');
  // Protocol 1 may leave them out.
  const headers = envelope['headers'] ?? {};
  if (!isObject(headers)) throw wrong('headers', headers, 'an object');
  const type = checkContent(envelope);
  if (typeof body !== 'string') throw wrong('body', body, 'text');
  return { headers, properties, body, type };
}

/** How a message is read. */
export interface ReadOptions {
  /** The bytes that its pointer names, from the store. */
  readonly stored?: Uint8Array | undefined;
  /** Bounds of an app with `largePayloads`. Default: those of others. */
  readonly packing?: Pick<Packing, 'maxBytes' | 'maxValues'> | undefined;
}

/** @throws InvalidMessage */
export function readEnvelope(text: string, { stored, packing }: ReadOptions = {}): Envelope {
  const { headers, properties, body, type } = readOuterEnvelope(text);
  if (type === ENCRYPTED_TYPE)
    throw new DecryptionFailed(
      "The message is encrypted and was not decrypted: the app has no `codec`, or its codec lacks the key. Give the app its sender's keys.",
    );
  const name = headers['compression'] ?? null;
  const compression = name === null ? undefined : checkedCompression(name);
  const plain =
    stored === undefined && compression === undefined
      ? body
      : opened(stored ?? Buffer.from(body, 'base64'), compression, packing);
  const values = packing?.maxValues;
  return { headers, properties, payload: parseLayer(plain, 'body', decodeJsonKeepingTypes, values), compression };
}

// kombu's own (kombu/serialization.py).
const CONTENT_TYPES: ReadonlySet<string> = new Set([
  'application/x-python-serialize',
  'application/x-yaml',
  'application/x-msgpack',
  'application/data',
  'text/plain',
]);
const ENCODINGS: ReadonlySet<unknown> = new Set(['utf-8', 'utf8', 'us-ascii', 'ascii', 'binary']);

function checkContent(envelope: JsonObject): string {
  const given = envelope['content-type'];
  const type = typeof given === 'string' ? given.toLowerCase() : given;
  if (type !== 'application/json' && type !== ENCRYPTED_TYPE) {
    throw new InvalidMessage(
      `content type is ${wordOrShape(given, CONTENT_TYPES)}; application/json is expected, never pickle: reading it runs code. Set task_serializer = 'json' in the sender.`,
    );
  }
  const encoding = envelope['content-encoding'] ?? 'utf-8';
  if (typeof encoding !== 'string' || !ENCODINGS.has(encoding.toLowerCase()))
    throw wrong('content encoding', encoding, "'utf-8'");
  return type;
}

/** kombu: serialized, compressed, then in base64. */
function opened(bytes: Uint8Array, compression: string | undefined, packing: ReadOptions['packing']): string {
  try {
    return unshrunk(bytes, compression, packing?.maxBytes);
  } catch (error) {
    if (InvalidMessage.is(error)) throw error;
    throw new InvalidMessage('The body is compressed or stored, and no UTF-8 when it is unpacked.', { cause: error });
  }
}

function parseLayer(
  text: string,
  layer: string,
  parse: (text: string, options: DecodeOptions) => unknown,
  values: number = MAX_JSON_VALUES,
): unknown {
  try {
    return parse(optionalBase64(text), { values });
  } catch (error) {
    // `decodeJson` quotes nothing; what else is thrown might.
    const reason = error instanceof SyntaxError ? error.message : nameOf(error);
    throw new InvalidMessage(`The ${layer} is no JSON: ${reason}`);
  }
}

/** Of an error whose text may quote what came. */
export function nameOf(error: unknown): string {
  return isError(error) ? errorText(error).name : 'an unknown error';
}

/**
 * kombu's `_optional_b64_decode`: text is base64 when decoding and encoding again gives the same text and
 * the bytes are UTF-8. Containers in JSON start with a bracket, which base64 never has: neither is taken for the other.
 */
function optionalBase64(text: string): string {
  // What was unpacked may be long, and is seldom that.
  if (text.startsWith('[') || text.startsWith('{')) return text;
  const candidate = text.trim();
  const bytes = Buffer.from(candidate, 'base64');
  if (bytes.toString('base64') !== candidate) return text;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return text;
  }
}

/** fromEntries defines what assignment would not: an own `__proto__` stays data. */
export function without(record: JsonObject, excluded: (name: string) => boolean): JsonObject {
  return Object.fromEntries(Object.entries(record).filter(([name]) => !excluded(name)));
}
