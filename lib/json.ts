/**
 * JSON as kombu writes and reads it (kombu/utils/json.py). Strict on the way out: what is written reads
 * back equal, or nothing is written. Liberal on the way in, and bounded: the text comes from strangers.
 */
import { isDate, isUint8Array } from 'node:util/types';
import { NotSerializable } from './errors.ts';
import { isDeeperThan, parseWithNonFinite } from './json-scan.ts';
import { MAX_JSON_DEPTH } from './limits.ts';

/** On the prototype of objects whose fields are plain data, whatever methods they have. */
export const PLAIN_DATA: unique symbol = Symbol.for('celeriac.plain-data') as never;

const TYPE = '__type__';
const VALUE = '__value__';

// A message body and a result document put one container around what encodeJson took.
const MAX_DECODED_DEPTH = MAX_JSON_DEPTH + 1;

// Python's datetime has the years 1 to 9999 only.
const EARLIEST_MS = Date.parse('0001-01-01T00:00:00Z');
const LATEST_MS = Date.parse('9999-12-31T23:59:59.999Z');

/** Typed values that could not be decoded. A retry has to send them on as they came. */
const undecoded = new WeakSet<object>();

// ------------------------------------------------------------------- times

const ISO_TIME =
  /^(\d{4})-?(\d{2})-?(\d{2})(?:[T ](\d{2}):?(\d{2})(?::?(\d{2})(?:[.,](\d{1,9}))?)?(Z|[+-]\d{2}(?::?\d{2}(?::?\d{2})?)?)?)?$/i;

/** ISO 8601 to milliseconds since the epoch, undefined where it is none. Without an offset it is UTC, as in Celery. */
export function parseIsoTime(text: string): number | undefined {
  const match = ISO_TIME.exec(text);
  if (match === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = match
    .slice(1, 7)
    .map((part) => Number(part ?? 0));
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  const time = new Date(0);
  time.setUTCFullYear(year, month - 1, day);
  // A date that does not exist rolls over into the next month.
  if (time.getUTCMonth() !== month - 1 || time.getUTCDate() !== day) return undefined;
  time.setUTCHours(hour, minute, second, Number((match[7] ?? '').slice(0, 3).padEnd(3, '0')));
  const offsetMs = parseOffset(match[8] ?? 'Z');
  if (offsetMs === undefined) return undefined;
  const ms = time.getTime() - offsetMs;
  return ms >= EARLIEST_MS && ms <= LATEST_MS ? ms : undefined;
}

function parseOffset(text: string): number | undefined {
  if (text.toUpperCase() === 'Z') return 0;
  const digits = text.slice(1).replaceAll(':', '').padEnd(6, '0');
  const hours = Number(digits.slice(0, 2));
  const minutes = Number(digits.slice(2, 4));
  const seconds = Number(digits.slice(4));
  if (hours > 23 || minutes > 59 || seconds > 59) return undefined;
  return (text.startsWith('-') ? -1000 : 1000) * (hours * 3600 + minutes * 60 + seconds);
}

/** As Python's `isoformat()` writes UTC: six digits of fraction, or none. @throws NotSerializable */
export function formatIsoTime(ms: number, path: string): string {
  if (!(ms >= EARLIEST_MS && ms <= LATEST_MS)) {
    const given = Number.isNaN(ms) ? 'an invalid time' : `${ms} ms since the epoch`;
    throw new NotSerializable(path, `${path} is ${given}; times of the years 1 to 9999 are allowed.`);
  }
  const text = new Date(ms).toISOString();
  return text.endsWith('.000Z') ? `${text.slice(0, -5)}+00:00` : `${text.slice(0, -1)}000+00:00`;
}

// ---------------------------------------------------------------- encoding

interface Place {
  readonly root: string;
  readonly keys: (string | number)[];
  readonly ancestors: object[];
}

/** JSON text of `value`, kombu's typed values included. Throws NotSerializable naming the path, which starts with `root`. */
export function encodeJson(value: unknown, root: string = 'value'): string {
  return write(value, { root, keys: [], ancestors: [] });
}

function write(value: unknown, place: Place): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'number':
      if (!Number.isFinite(value)) refuse(place, String(value), 'JSON has no such number; pass null or text');
      // JSON.stringify(-0) is "0".
      return Object.is(value, -0) ? '-0' : String(value);
    case 'object':
      return value === null ? 'null' : writeObject(value, place);
    case 'undefined':
      return refuse(place, 'undefined', 'JSON has no undefined; pass null, or leave it out');
    case 'bigint':
      return refuse(place, `the BigInt ${String(value).slice(0, 40)}n`, 'pass a number, or text such as String(value)');
    case 'function':
      return refuse(place, 'a function', 'code cannot be sent; pass data, or the name of a task');
    case 'symbol':
    default:
      return refuse(place, 'a symbol', 'pass its text');
  }
}

