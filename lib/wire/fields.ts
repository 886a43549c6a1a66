/** Readers of the fields of a message. All of it comes from outside: it is as expected, or InvalidMessage says what is not. */
import { InvalidMessage } from '../base/errors.ts';
import { shapeOf } from '../base/shape.ts';
import { isName, wrongInSignature } from './message-bounds.ts';
import { LATEST_DUE_MS, MAX_SHOWN_CHARACTERS } from '../base/limits.ts';
import { cut } from '../base/quote.ts';
import { parseIsoTime } from '../base/iso-time.ts';
import { readSignature, type Signature } from './signature.ts';

export type JsonObject = Readonly<Record<string, unknown>>;

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
