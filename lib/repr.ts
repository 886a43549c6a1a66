/** Python's repr of arguments, as Celery puts it into `argsrepr` (celery/utils/saferepr.py): bounded in length and work. */
import { MAX_REPR_CHARACTERS } from './limits.ts';

const MAX_DEPTH = 3;

/** `(2, 3)`, `(1,)`, `()`. */
export function argsRepr(args: readonly unknown[]): string {
  const writer = new Writer();
  writer.sequence(args, '(', args.length === 1 ? ',)' : ')', 0);
  return writer.text();
}

/** `{'y': 2}`. */
export function kwargsRepr(kwargs: Readonly<Record<string, unknown>>): string {
  const writer = new Writer();
  writer.value(kwargs, 0);
  return writer.text();
}

export function pythonRepr(value: unknown): string {
  const writer = new Writer();
  writer.value(value, 0);
  return writer.text();
}

class Writer {
  #text = '';
  #full = false;

  text(): string {
    return this.#text;
  }

  value(value: unknown, depth: number): void {
    if (this.#full) return;
    if (value === null || value === undefined) this.#add('None');
    else if (typeof value === 'boolean') this.#add(value ? 'True' : 'False');
    else if (typeof value === 'number' || typeof value === 'bigint') this.#add(numberRepr(value));
    else if (typeof value === 'string') this.#add(stringRepr(value.slice(0, MAX_REPR_CHARACTERS + 1)));
    else if (value instanceof Date) this.#add(dateRepr(value));
    else if (value instanceof Uint8Array) this.#add(`<${value.byteLength} bytes>`);
    else if (Array.isArray(value)) this.sequence(value, '[', ']', depth);
    else if (typeof value === 'object') this.#record(value as Record<string, unknown>, depth);
    else this.#add(`<${typeof value}>`);
  }

  sequence(items: readonly unknown[], open: string, close: string, depth: number): void {
    if (depth >= MAX_DEPTH) return this.#add(`${open}...${close}`);
    this.#add(open);
    for (const [index, item] of items.entries()) {
      if (this.#cut(index)) break;
      this.value(item, depth + 1);
    }
    this.#close(close);
  }

  #record(record: Record<string, unknown>, depth: number): void {
    if (depth >= MAX_DEPTH) return this.#add('{...}');
    this.#add('{');
    for (const [index, key] of Object.keys(record).entries()) {
      if (this.#cut(index)) break;
      this.#add(`${stringRepr(key.slice(0, MAX_REPR_CHARACTERS + 1))}: `);
      this.value(record[key], depth + 1);
    }
    this.#close('}');
  }

  /** Writes the separator; true when the rest is left out. */
  #cut(index: number): boolean {
    if (index === 0) return false;
    if (this.#full || this.#text.length >= MAX_REPR_CHARACTERS) {
      if (!this.#text.endsWith('...')) this.#text += ', ...';
      this.#full = true;
      return true;
    }
    this.#add(', ');
    return false;
  }

  // Closing brackets are written even when nothing else fits, as Celery does.
  #close(bracket: string): void {
    this.#text += bracket;
  }

  #add(piece: string): void {
    if (this.#full) return;
    const room = MAX_REPR_CHARACTERS - this.#text.length;
    if (piece.length <= room) {
      this.#text += piece;
      return;
    }
    const quote = piece.startsWith("'") || piece.startsWith('"') ? piece.charAt(0) : '';
    this.#text += `${piece.slice(0, Math.max(0, room - 4))}...${quote}`;
    this.#full = true;
  }
}

function numberRepr(value: number | bigint): string {
  if (typeof value === 'bigint') return value.toString();
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  if (Object.is(value, -0)) return '-0.0';
  return String(value);
}

/** Single quotes, unless the text has some and no double ones. */
function stringRepr(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  let result = '';
  for (const character of text) result += escaped(character, quote);
  return quote + result + quote;
}

const SHORT: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function escaped(character: string, quote: string): string {
  const short = SHORT[character];
  if (short !== undefined) return short;
  if (character === quote) return `\\${quote}`;
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x20 || (code >= 0x7f && code < 0xa1) || code === 0xad) return `\\x${code.toString(16).padStart(2, '0')}`;
  if (code >= 0xd800 && code <= 0xdfff) return `\\u${code.toString(16)}`;
  return character;
}

function dateRepr(date: Date): string {
  return Number.isNaN(date.getTime()) ? '<invalid Date>' : `datetime.datetime(${date.toISOString()})`;
}
