/**
 * What is encrypted, as it goes over the wire. A message keeps its envelope and headers; its body is a token, which kombu takes for the work
 * of a serializer of that content type. In JSON a token is one of kombu's typed values, so that Python reads it by `register_type`.
 */
import { ENCRYPTED } from '../base/error-text.ts';
import { checkedCompression, decompress } from './compression.ts';
import { ENCRYPTED_TYPE, type OuterEnvelope, readOuterEnvelope, without } from './envelope.ts';
import { withHeaders } from './write-envelope.ts';
import { isObject, type JsonObject } from './fields.ts';
import { decodeJsonKeepingTypes, encodeJson } from './json.ts';
import { ENCRYPTED_VALUE, keepTyped, TYPE, VALUE } from './json-typed.ts';
import { PAYLOAD_FIELD } from './message.ts';

export type Transform = (bytes: Uint8Array) => Promise<Uint8Array>;

const FIRST_OF_COMPRESSED = 0;

/** The envelope with its body encrypted; what is no envelope, or encrypted already, as it is. */
export async function encryptBody(body: string, encrypt: Transform): Promise<string> {
  const outer = outerOf(body);
  if (outer === undefined || outer.type === ENCRYPTED_TYPE) return body;
  const { compression, ...headers } = outer.headers;
  const token = await encrypt(withCompression(bytesIn(outer), compression));
  return withHeaders({ ...outer, type: ENCRYPTED_TYPE, body: base64(token) }, concealed(headers));
}

/** The envelope with its body as it was before `encryptBody`; what is not encrypted, as it is. @throws what `decrypt` throws */
export async function decryptBody(body: string, decrypt: Transform): Promise<string> {
  const outer = outerOf(body);
  if (outer?.type !== ENCRYPTED_TYPE) return body;
  // Python's, which compresses what its serializer has made.
  const { compression: outside, ...headers } = outer.headers;
  const token = Buffer.from(outer.body, 'base64');
  const plain = await decrypt(outside == null ? token : decompress(checkedCompression(outside), token));
  const { bytes, compression } = compressionOf(plain);
  const named = compression === undefined ? headers : { ...headers, compression };
  return withHeaders({ ...outer, type: 'application/json', body: base64(bytes) }, concealed(named));
}

/** Whatever reads messages without their keys shows these. */
function concealed(headers: JsonObject): JsonObject {
  const { kwargsrepr } = headers;
  const none = kwargsrepr == null || kwargsrepr === '' || kwargsrepr === '{}';
  return { ...headers, argsrepr: ENCRYPTED, kwargsrepr: none ? '{}' : ENCRYPTED };
}

function outerOf(body: string): OuterEnvelope | undefined {
  try {
    return readOuterEnvelope(body);
  } catch {
    // A wake-up, or what nobody can read.
    return undefined;
  }
}

/** kombu's own way to tell base64 from text: `body_encoding`. */
function bytesIn({ body, properties }: OuterEnvelope): Uint8Array {
  return properties['body_encoding'] === 'base64' ? Buffer.from(body, 'base64') : Buffer.from(body, 'utf8');
}

/** JSON never begins with a zero: 0, the length of the compression's name, the name, what is compressed. */
function withCompression(bytes: Uint8Array, compression: unknown): Uint8Array {
  if (typeof compression !== 'string') return bytes;
  const name = Buffer.from(compression, 'utf8').subarray(0, 255);
  return Buffer.concat([Buffer.of(FIRST_OF_COMPRESSED, name.byteLength), name, bytes]);
}

