/**
 * JSON as kombu writes and reads it (kombu/utils/json.py). Strict on the way out: what is written reads
 * back equal, or nothing is written; `undefined` alone goes the way of JSON.stringify. Liberal on the way in, and
 * bounded: the text comes from strangers.
 */
import { isDate, isUint8Array } from 'node:util/types';
import { NotSerializable } from '../base/errors.ts';
import { formatIsoTime } from '../base/iso-time.ts';
import { hintFor } from './json-hints.ts';
import { findExcess, parseWithNonFinite } from './json-scan.ts';
import { decodeTyped, isKept, keepTyped, TYPE, VALUE } from './json-typed.ts';
import { MAX_INTEGER_DIGITS, MAX_JSON_DEPTH } from '../base/limits.ts';
import { cut } from '../base/quote.ts';

/** On the prototype of objects whose fields are plain data, whatever methods they have. */
export const PLAIN_DATA: unique symbol = Symbol.for('celeriac.plain-data') as never;

// A message body and a result document put one container around what encodeJson took.
const MAX_DECODED_DEPTH = MAX_JSON_DEPTH + 1;

// ---------------------------------------------------------------- encoding

interface WriteState {
  readonly root: string;
  readonly asPython: boolean;
  readonly keys: (string | number)[];
  readonly ancestors: object[];
}

export interface EncodeOptions {
  /**
   * Write what came from Python and goes on to it: NaN and the infinities bare, integers of any size. Default false: a
   * caller's mistake is told.
   */
  readonly asPython?: boolean;
}

/**
 * JSON text of `value`, kombu's typed values included. What is undefined is left out of objects, and null elsewhere, as
 * JSON.stringify has it: a task that has done its work does not fail over an absent field.
 *
 * @throws NotSerializable naming the path, which starts with `root`.
 */
export function encodeJson(value: unknown, root: string = 'value', { asPython = false }: EncodeOptions = {}): string {
  return write(value, { root, asPython, keys: [], ancestors: [] });
}

function write(value: unknown, state: WriteState): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'number':
      if (!Number.isFinite(value) && !state.asPython)
        refuse(state, String(value), 'JSON has no such number; pass null or text');
      // JSON.stringify(-0) is "0".
      return Object.is(value, -0) ? '-0' : String(value);
    case 'object':
      return value === null ? 'null' : writeObject(value, state);
    case 'undefined':
      return 'null';
    case 'bigint':
      if (state.asPython) return String(value);
      return refuse(state, 'a BigInt', 'pass a number, or text such as String(value)');
    case 'function':
      return refuse(state, 'a function', 'code cannot be sent; pass data, or the name of a task');
    case 'symbol':
    default:
      return refuse(state, 'a symbol', 'pass its text');
  }
}

function writeObject(value: object, state: WriteState): string {
  if (state.ancestors.includes(value)) {
    refuse(state, 'a container that holds itself', 'pass data without cycles, such as ids instead of back references');
  }
  if (state.ancestors.length >= MAX_JSON_DEPTH) {
    refuse(
      state,
      `level ${MAX_JSON_DEPTH + 1} of arrays and objects`,
      `${MAX_JSON_DEPTH} levels are allowed; pass flatter data`,
    );
  }
  if (isDate(value)) return writeTyped('datetime', formatIsoTime(value.getTime(), pathOf(state)));
  if (isUint8Array(value)) {
    return writeTyped('base64', Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64'));
  }
  state.ancestors.push(value);
  const text = Array.isArray(value) ? writeArray(value, state) : writeRecord(value, state);
  state.ancestors.pop();
  return text;
}

function writeTyped(type: string, value: string): string {
  return `{"${TYPE}":"${type}","${VALUE}":${JSON.stringify(value)}}`;
}

function writeArray(value: readonly unknown[], state: WriteState): string {
  const parts: string[] = [];
  for (let index = 0; index < value.length; index += 1) {
    state.keys.push(index);
    parts.push(write(value[index], state));
    state.keys.pop();
  }
  // Names come after indexes. Elements alone are JSON: what else hangs on an array (the `groups` of a match) would get lost.
  if (Object.getPrototypeOf(value) !== Array.prototype || !/^(?:\d+)?$/.test(Object.keys(value).at(-1) ?? '')) {
    refuse(state, 'an array with properties or a class of its own', 'pass a plain array, such as Array.from(value)');
  }
  return `[${parts.join(',')}]`;
}

function writeRecord(value: object, state: WriteState): string {
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null && !(PLAIN_DATA in value)) {
    refuse(state, describeInstance(value), `it would arrive without its class; ${hintFor(value)}`);
  }
  if (Object.getOwnPropertySymbols(value).length > 0) {
    refuse(state, 'an object with a symbol as key', 'JSON has text keys only; rename the key');
  }
  const parts: string[] = [];
  for (const key of Object.keys(value)) {
    const inner = (value as Readonly<Record<string, unknown>>)[key];
    if (inner === undefined) continue;
    state.keys.push(key);
    parts.push(`${JSON.stringify(key)}:${write(inner, state)}`);
    state.keys.pop();
  }
  // Counted as written: what is undefined beside them does not tell them from a typed value.
  if (parts.length === 2 && hasBoth(value) && !isKept(value)) {
    refuse(
      state,
      `an object with exactly the keys ${TYPE} and ${VALUE}`,
      'Celery would decode it as another type; add or rename a key',
    );
  }
  return `{${parts.join(',')}}`;
}