function writeObject(value: object, place: Place): string {
  if (place.ancestors.includes(value)) {
    refuse(place, 'a container that holds itself', 'pass data without cycles, such as ids instead of back references');
  }
  if (place.ancestors.length >= MAX_JSON_DEPTH) {
    refuse(
      place,
      `level ${MAX_JSON_DEPTH + 1} of arrays and objects`,
      `${MAX_JSON_DEPTH} levels are allowed; pass flatter data`,
    );
  }
  if (isDate(value)) return writeTyped('datetime', formatIsoTime(value.getTime(), pathOf(place)));
  if (isUint8Array(value)) {
    return writeTyped('base64', Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64'));
  }
  place.ancestors.push(value);
  const text = Array.isArray(value) ? writeArray(value, place) : writeRecord(value, place);
  place.ancestors.pop();
  return text;
}

function writeTyped(type: string, value: string): string {
  return `{"${TYPE}":"${type}","${VALUE}":${JSON.stringify(value)}}`;
}

function writeArray(value: readonly unknown[], place: Place): string {
  const parts: string[] = [];
  for (let index = 0; index < value.length; index += 1) {
    place.keys.push(index);
    if (!Object.hasOwn(value, index)) refuse(place, 'a hole in an array', 'fill it with null');
    parts.push(write(value[index], place));
    place.keys.pop();
  }
  // Elements alone are JSON: what else hangs on an array (the `groups` of a match) would get lost.
  if (Object.getPrototypeOf(value) !== Array.prototype || Object.keys(value).length !== value.length) {
    refuse(place, 'an array with properties or a class of its own', 'pass a plain array, such as Array.from(value)');
  }
  return `[${parts.join(',')}]`;
}

function writeRecord(value: object, place: Place): string {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null && !(PLAIN_DATA in value)) {
    refuse(
      place,
      describeInstance(value),
      'it would arrive without its class; pass its plain data, such as { ...value }',
    );
  }
  if (Object.getOwnPropertySymbols(value).length > 0) {
    refuse(place, 'an object with a symbol as key', 'JSON has text keys only; rename the key');
  }
  const keys = Object.keys(value);
  if (isTyped(value, keys) && !undecoded.has(value)) {
    refuse(
      place,
      `an object with exactly the keys ${TYPE} and ${VALUE}`,
      'Celery would decode it as another type; add or rename a key',
    );
  }
  const parts: string[] = [];
  for (const key of keys) {
    place.keys.push(key);
    parts.push(`${JSON.stringify(key)}:${write((value as Record<string, unknown>)[key], place)}`);
    place.keys.pop();
  }
  return `{${parts.join(',')}}`;
}

function describeInstance(value: object): string {
  const { constructor } = value as { constructor?: unknown };
  const named = typeof constructor === 'function' && constructor !== Object && constructor.name !== '';
  return named ? `an instance of ${constructor.name}` : 'an object with a prototype of its own';
}

const ALLOWED = 'null, booleans, finite numbers, text, arrays, plain objects, Date and Uint8Array are allowed';

function refuse(place: Place, given: string, advice: string): never {
  const path = pathOf(place);
  throw new NotSerializable(path, `${path} is ${given}; ${ALLOWED}. Here: ${advice}.`);
}

function pathOf(place: Place): string {
  return place.keys.reduce<string>((path, key) => {
    if (typeof key === 'number') return `${path}[${key}]`;
    return /^[A-Za-z_$][\w$]*$/.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`;
  }, place.root);
}

// ---------------------------------------------------------------- decoding

/** Reads JSON text as kombu writes it. Throws SyntaxError. */
export function decodeJson(text: string): unknown {
  if (isDeeperThan(text, MAX_DECODED_DEPTH)) {
    throw new SyntaxError(`JSON nests deeper than ${MAX_DECODED_DEPTH} levels of arrays and objects`);
  }
  const value = parse(text);
  return text.includes(TYPE) ? decodeTyped(value) : value;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (!(text.includes('NaN') || text.includes('Infinity'))) throw error;
    try {
      return parseWithNonFinite(text);
    } catch {
      // The positions in the first error are those of the text that came.
      throw error;
    }
  }
}

/** Replaces typed values inside a freshly parsed value. */
function decodeTyped(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const container = value as Record<string, unknown>;
  const keys = Object.keys(container);
  if (isTyped(container, keys)) {
    const decoded = decodeTypedValue(container[TYPE], container[VALUE]);
    if (decoded !== undefined) return decoded;
    undecoded.add(container);
  }
  // Assignment is safe for `__proto__` here: JSON.parse made it an own property, which hides the accessor.
  for (const key of keys) container[key] = decodeTyped(container[key]);
  return container;
}

function isTyped(value: object, keys: readonly string[]): boolean {
  return keys.length === 2 && Object.hasOwn(value, TYPE) && Object.hasOwn(value, VALUE);
}

function decodeTypedValue(type: unknown, value: unknown): unknown {
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
