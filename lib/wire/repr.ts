/**
 * Arguments as Celery shows them in logs and events: a port of `saferepr` (celery/utils/saferepr.py),
 * with its quirks (text is quoted, not escaped), because tools compare and parse what they see there.
 */
import { isDate, isUint8Array } from 'node:util/types';
import { MAX_REPR_CHARACTERS } from '../base/limits.ts';

const MAX_LEVELS = 3;
const UNREPRESENTABLE = '<unrepresentable>';

/** What Python would show for `value`. Never throws. */
export function pythonRepr(value: unknown): string {
  return show(value, false);
}

/** `(1,)`, `(2, 3)`: arguments are a tuple in Python. */
export function argsRepr(args: readonly unknown[]): string {
  return show(args, true);
}

/** `{'y': 2}` */
export function kwargsRepr(kwargs: Readonly<Record<string, unknown>>): string {
  return show(kwargs, false);
}

/** The room is used up: what is open gets closed, and nothing else is looked at. */
class Full extends Error {}

interface Writer {
  text: string;
  /** Characters left; the piece that crosses zero is still shown. */
  left: number;
  /** What closes the open containers, outermost first. */
  readonly closers: string[];
  readonly ancestors: object[];
}

function show(value: unknown, asTuple: boolean): string {
  const writer: Writer = { text: '', left: MAX_REPR_CHARACTERS, closers: [], ancestors: [] };
  try {
    showValue(value, asTuple, writer);
    return writer.text;
  } catch (error) {
    // Proxies and getters run foreign code.
    if (!(error instanceof Full)) return UNREPRESENTABLE;
    return `${writer.text}, ...${writer.closers.toReversed().join('')}`;
  }
}

/** Asked before a text is prepared, too: a long one is work. */
function requireRoom(writer: Writer): void {
  if (writer.left <= 0) throw new Full();
}

function put(text: string, writer: Writer): void {
  requireRoom(writer);
  writer.text += text;
  writer.left -= codePoints(text);
}

function showValue(value: unknown, asTuple: boolean, writer: Writer): void {
  if (Array.isArray(value)) {
    showArray(value, asTuple, writer);
  } else if (isRecord(value)) {
    showRecord(value, writer);
  } else {
    requireRoom(writer);
    if (typeof value === 'string') put(quote(value, writer.left), writer);
    else if (isUint8Array(value)) put(showBytes(value, writer.left), writer);
    else put(truncate(showAtom(value), writer.left), writer);
  }
}

function showArray(value: readonly unknown[], asTuple: boolean, writer: Writer): void {
  const single = value.length === 1 ? ',)' : ')';
  enter(value, asTuple ? '(' : '[', asTuple ? single : ']', writer, () => {
    for (let index = 0; index < value.length; index += 1) {
      if (index > 0) put(', ', writer);
      showValue(value[index], false, writer);
    }
  });
}

function showRecord(value: Readonly<Record<string, unknown>>, writer: Writer): void {
  enter(value, '{', '}', writer, () => {
    for (const [index, key] of Object.keys(value).entries()) {
      if (index > 0) put(', ', writer);
      requireRoom(writer);
      put(quote(key, writer.left), writer);
      put(': ', writer);
      showValue(value[key], false, writer);
    }
  });
}

function enter(value: object, open: string, close: string, writer: Writer, body: () => void): void {
  if (writer.closers.length >= MAX_LEVELS) {
    requireRoom(writer);
    return put(truncate(`${open}...${close}`, writer.left), writer);
  }
  if (writer.ancestors.includes(value)) return put('<Recursion>', writer);
  // Celery drops the bracket that finds no room but keeps its partner.
  writer.closers.push(close);
  put(open, writer);
  writer.ancestors.push(value);
  body();
  writer.ancestors.pop();
  writer.closers.pop();
  put(close, writer);
}

/** Only plain data is looked into; an instance may be anything. */
function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function showAtom(value: unknown): string {
  if (value === null || value === undefined) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'number') return showNumber(value);
  if (typeof value === 'bigint') return String(value);
  if (isDate(value)) return showDate(value);
  if (typeof value !== 'object') return `<${typeof value}>`;
  const { constructor } = value;
  return `<${typeof constructor === 'function' && constructor.name !== '' ? constructor.name : 'object'} object>`;
}

function showNumber(value: number): string {
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  // Whole numbers travel as integers; from 1e21 on JavaScript and Python both write an exponent.
  if (Number.isInteger(value)) return String(value);
  // Python turns to exponents below 1e-4 and pads them to two digits, JavaScript below 1e-6.
  const text = Math.abs(value) < 1e-4 ? value.toExponential() : String(value);
  return text.replace(/e-(\d)$/, 'e-0$1');
}

function showDate(value: Date): string {
  if (Number.isNaN(value.getTime())) return '<invalid date>';
  const parts = [
    value.getUTCFullYear(),
    value.getUTCMonth() + 1,
    value.getUTCDate(),
    value.getUTCHours(),
    value.getUTCMinutes(),
  ];
  const seconds = value.getUTCSeconds();
  const milliseconds = value.getUTCMilliseconds();
  if (milliseconds > 0) parts.push(seconds, milliseconds * 1000);
  else if (seconds > 0) parts.push(seconds);
  return `datetime.datetime(${parts.join(', ')}, tzinfo=datetime.timezone.utc)`;
}

function quote(text: string, room: number): string {
  return `'${truncate(text, room).replaceAll("'", String.raw`\'`)}'`;
}

function showBytes(bytes: Uint8Array, room: number): string {
  const shown = bytes.subarray(0, room);
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(shown);
  } catch {
    text = Buffer.from(shown.buffer, shown.byteOffset, shown.byteLength).toString('hex');
  }
  return `b'${text}${bytes.length > room ? '...' : ''}'`;
}

/** Celery's `truncate`: cut at the last space, if there is one. Python counts code points. */
function truncate(text: string, room: number): string {
  if (text.length < room) return text;
  // A code point is two code units at most: this much holds `room` of them, however long the text is.
  const points = Array.from(text.slice(0, room * 2));
  if (points.length < room) return text;
  const head = points.slice(0, room).join('');
  const space = head.lastIndexOf(' ');
  return `${space < 0 ? head : head.slice(0, space)}...`;
}

function codePoints(text: string): number {
  let count = 0;
  for (const _point of text) count += 1;
  return count;
}