function hasBoth(value: object): boolean {
  return [TYPE, VALUE].every(
    (key) => Object.hasOwn(value, key) && (value as Readonly<Record<string, unknown>>)[key] !== undefined,
  );
}

function describeInstance(value: object): string {
  const { constructor } = value as { constructor?: unknown };
  const named = typeof constructor === 'function' && constructor !== Object && constructor.name !== '';
  return named ? `an instance of ${constructor.name}` : 'an object with a prototype of its own';
}

const ALLOWED = 'null, booleans, finite numbers, text, arrays, plain objects, Date and Uint8Array are allowed';

function refuse(state: WriteState, given: string, advice: string): never {
  const path = pathOf(state);
  throw new NotSerializable(path, `${path} is ${given}; ${ALLOWED}. Here: ${advice}.`);
}

const LONGEST_PATH_CHARACTERS = 512;

function pathOf(state: WriteState): string {
  const path = state.keys.reduce<string>((before, key) => {
    if (typeof key === 'number') return `${before}[${key}]`;
    return /^[A-Za-z_$][\w$]*$/.test(key) ? `${before}.${cut(key)}` : `${before}[${JSON.stringify(cut(key))}]`;
  }, state.root);
  return cut(path, LONGEST_PATH_CHARACTERS);
}

// ---------------------------------------------------------------- decoding

export interface DecodeOptions {
  /** The most values (arrays, objects and what they hold) that are made of the text. Default: any number. */
  readonly values?: number;
}

/** Reads JSON text as kombu writes it. Throws SyntaxError. */
export function decodeJson(text: string, options: DecodeOptions = {}): unknown {
  const value = checkedParse(text, options);
  return text.includes(TYPE) ? decodeTyped(value) : value;
}

/**
 * The same with typed values left as they are, and long integers whole, to be sent on: what JavaScript has no type
 * for would arrive in Python as text, or as another number. `decodeTyped` makes values of them. Throws SyntaxError.
 */
export function decodeJsonKeepingTypes(text: string, options: DecodeOptions = {}): unknown {
  // Depth is checked in any case; text with a long number is parsed once more.
  const parsed = checkedParse(text, options);
  const value = LONG_INTEGER.test(text) ? keepingIntegers(text, parsed) : parsed;
  return text.includes(TYPE) ? keepTyped(value) : value;
}

const LONG_INTEGER = /\d{16}/;

/** Integers that a number cannot hold become BigInts. */
function keepingIntegers(text: string, parsed: unknown): unknown {
  let longest = 0;
  const revive = (_key: string, value: unknown, context?: { readonly source?: string }): unknown => {
    const source = context?.source;
    // What is written the same again has lost nothing.
    if (typeof value !== 'number' || source === undefined || String(value) === source) return value;
    if (source.length < 16 || /[.eE]/.test(source)) return value;
    longest = Math.max(longest, source.length);
    // Twice the digits take four times as long.
    return source.length > MAX_INTEGER_DIGITS ? value : BigInt(source);
  };
  let whole: unknown;
  try {
    whole = JSON.parse(text, revive);
  } catch {
    // NaN stands beside it, which that parser does not read.
    whole = parsed;
  }
  if (longest > MAX_INTEGER_DIGITS)
    throw new SyntaxError(`JSON has an integer of ${longest} characters; ${MAX_INTEGER_DIGITS} are allowed`);
  return whole;
}

function checkedParse(text: string, { values = Infinity }: DecodeOptions): unknown {
  const excess = findExcess(text, { depth: MAX_DECODED_DEPTH, values });
  if (excess === 'depth')
    throw new SyntaxError(`JSON nests deeper than ${MAX_DECODED_DEPTH} levels of arrays and objects`);
  if (excess === 'values') throw new SyntaxError(`JSON holds more than ${values} values`);
  return parse(text);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    // The positions in the first error are those of the text that came.
    if (!(text.includes('NaN') || text.includes('Infinity'))) throw faultOf(error, text);
    try {
      return parseWithNonFinite(text);
    } catch {
      throw faultOf(error, text);
    }
  }
}

/** Where the text breaks, without what stands there: JSON.parse quotes it. */
function faultOf(error: unknown, text: string): SyntaxError {
  const [, position] = (error instanceof Error && /at position (\d+)/.exec(error.message)) || [];
  const where = position === undefined ? '' : `, which break at ${position}`;
  return new SyntaxError(`${text.length} characters${where}`);
}
