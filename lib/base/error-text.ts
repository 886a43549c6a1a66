/**
 * Whatever was thrown, as text of a bounded size. Tasks throw anything: undefined, symbols, proxies, errors of 450 KB,
 * errors whose getters throw. Nothing here throws, and nobody else reads `name`, `message` or `stack` of a stranger.
 */
import { isNativeError } from 'node:util/types';

import { CeleriacError } from './celeriac-error.ts';
import {
  MAX_ERROR_LINE_CHARACTERS,
  MAX_ERROR_MESSAGE_CHARACTERS,
  MAX_ERROR_NAME_CHARACTERS,
  MAX_TRACEBACK_CHARACTERS,
} from './limits.ts';

export interface ErrorText {
  /** `Error` where it has none that is text. At most `MAX_ERROR_NAME_CHARACTERS`. */
  readonly name: string;
  /** At most `MAX_ERROR_MESSAGE_CHARACTERS`. */
  readonly message: string;
  /** At most `MAX_TRACEBACK_CHARACTERS`; null for what is no error. */
  readonly stack: string | null;
}

export function errorText(thrown: unknown): ErrorText {
  if (!isError(thrown))
    return { name: 'Error', message: cut(describe(thrown), MAX_ERROR_MESSAGE_CHARACTERS), stack: null };
  const name = read(thrown, 'name');
  const shownName = name === undefined || name === '' ? 'Error' : cut(name, MAX_ERROR_NAME_CHARACTERS);
  const message = cut(read(thrown, 'message') ?? '', MAX_ERROR_MESSAGE_CHARACTERS);
  const stack = read(thrown, 'stack') ?? `${shownName}: ${message}`;
  return {
    name: shownName,
    message,
    stack: stack.length > MAX_TRACEBACK_CHARACTERS ? `${stack.slice(0, MAX_TRACEBACK_CHARACTERS)}\n...` : stack,
  };
}

/** `name: message` for a log line or an attribute of a dead letter. At most `MAX_ERROR_LINE_CHARACTERS`. */
export function errorLine(thrown: unknown): string {
  return cut(`${errorText(thrown).name}: ${errorMessage(thrown)}`, MAX_ERROR_LINE_CHARACTERS);
}

/** The message alone, as long as a log line may be. */
export function errorMessage(thrown: unknown): string {
  return quotes(thrown) ? quoted() : cut(errorText(thrown).message, MAX_ERROR_LINE_CHARACTERS);
}

/** The stack for a log line: it begins with the message. undefined for what is no error. */
export function errorStack(thrown: unknown): string | undefined {
  const { name, message, stack } = errorText(thrown);
  if (stack === null || !quotes(thrown)) return stack ?? undefined;
  const head = `${name}: ${message}`;
  // A text may look like frames: what follows it is found by its length, or not at all.
  return `${name}: ${quoted()}${stack.startsWith(head) ? stack.slice(head.length) : ''}`;
}

// Texts of these quote what was given, so that its sender sees the mistake. In a worker that is a message's data, and
// more people read logs and dead letters than results, where the whole text is.
export const QUOTING: ReadonlySet<unknown> = new Set([
  'INVALID_ARGUMENTS',
  'INVALID_OPTION',
  'INVALID_SIGNATURE',
  'NOT_SERIALIZABLE',
]);
const quoted = (): string => (conceals ? ENCRYPTED : 'the result has its text, which may quote arguments');

/** What stands for secret data wherever people look. */
export const ENCRYPTED = '<encrypted>';

let conceals: ((thrown: unknown) => boolean) | undefined;

/**
 * From now on what tasks throw is told by its class and frames alone: in logs, dead letters, traces, the history and mails of
 * this process, one of whose apps encrypts. Of the process: an error does not say which app's data its text quotes.
 *
 * @param mayQuote whether the text of an error may quote data of tasks
 */
export function concealErrors(mayQuote: (thrown: unknown) => boolean): void {
  conceals = mayQuote;
}

/** A text that a task has chosen, as people may see it. */
export function shownText(text: string): string {
  return conceals ? ENCRYPTED : text;
}

function quotes(thrown: unknown): boolean {
  return conceals ? conceals(thrown) : isError(thrown) && CeleriacError.is(thrown) && QUOTING.has(thrown.code);
}

/** A value as text. Never throws; not bounded. */
export function describe(value: unknown): string {
  try {
    return typeof value === 'string' ? value : (JSON.stringify(value) ?? String(value));
  } catch {
    return tag(value);
  }
}

export function cut(text: string, longest: number): string {
  // Not through the middle of a character.
  return text.length > longest ? `${text.slice(0, longest - 3).replace(/[\u{D800}-\u{DBFF}]$/u, '')}...` : text;
}

/** Also errors of another realm. A proxy may refuse to be asked. */
export function isError(value: unknown): value is Error {
  try {
    return isNativeError(value) || value instanceof Error;
  } catch {
    return false;
  }
}

/** A proxy may refuse to be asked: then it is none of ours. */
export function isOf(thrown: unknown, errorClass: abstract new (...args: never[]) => unknown): boolean {
  try {
    return thrown instanceof errorClass;
  } catch {
    return false;
  }
}

/** A property where it is text or a number, and reading it does not throw. */
export function read(from: object, property: string): string | undefined {
  try {
    const value: unknown = Reflect.get(from, property);
    return typeof value === 'string' ? value : typeof value === 'number' ? String(value) : undefined;
  } catch {
    return undefined;
  }
}

function tag(value: unknown): string {
  try {
    return typeof value === 'bigint' ? `${value}n` : Object.prototype.toString.call(value);
  } catch {
    // A revoked proxy does not even say what it is.
    return '[object Object]';
  }
}
