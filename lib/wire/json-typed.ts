/** kombu's typed JSON values: `{"__type__": "decimal", "__value__": "1.5"}` (kombu/utils/json.py). */
import { parseIsoTime } from '../base/iso-time.ts';

export const TYPE = '__type__';
export const VALUE = '__value__';
/** Of what a codec has encrypted: base64. */
export const ENCRYPTED_VALUE = 'celeriac-encrypted';

/** Typed values that stay as they are: one of an unknown type, or one that is only passed on. */
const kept = new WeakSet<object>();

export function isKept(value: object): boolean {
  return kept.has(value);
}

/** An object with exactly these two keys is a typed value. */
export function isTyped(value: object): boolean {
  return Object.hasOwn(value, TYPE) && Object.hasOwn(value, VALUE) && Object.keys(value).length === 2;
}

/** Marks the typed values inside a freshly parsed value, so that they may be written again. */
export function keepTyped(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (isTyped(value)) kept.add(value);
  for (const inner of Object.values(value)) keepTyped(inner);
  return value;
}

/**
 * The value with typed values decoded: datetime is a Date, bytes are a Uint8Array, the others text; long integers are
 * numbers. A container without any of them is itself: a copy of a large message would double what it takes.
 */
export function decodeTyped(value: unknown): unknown {
  if (Array.isArray(value)) return decodeItems(value);
  if (typeof value === 'bigint') return Number(value);
  // Dates and bytes are what typed values become.
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  const container = value as Readonly<Record<string, unknown>>;
  if (isTyped(container)) {
    const decoded = decodeOne(container[TYPE], container[VALUE]);
    if (decoded !== undefined) return decoded;
  }
  const copy = decodeFields(container);
  // A retry has to send on what could not be decoded.
  if (isTyped(copy)) kept.add(copy);
  return copy;
}

function decodeItems(items: readonly unknown[]): readonly unknown[] {
  let copy: unknown[] | undefined;
  for (let index = 0; index < items.length; index += 1) {
    const decoded = decodeTyped(items[index]);
    if (Object.is(decoded, items[index])) continue;
    copy ??= [...items];
    copy[index] = decoded;
  }
  return copy ?? items;
}

function decodeFields(container: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const changed = new Map<string, unknown>();
  for (const key of Object.keys(container)) {
    const decoded = decodeTyped(container[key]);
    if (!Object.is(decoded, container[key])) changed.set(key, decoded);
  }
  if (changed.size === 0) return container;
  // fromEntries defines what assignment would not: an own `__proto__` stays data.
  return Object.fromEntries(
    Object.entries(container).map(([key, inner]) => [key, changed.has(key) ? changed.get(key) : inner]),
  );
}

function decodeOne(type: unknown, value: unknown): unknown {
  if (type === 'uuid') return decodeUuid(value);
  if (typeof value !== 'string') return undefined;
  switch (type) {
    case 'datetime': {
      const ms = parseIsoTime(value);
      return ms === undefined ? undefined : new Date(ms);
    }
    // JavaScript has no types for these; as numbers and Dates they would lose digits or gain a time zone.
    case 'date':
    case 'time':
    case 'decimal':
      return value;
    case 'bytes':
      return new TextEncoder().encode(value);
    case 'base64':
      // A copy: small Buffers share one pool, and whoever asks for `.buffer` would get all of it.
      return new Uint8Array(Buffer.from(value, 'base64'));
    default:
      return undefined;
  }
}

function decodeUuid(value: unknown): string | undefined {
  const hex = typeof value === 'object' && value !== null ? (value as { hex?: unknown }).hex : undefined;
  if (typeof hex !== 'string' || !/^[\da-f]{32}$/i.test(hex)) return undefined;
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)]
    .join('-')
    .toLowerCase();
}
