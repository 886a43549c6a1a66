/** JSON as kombu writes and reads it (kombu/utils/json.py), strict on the way out: a value round-trips or is refused. */
import { NotSerializable } from './errors.ts';
import { MAX_JSON_DEPTH } from './limits.ts';

/** JSON text of `value`, kombu's typed values included. Throws NotSerializable naming the path, which starts with `root`. */
export function encodeJson(value: unknown, root: string = 'value'): string {
  return write(value, root, 0, new Set());
}

function write(value: unknown, path: string, depth: number, above: Set<object>): string {
  switch (typeof value) {
    case 'string':
      return JSON.stringify(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'number':
      if (Number.isFinite(value)) return Object.is(value, -0) ? '-0' : String(value);
      throw refuse(path, `${value}`, 'JSON has no such number; use null or text');
    case 'object':
      return value === null ? 'null' : writeObject(value, path, depth, above);
    case 'undefined':
      throw refuse(path, 'undefined', 'leave it out, or use null');
    case 'bigint':
      throw refuse(path, `the BigInt ${value}n`, 'pass it as text');
    case 'function':
      throw refuse(path, 'a function', 'pass data; functions stay where they are');
    case 'symbol':
      throw refuse(path, 'a symbol', 'pass it as text');
    default:
      throw refuse(path, 'something unknown', 'pass plain data');
  }
}

function writeObject(value: object, path: string, depth: number, above: Set<object>): string {
  if (value instanceof Date) return writeDate(value, path);
  if (value instanceof Uint8Array)
    return typed('base64', Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64'));
  if (above.has(value)) throw refuse(path, 'a cycle', 'an object cannot contain itself');
  if (depth >= MAX_JSON_DEPTH)
    throw refuse(path, `something ${depth + 1} levels deep`, `${MAX_JSON_DEPTH} levels are allowed`);
  above.add(value);
  const text = Array.isArray(value) ? writeArray(value, path, depth, above) : writeRecord(value, path, depth, above);
  above.delete(value);
  return text;
}

function writeArray(value: readonly unknown[], path: string, depth: number, above: Set<object>): string {
  const parts: string[] = [];
  // By index: holes read as undefined and are refused like it.
  for (let index = 0; index < value.length; index += 1)
    parts.push(write(value[index], `${path}[${index}]`, depth + 1, above));
  return `[${parts.join(',')}]`;
}

function writeRecord(value: object, path: string, depth: number, above: Set<object>): string {
  const prototype: unknown = Object.getPrototypeOf(value);
  // Compared by its own prototype, so that plain objects of other realms pass.
  if (prototype !== null && Object.getPrototypeOf(prototype) !== null) {
    const name = (prototype as { constructor?: { name?: string } }).constructor?.name ?? 'a class';
    throw refuse(
      path,
      `an instance of ${name}`,
      'pass plain objects, arrays, text, numbers, booleans, null, Date or Uint8Array',
    );
  }
  const keys = Object.keys(value);
  if (Object.getOwnPropertySymbols(value).length > 0)
    throw refuse(path, 'an object with symbol keys', 'JSON keys are text');
  if (keys.length === 2 && Object.hasOwn(value, '__type__') && Object.hasOwn(value, '__value__')) {
    throw refuse(
      path,
      'an object of exactly the keys __type__ and __value__',
      'readers take it for a typed value; rename a key',
    );
  }
  const parts = keys.map(
    (key) =>
      `${JSON.stringify(key)}:${write((value as Record<string, unknown>)[key], memberPath(path, key), depth + 1, above)}`,
  );
  return `{${parts.join(',')}}`;
}

function writeDate(value: Date, path: string): string {
  if (Number.isNaN(value.getTime())) throw refuse(path, 'an invalid Date', 'pass a valid one');
  return typed('datetime', value.toISOString().replace('Z', '+00:00'));
}

function typed(type: string, text: string): string {
  return `{"__type__":"${type}","__value__":${JSON.stringify(text)}}`;
}

function memberPath(path: string, key: string): string {
  return /^[A-Za-z_$][\w$]*$/.test(key) ? `${path}.${key}` : `${path}[${JSON.stringify(key)}]`;
}

function refuse(path: string, given: string, advice: string): NotSerializable {
  return new NotSerializable(path, `${path} is ${given}, which is not JSON: ${advice}.`);
}

// ---------------------------------------------------------------- reading

/** Reads JSON text as kombu writes it. Throws SyntaxError. */
export function decodeJson(text: string): unknown {
  checkDepth(text);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (!/NaN|Infinity/.test(text)) throw error;
    return revive(parseWithConstants(text), true);
  }
  return text.includes('__type__') ? revive(value, false) : value;
}

/** Before parsing: a parser's stack is no limit to find by crashing. */
function checkDepth(text: string): void {
  let depth = 0;
  let inString = false;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if (inString) {
      if (code === 0x5c) index += 1;
      else if (code === 0x22) inString = false;
    } else if (code === 0x22) inString = true;
    else if (code === 0x5b || code === 0x7b) {
      depth += 1;
      if (depth > MAX_JSON_DEPTH) throw new SyntaxError(`JSON is nested deeper than ${MAX_JSON_DEPTH} levels`);
    } else if (code === 0x5d || code === 0x7d) depth -= 1;
  }
}

const CONSTANTS: Readonly<Record<string, number>> = { NaN: Number.NaN, Infinity: Infinity, '-Infinity': -Infinity };
// Strings first, so that the words inside of them stay words.
const TOKEN = /"(?:[^"\\]|\\.)*"|-?Infinity|NaN/g;
const MARK = '\u0000celeriac-constant:';

/** Python writes bare NaN and Infinity, which JSON.parse refuses. */
function parseWithConstants(text: string): unknown {
  return JSON.parse(text.replace(TOKEN, (token) => (token.startsWith('"') ? token : JSON.stringify(MARK + token))));
}

function revive(value: unknown, constants: boolean): unknown {
  if (typeof value === 'string')
    return constants && value.startsWith(MARK) ? (CONSTANTS[value.slice(MARK.length)] ?? value) : value;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => revive(item, constants));
  const record = value as Record<string, unknown>;
  const keys = Object.keys(record);
  if (keys.length === 2 && typeof record['__type__'] === 'string' && Object.hasOwn(record, '__value__')) {
    const revived = reviveTyped(record['__type__'], record['__value__']);
    if (revived !== undefined) return revived;
  }
  const result: Record<string, unknown> = {};
  // defineProperty: assigning to '__proto__' would set a prototype instead of a key.
  for (const key of keys) {
    Object.defineProperty(result, key, {
      value: revive(record[key], constants),
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
  return result;
}

/** undefined: not a typed value of kombu's; it stays data. */
function reviveTyped(type: string, value: unknown): unknown {
  if (type === 'uuid') {
    const hex = (value as { hex?: unknown } | null)?.hex;
    return typeof hex === 'string' && /^[0-9a-f]{32}$/i.test(hex)
      ? hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-')
      : undefined;
  }
  if (typeof value !== 'string') return undefined;
  switch (type) {
    case 'datetime': {
      const date = new Date(/(Z|[+-]\d{2}:?\d{2})$/.test(value) ? value : `${value}Z`);
      return Number.isNaN(date.getTime()) ? undefined : date;
    }
    case 'date':
    case 'time':
    case 'decimal':
      // No JavaScript type holds them without loss.
      return value;
    case 'bytes':
      return new Uint8Array(Buffer.from(value, 'utf8'));
    case 'base64':
      return new Uint8Array(Buffer.from(value, 'base64'));
    default:
      return undefined;
  }
}
