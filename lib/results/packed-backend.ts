/**
 * A store of results whose large texts are packed: on their way in stored elsewhere before the record that points to them, on their way
 * out read again. Whoever dies between the two leaves bytes that nothing points to; the store's lifecycle removes them.
 */
import { ImproperlyConfigured, InvalidResult, PayloadNotFound } from '../base/errors.ts';
import { mapConcurrently } from '../base/map-concurrently.ts';
import { type LargePayloads, largePayloadsOf } from '../options/large-payloads.ts';
import type { Backend, ClaimOutcome, TaskRecord } from '../ports/backend.ts';
import type { Blobs } from '../ports/blobs.ts';
import { packText, readPacked, unpackText } from '../wire/packed-text.ts';
import { fromStore, plainBytesOf } from '../wire/packing.ts';

const AT_ONCE = 8;
const PACKED = new WeakSet<object>();

interface PortsWithResults {
  readonly backend: Backend;
  readonly blobs?: Blobs | undefined;
}

/** The same ports; where the app has `largePayloads`, with results that may be large. */
export function packingResults<P extends PortsWithResults>(
  ports: P,
  settings: Parameters<typeof largePayloadsOf>[0],
): P {
  const packing = largePayloadsOf(settings);
  if (packing === undefined || PACKED.has(ports.backend)) return ports;
  const backend = packedBackend(ports, packing);
  PACKED.add(backend);
  return { ...ports, backend };
}

function packedBackend({ backend, blobs }: PortsWithResults, packing: LargePayloads): Backend {
  const texts = new PackedTexts(blobs, packing);
  return {
    claim: async (requests) => texts.outcomes(await backend.claim(requests), requests),
    commit: async (requests) => backend.commit(await texts.packAll(requests)),
    conclude: async (requests) => texts.outcomes(await backend.conclude(await texts.packAll(requests)), requests),
    update: async (request) => backend.update((await texts.packAll([request]))[0] ?? request),
    reopen: async (request) => backend.reopen((await texts.packAll([request]))[0] ?? request),
    revoke: (request) => backend.revoke(request),
    release: (request) => backend.release(request),
    noteSettled: (request) => backend.noteSettled(request),
    terminated: (ids) => backend.terminated(ids),
    get: async (ids, nowMs, reads) => {
      const records = await backend.get(ids, nowMs, reads);
      return reads === 'state' ? records : mapConcurrently(records, AT_ONCE, async (each) => each && texts.open(each));
    },
    forget: async (ids) => {
      const records = await backend.get(ids, 0);
      await backend.forget(ids);
      // Behind the records: a record without its bytes would be an error to whoever reads it meanwhile.
      await texts.forget(records.filter((record) => record !== undefined));
    },
  };
}

interface Texts {
  readonly id: string;
  readonly meta?: string | undefined;
  readonly settlement?: string | undefined;
  readonly past?: string | undefined;
}
const FIELDS = ['meta', 'settlement', 'past'] as const;

class PackedTexts {
  readonly #blobs: Blobs | undefined;
  readonly #packing: LargePayloads;

  constructor(blobs: Blobs | undefined, packing: LargePayloads) {
    this.#blobs = blobs;
    this.#packing = packing;
  }

  packAll<T extends object>(requests: readonly (T & { readonly id: string })[]): Promise<(T & { id: string })[]> {
    return mapConcurrently(requests, AT_ONCE, async (request) => {
      const packed: Record<string, string> = {};
      for (const field of FIELDS) {
        const text = (request as Texts)[field];
        if (text !== undefined) packed[field] = await this.#pack(request.id, text);
      }
      return { ...request, ...packed };
    });
  }

  async #pack(id: string, given: string): Promise<string> {
    const { text, payload } = packText(id, given, this.#packing);
    if (payload !== undefined) await this.#store().put(payload.key, payload.bytes);
    return text;
  }

  async outcomes<T extends ClaimOutcome | { readonly kind: 'concluded' }>(
    outcomes: readonly T[],
    requests: readonly unknown[],
  ): Promise<T[]> {
    if (outcomes.length !== requests.length) return [...outcomes];
    return mapConcurrently(outcomes, AT_ONCE, async (outcome) => {
      const { record } = outcome as { readonly record?: TaskRecord };
      return record === undefined ? outcome : { ...outcome, record: await this.open(record) };
    });
  }

  async open(record: TaskRecord): Promise<TaskRecord> {
    const opened: Record<string, string> = {};
    for (const field of FIELDS) {
      const text = record[field];
      if (text !== undefined) opened[field] = await this.#open(record.id, text);
    }
    return { ...record, ...opened };
  }

  async #open(id: string, text: string): Promise<string> {
    const packed = readPacked(id, text);
    if (packed === undefined) return text;
    const { stored, inline } = packed;
    if (stored === undefined) return unpackText(inline ?? new Uint8Array(), packed, this.#packing.maxBytes);
    if (plainBytesOf(stored) > this.#packing.maxBytes)
      throw new InvalidResult(
        `The stored result has ${plainBytesOf(stored)} bytes; ${this.#packing.maxBytes} are allowed.`,
      );
    const blob = await this.#store().get(stored.key, this.#packing.maxBytes + (stored.salt ?? 0));
    const fetched = blob && fromStore(stored, blob.bytes);
    if (fetched === undefined)
      throw new PayloadNotFound(
        `The stored result of task id ${id} is not there (${stored.key}). It was deleted, or its time (largePayloads.keep) is over.`,
      );
    return unpackText(fetched.bytes, packed, this.#packing.maxBytes);
  }

  async forget(records: readonly TaskRecord[]): Promise<void> {
    const keys = records.flatMap((record) => FIELDS.flatMap((field) => storedKeys(record.id, record[field])));
    if (keys.length > 0) await this.#store().delete(keys);
  }

  #store(): Blobs {
    if (this.#blobs !== undefined) return this.#blobs;
    throw new ImproperlyConfigured(
      'largePayloads: there is no store for large results. Deploy the service again, so that its functions know their bucket, or give app.use() `blobs`.',
    );
  }
}

/** Of a text that cannot be read there is nothing to delete. */
function storedKeys(id: string, text: string | undefined): string[] {
  try {
    const key = text === undefined ? undefined : readPacked(id, text)?.stored?.key;
    return key === undefined ? [] : [key];
  } catch {
    return [];
  }
}