function compressionOf(plain: Uint8Array): { readonly bytes: Uint8Array; readonly compression?: string } {
  if (plain[0] !== FIRST_OF_COMPRESSED) return { bytes: plain };
  const end = 2 + (plain[1] ?? 0);
  return { bytes: plain.subarray(end), compression: Buffer.from(plain.subarray(2, end)).toString('utf8') };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

/** A token in JSON. */
export function isEncryptedValue(value: unknown): value is { readonly [VALUE]: string } {
  return isObject(value) && value[TYPE] === ENCRYPTED_VALUE && typeof value[VALUE] === 'string';
}

/** JSON text as a typed value. */
export async function encryptJson(json: string, encrypt: Transform): Promise<string> {
  return JSON.stringify({ [TYPE]: ENCRYPTED_VALUE, [VALUE]: base64(await encrypt(Buffer.from(json, 'utf8'))) });
}

/** JSON text behind a typed value, as text; any other text as it is. @throws what `decrypt` throws */
export async function decryptJson(text: string, decrypt: Transform): Promise<string> {
  if (!text.startsWith(`{"${TYPE}":"${ENCRYPTED_VALUE}"`)) return text;
  const value = decodeJsonKeepingTypes(text);
  return isEncryptedValue(value) ? decryptValue(value, decrypt) : text;
}

async function decryptValue(value: { readonly [VALUE]: string }, decrypt: Transform): Promise<string> {
  const plain = await decrypt(Buffer.from(value[VALUE], 'base64'));
  return Buffer.from(plain).toString('utf8');
}

/** What a result document tells of data; everything else in it is ids, times and names. */
const SECRET_FIELDS = ['result', 'traceback', 'args', 'kwargs', PAYLOAD_FIELD] as const;

/** A result document with its data encrypted, each field by itself. */
export async function encryptDocument(json: string, encrypt: Transform): Promise<string> {
  return eachField(json, SECRET_FIELDS, async (value) =>
    value === null || isEncryptedValue(value)
      ? undefined
      : keepTyped(JSON.parse(await encryptJson(encodeJson(value, 'result', { asPython: true }), encrypt))),
  );
}

/** The same decrypted, also one of Python's. @throws what `decrypt` throws */
export async function decryptDocument(json: string, decrypt: Transform): Promise<string> {
  // Nearly all of a service's documents, or none of them.
  if (!json.includes(ENCRYPTED_VALUE)) return json;
  return eachField(json, SECRET_FIELDS, async (value) =>
    isEncryptedValue(value) ? decodeJsonKeepingTypes(await decryptValue(value, decrypt)) : undefined,
  );
}

async function eachField(
  json: string,
  fields: readonly string[],
  change: (value: unknown) => Promise<unknown>,
): Promise<string> {
  let data: unknown;
  try {
    data = decodeJsonKeepingTypes(json);
  } catch {
    // Its reader tells what is wrong with it.
    return json;
  }
  if (!isObject(data)) return json;
  const changed: Record<string, unknown> = {};
  for (const field of fields) {
    if (!Object.hasOwn(data, field)) continue;
    const value = await change(data[field]);
    if (value !== undefined) changed[field] = value;
  }
  return Object.keys(changed).length === 0 ? json : encodeJson({ ...data, ...changed }, 'meta', { asPython: true });
}

/** A stored schedule entry with what it hands to its task encrypted; its name, task, times and queue stay readable. */
export async function encryptSchedule(json: string, encrypt: Transform): Promise<string> {
  return inSignature(json, async (signature) => {
    const { args, kwargs, options } = signature;
    if (isEncryptedValue((args as readonly unknown[] | undefined)?.[0])) return undefined;
    const token = await encryptJson(encodeJson({ args, kwargs, options }, 'entry', { asPython: true }), encrypt);
    const plain = isObject(options) ? without(options, (name) => isData(options[name])) : options;
    return { args: [keepTyped(JSON.parse(token))], kwargs: {}, options: plain };
  });
}

/** The same decrypted. @throws what `decrypt` throws */
export async function decryptSchedule(json: string, decrypt: Transform): Promise<string> {
  if (!json.includes(ENCRYPTED_VALUE)) return json;
  return inSignature(json, async ({ args }) => {
    const first = (args as readonly unknown[] | undefined)?.[0];
    if (!isEncryptedValue(first)) return undefined;
    return decodeJsonKeepingTypes(await decryptValue(first, decrypt)) as JsonObject;
  });
}

/** Links, and whatever else holds arguments. */
function isData(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

async function inSignature(
  json: string,
  change: (signature: JsonObject) => Promise<JsonObject | undefined>,
): Promise<string> {
  return eachField(json, ['entry'], async (entry) => {
    if (!isObject(entry) || !isObject(entry['signature'])) return undefined;
    const changed = await change(entry['signature']);
    return changed === undefined ? undefined : { ...entry, signature: { ...entry['signature'], ...changed } };
  });
}
