/** The layers around a task message on its way out (envelope.ts reads them): a worker that only reads does not load them at its start. */
import { compress } from './compression.ts';
import { MessageTooLarge } from '../base/errors.ts';
import { ENCRYPTED_TYPE, type OuterEnvelope } from './envelope.ts';
import type { JsonObject } from './fields.ts';
import { encodeJson } from './json.ts';
import { SQS_MAX_MESSAGE_BYTES } from '../base/limits.ts';
import { CELERIAC_HEADER, PAYLOAD_FIELD } from './message.ts';
import { type Packing, type Payload, shrunk, toStore } from './packing.ts';

/** A message as it is sent, and what is to lie in the store before. */
export interface Packed {
  readonly text: string;
  readonly payload?: Payload | undefined;
}

export interface WriteOptions {
  /** As it came; it is compressed so again. */
  readonly compression?: string | undefined;
  /** What is done where it is large; undefined for nothing. */
  readonly packing?: Packing | undefined;
  /** What lay in front of its body in the store. */
  readonly salt?: Uint8Array | undefined;
  /** Its reader knows no store: Celery's own workers, EventBridge. */
  readonly inPlace?: boolean;
}

/** @throws MessageTooLarge, NotSerializable */
export function writeEnvelope(
  task: string,
  headers: JsonObject,
  properties: JsonObject,
  body: string,
  { compression: given, packing, salt, inPlace = false }: WriteOptions = {},
): Packed {
  const { compression, bytes } =
    given === undefined ? shrunk(body, packing) : { compression: given, bytes: Buffer.from(compress(given, body)) };
  const named = compression === undefined ? headers : { ...headers, compression };
  const before = '{"body":"';
  const parts = (own: JsonObject): string =>
    [
      '',
      '"content-encoding":"utf-8"',
      '"content-type":"application/json"',
      `"headers":${encodeJson(own, 'headers')}`,
      `"properties":${encodeJson(properties, 'properties')}`,
    ].join(',');
  const rest = parts(named);
  const length = base64Length(before.length + base64Length(bytes.byteLength) + 2 + Buffer.byteLength(rest));
  const storeAbove = inPlace ? null : (packing?.storeAboveBytes ?? null);
  if (storeAbove !== null && length > storeAbove) {
    const jsonBytes = Buffer.byteLength(body);
    if (packing !== undefined && jsonBytes > packing.maxBytes)
      throw new MessageTooLarge(
        `The arguments and links of task '${task}' have ${jsonBytes} bytes as JSON; ${packing.maxBytes} are allowed, as its worker holds all of them in memory. Store the data elsewhere and pass a reference.`,
      );
    const { pointer, payload } = toStore('messages', String(headers['id']), bytes, packing ?? {}, salt);
    const own = { ...(headers[CELERIAC_HEADER] as JsonObject | undefined), [PAYLOAD_FIELD]: pointer };
    // No reader that knows nothing of the store takes this for arguments.
    const text = toBase64(`${before}${toBase64('null')}"${parts({ ...named, [CELERIAC_HEADER]: own })}}`);
    return { text, payload };
  }
  if (length > SQS_MAX_MESSAGE_BYTES) throw tooLarge(task, length, Buffer.byteLength(body), packing !== undefined);
  return { text: toBase64(`${before}${bytes.toString('base64')}"${rest}}`) };
}

function tooLarge(task: string, bytes: number, jsonBytes: number, packed: boolean): MessageTooLarge {
  const advice = packed
    ? "It is not stored elsewhere: its queue's workers are others than Celeriac's, or largePayloads.storeAboveBytes is null."
    : "Set the app's option largePayloads, which has S3 hold what is large, or store the data elsewhere (S3, a table) and pass a reference.";
  return new MessageTooLarge(
    `The message of task '${task}' has ${bytes} bytes; SQS takes ${SQS_MAX_MESSAGE_BYTES} bytes. ` +
      `Its arguments and links have ${jsonBytes} bytes as JSON, and Celery's format encodes them in base64 twice (x1.78). ${advice}`,
  );
}

function base64Length(bytes: number): number {
  return Math.ceil(bytes / 3) * 4;
}

/** The same with other headers; its body as it is. */
export function withHeaders({ properties, body, type }: OuterEnvelope, headers: JsonObject): string {
  const content = { 'content-encoding': type === ENCRYPTED_TYPE ? 'binary' : 'utf-8', 'content-type': type };
  return toBase64(encodeJson({ body, ...content, headers, properties }, 'message', { asPython: true }));
}

function toBase64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}
