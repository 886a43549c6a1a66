/**
 * The layers around a task message: base64, kombu's envelope, base64 again (kombu/transport/SQS.py); and
 * readers for the fields inside. All of it comes from outside: it is as expected, or InvalidMessage says what is not.
 */
import { checkedCompression, compress, decompress } from './compression.ts';
import { errorText, isError } from '../base/error-text.ts';
import { InvalidMessage, MessageTooLarge } from '../base/errors.ts';
import { decodeJson, decodeJsonKeepingTypes, type DecodeOptions, encodeJson } from './json.ts';
import { MAX_JSON_VALUES, SQS_MAX_MESSAGE_BYTES } from '../base/limits.ts';
import { wordOrShape } from '../base/shape.ts';
import { isObject, type JsonObject, wrong } from './fields.ts';

export interface Envelope {
  readonly headers: JsonObject;
  readonly properties: JsonObject;
  /** The body: three elements in protocol 2, an object in protocol 1. Typed values are not decoded. */
  readonly payload: unknown;
  /** How the body was compressed, as the header has it. */
  readonly compression: string | undefined;
}

/** @throws MessageTooLarge, NotSerializable */
export function writeEnvelope(
  task: string,
  headers: JsonObject,
  properties: JsonObject,
  body: string,
  compression?: string,
): string {
  const bytes = compression === undefined ? Buffer.from(body, 'utf8') : Buffer.from(compress(compression, body));
  const parts = [
    `"body":"${bytes.toString('base64')}"`,
    '"content-encoding":"utf-8"',
    '"content-type":"application/json"',
    `"headers":${encodeJson(compression === undefined ? headers : { ...headers, compression }, 'headers')}`,
    `"properties":${encodeJson(properties, 'properties')}`,
  ];
  const text = toBase64(`{${parts.join(',')}}`);
  if (text.length <= SQS_MAX_MESSAGE_BYTES) return text;
  throw new MessageTooLarge(
    `The message of task '${task}' has ${text.length} bytes; SQS takes ${SQS_MAX_MESSAGE_BYTES} bytes. ` +
      `Its arguments and links have ${Buffer.byteLength(body)} bytes as JSON, and Celery's format encodes them in base64 twice (x1.78). ` +
      'Store the data elsewhere (S3, a table) and pass a reference.',
  );
}

/** The outer layer alone: a body that is neither unpacked nor parsed can do no harm. */
export interface OuterEnvelope {
  readonly headers: JsonObject;
  readonly properties: JsonObject;
  readonly body: string;
}

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
  checkContent(envelope);
  if (typeof body !== 'string') throw wrong('body', body, 'text');
  return { headers, properties, body };
}

/** The same with other headers; its body as it is. */
export function withHeaders({ properties, body }: OuterEnvelope, headers: JsonObject): string {
  const content = { 'content-encoding': 'utf-8', 'content-type': 'application/json' };
  return toBase64(encodeJson({ body, ...content, headers, properties }, 'message', { asPython: true }));
}

/** @throws InvalidMessage */
export function readEnvelope(text: string): Envelope {
  const { headers, properties, body } = readOuterEnvelope(text);
  const name = headers['compression'] ?? null;
  const compression = name === null ? undefined : checkedCompression(name);
  const plain = compression === undefined ? body : decompressed(compression, body);
  return { headers, properties, payload: parseLayer(plain, 'body', decodeJsonKeepingTypes), compression };
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

function checkContent(envelope: JsonObject): void {
  const type = envelope['content-type'];
  if (typeof type !== 'string' || type.toLowerCase() !== 'application/json') {
    throw new InvalidMessage(
      `content type is ${wordOrShape(type, CONTENT_TYPES)}; application/json is expected, never pickle: reading it runs code. Set task_serializer = 'json' in the sender.`,
    );
  }
  const encoding = envelope['content-encoding'] ?? 'utf-8';
  if (typeof encoding !== 'string' || !ENCODINGS.has(encoding.toLowerCase()))
    throw wrong('content encoding', encoding, "'utf-8'");
}

/** kombu: serialized, compressed, then in base64. */
function decompressed(compression: string, body: string): string {
  const bytes = decompress(compression, Buffer.from(body, 'base64'));
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    throw new InvalidMessage('The body is compressed, and no UTF-8 when it is unpacked.', { cause: error });
  }
}

function parseLayer(text: string, layer: string, parse: (text: string, options: DecodeOptions) => unknown): unknown {
  try {
    return parse(optionalBase64(text), { values: MAX_JSON_VALUES });
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

function toBase64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}

/**
 * kombu's `_optional_b64_decode`: text is base64 when decoding and encoding again gives the same text and
 * the bytes are UTF-8. Containers in JSON start with a bracket, which base64 never has: neither is taken for the other.
 */
function optionalBase64(text: string): string {
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
