/**
 * What is too large for a message, on its way to the store and back. The bytes are stored before what points to them is sent: the
 * other way round a worker could be quicker than the store. Whoever dies between the two leaves bytes that nothing points to; the
 * store's lifecycle removes them.
 */
import { ImproperlyConfigured, InvalidMessage, PayloadNotFound } from '../base/errors.ts';
import { PAYLOAD_FRESH_SECONDS } from '../base/limits.ts';
import { mapConcurrently } from '../base/map-concurrently.ts';
import type { Clock } from '../base/time.ts';
import { largePayloadsOf } from '../options/large-payloads.ts';
import type { Settings } from '../options/settings.ts';
import type { Blobs } from '../ports/blobs.ts';
import type { OutgoingMessage } from '../ports/broker.ts';
import { decodeMessage } from '../wire/decode-message.ts';
import { readOuterEnvelope } from '../wire/envelope.ts';
import { isObject } from '../wire/fields.ts';
import { CELERIAC_HEADER, type Message, PAYLOAD_FIELD } from '../wire/message.ts';
import {
  type Fetched,
  fromStore,
  type Packing,
  type Payload,
  payloadKey,
  plainBytesOf,
  type Pointer,
  readPointer,
} from '../wire/packing.ts';

/** Where payloads lie, and what time it is. */
export interface PayloadPorts {
  readonly blobs?: Blobs | undefined;
  readonly clock: Pick<Clock, 'nowMs'>;
}

const PAYLOADS_AT_ONCE = 8;
// What one process has stored: a send that is tried again sends the same object.
const STORED = new WeakSet<Payload>();

/** @throws ImproperlyConfigured, and what the store throws */
async function storePayload(payload: Payload | undefined, ports: PayloadPorts): Promise<void> {
  if (payload === undefined || STORED.has(payload)) return;
  const { key, bytes, storedMs } = payload;
  if (storedMs !== undefined && ports.clock.nowMs() - storedMs < PAYLOAD_FRESH_SECONDS * 1000) return;
  await blobsOf(ports).put(key, bytes);
  STORED.add(payload);
}

/** A message that may be sent or stored: what it points to is in the store. @throws as `storePayload` */
export async function storedFirst(message: OutgoingMessage, ports: PayloadPorts): Promise<OutgoingMessage> {
  const { payload, ...outgoing } = message;
  if (payload === undefined) return message;
  await storePayload(payload, ports);
  return outgoing;
}

/** Those whose payloads are in the store, if they have any; of the others `fail` is told why not. */
export async function allStoredFirst<Item extends { readonly outgoing: OutgoingMessage }>(
  items: readonly Item[],
  ports: PayloadPorts,
  fail: (index: number, error: unknown) => void,
): Promise<readonly (Item | undefined)[]> {
  if (items.every(({ outgoing }) => outgoing.payload === undefined)) return items;
  return mapConcurrently(items, PAYLOADS_AT_ONCE, async (item, index) => {
    try {
      return { ...item, outgoing: await storedFirst(item.outgoing, ports) };
    } catch (error) {
      fail(index, error);
      return undefined;
    }
  });
}

/** @throws ImproperlyConfigured */
export function blobsOf({ blobs }: Pick<PayloadPorts, 'blobs'>): Blobs {
  if (blobs !== undefined) return blobs;
  throw new ImproperlyConfigured(
    'largePayloads: there is no store for what is large. Deploy the service again, so that its functions know their bucket, or give app.use() `blobs`; or set largePayloads.storeAboveBytes to null.',
  );
}

/** Bytes from the store, as they were put. @throws PayloadNotFound, InvalidMessage, StoreRefused, and what the store throws */
export async function fetchPayload(
  key: string,
  pointer: Pointer,
  { maxBytes }: Pick<Packing, 'maxBytes'>,
  ports: Pick<PayloadPorts, 'blobs'>,
): Promise<Fetched & { readonly storedMs: number }> {
  const plainBytes = plainBytesOf(pointer);
  if (plainBytes > maxBytes)
    throw new InvalidMessage(`The stored payload has ${plainBytes} bytes; ${maxBytes} are allowed.`);
  const blob = await blobsOf(ports).get(key, maxBytes + (pointer.salt ?? 0));
  if (blob === undefined)
    throw new PayloadNotFound(
      `The stored payload ${key} is not there. It was deleted, or its time (largePayloads.keep) is over.`,
    );
  const fetched = fromStore(pointer, blob.bytes);
  if (fetched === undefined)
    throw new PayloadNotFound(`The stored payload ${key} holds other bytes than those that were stored.`);
  return { ...fetched, storedMs: blob.storedMs };
}

/** A message, wherever its body lies. @throws InvalidMessage, PayloadNotFound; and what the store throws, which may pass */
export async function openMessage(body: string, settings: Settings, ports: PayloadPorts): Promise<Message> {
  const packing = largePayloadsOf(settings);
  const { headers } = readOuterEnvelope(body);
  const own = headers[CELERIAC_HEADER];
  const pointer = isObject(own) ? readPointer(own[PAYLOAD_FIELD]) : undefined;
  const { id } = headers;
  if (pointer === undefined || typeof id !== 'string') return decodeMessage(body, { packing });
  if (packing === undefined)
    throw new InvalidMessage(
      "The body of the message is stored elsewhere, and this app has no option largePayloads to read it: give it the sender's.",
    );
  const key = payloadKey('messages', id, pointer);
  const { bytes, storedMs, salt } = await fetchPayload(key, pointer, packing, ports);
  return { ...decodeMessage(body, { stored: bytes, packing }), stored: { key, storedMs, salt } };
}
