/**
 * The layers around a task message: base64, kombu's envelope, base64 again (kombu/transport/SQS.py); and
 * readers for the fields inside. All of it comes from outside: it is as expected, or InvalidMessage says what is not.
 */
import { checkedCompression, compress, decompress } from './compression.ts';
import { InvalidMessage, MessageTooLarge } from './errors.ts';
import { parseIsoTime } from './iso-time.ts';
import { decodeJson, decodeJsonKeepingTypes, type DecodeOptions, encodeJson } from './json.ts';
import { LATEST_DUE_MS, MAX_JSON_VALUES, MAX_SHOWN_CHARACTERS, SQS_MAX_MESSAGE_BYTES } from './limits.ts';
import { isName, wrongInSignature } from './message-bounds.ts';
import { cut } from './quote.ts';
import { shapeOf, wordOrShape } from './shape.ts';
import { readSignature, type Signature } from './signature.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

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
  return error instanceof Error ? error.name : 'an unknown error';
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

// ------------------------------------------------------------------ fields

/** Dates and bytes, which typed JSON values become, are none. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

export function wrong(field: string, value: unknown, expected: string): InvalidMessage {
  return new InvalidMessage(`${field} is ${shapeOf(value)}; ${expected} is expected.`);
}

export function readName(value: unknown, field: string, longest: number): string {
  if (isName(value, longest)) return value;
  throw wrong(field, value, `text of 1 to ${longest} characters, without halves of surrogate pairs,`);
}

/** '' is nobody's name. */
export function readOptionalName(value: unknown, field: string, longest: number): string | null {
  return value === undefined || value === null || value === '' ? null : readName(value, field, longest);
}

/** For fields that are only shown: what is wrong with them stops nobody, and they are cut where they are long. */
export function textOr<T>(value: unknown, otherwise: T): string | T {
  if (typeof value !== 'string') return otherwise;
  return value.length > MAX_SHOWN_CHARACTERS ? cut(value, MAX_SHOWN_CHARACTERS) : value;
}

export function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
}

export function readCount(value: unknown, field: string, largest: number = Number.MAX_SAFE_INTEGER): number | null {
  if (value === undefined || value === null) return null;
  // `+ 0` makes a plain zero of -0.
  if (isCount(value) && value <= largest) return value + 0;
  throw wrong(field, value, `a whole number from 0 to ${largest}`);
}

export function readBoolean(value: unknown, field: string): boolean | null {
  if (value === undefined || value === null) return null;
  if (typeof value === 'boolean') return value;
  throw wrong(field, value, 'true, false or null');
}

/** Milliseconds since the epoch; not beyond what a timer's key can hold. */
export function readDueTime(value: unknown, field: string): number | null {
  const ms = readTime(value, field);
  if (ms === null || ms <= LATEST_DUE_MS) return ms;
  throw wrong(
    field,
    value instanceof Date ? value.toISOString() : value,
    `up to ${new Date(LATEST_DUE_MS).toISOString()}`,
  );
}

/** Milliseconds since the epoch. */
export function readTime(value: unknown, field: string): number | null {
  if (value === undefined || value === null) return null;
  if (value instanceof Date) return value.getTime();
  const ms = typeof value === 'string' ? parseIsoTime(value) : undefined;
  if (ms !== undefined) return ms;
  throw wrong(field, value, "ISO 8601 text such as '2030-01-01T00:00:00+00:00'");
}

export function readTimeLimit(value: unknown): readonly [number | null, number | null] {
  if (value === undefined || value === null) return [null, null];
  const expected = '[hard, soft], each seconds or null,';
  if (!Array.isArray(value) || value.length !== 2) throw wrong('timelimit', value, expected);
  const [hard = null, soft = null] = (value as readonly unknown[]).map((limit) => {
    if (limit === null || (typeof limit === 'number' && Number.isFinite(limit) && limit >= 0)) return limit;
    throw wrong('timelimit', limit, expected);
  });
  return [hard, soft];
}

export function readNames(value: unknown, field: string): readonly string[] | null {
  if (value === undefined || value === null) return null;
  if (Array.isArray(value) && value.every((name) => typeof name === 'string')) return value;
  throw wrong(field, value, 'an array of text');
}

export function readArray(value: unknown, field: string): readonly unknown[] {
  if (Array.isArray(value)) return value;
  throw wrong(field, value, 'an array');
}

export function readObject(value: unknown, field: string): JsonObject {
  if (isObject(value)) return value;
  throw wrong(field, value, 'an object');
}

export function readSignatures(value: unknown, field: string): readonly Signature[] | null {
  if (value === undefined || value === null) return null;
  return readArray(value, field).map((item, index) => requireSignature(item, `${field}[${index}]`));
}

export function requireSignature(value: unknown, field: string): Signature {
  const signature = readSignature(value);
  if (signature === undefined) throw wrong(field, value, 'a signature, an object with a task,');
  const reason = wrongInSignature(signature, field);
  if (reason !== undefined) throw new InvalidMessage(reason);
  return signature;
}

/** fromEntries defines what assignment would not: an own `__proto__` stays data. */
export function without(record: JsonObject, excluded: (name: string) => boolean): JsonObject {
  return Object.fromEntries(Object.entries(record).filter(([name]) => !excluded(name)));
}
