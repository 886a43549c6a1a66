/** Log lines: one JSON object a line where programs read them, one readable line in a terminal. */
import type { Logger, LogLevel } from '../ports/log.ts';
import { lambdaLogLevel } from './environment.ts';
import { systemClock } from '../base/time.ts';

const ORDER: Readonly<Record<LogLevel, number>> = { debug: 10, info: 20, warn: 30, error: 40 };

type Fields = Readonly<Record<string, unknown>>;

/**
 * Lines on standard output, and outside Lambda warnings and errors on standard error. Each has `timestamp`, `level` and
 * `message`, on Lambda `requestId`, and the fields beside them; a field of one of those names is found under `fields`.
 *
 * @param minimum Lines below it are dropped. Default: on Lambda the function's application log level, else 'info'.
 */
export function consoleLogger(minimum?: LogLevel): Logger {
  const onLambda = lambdaLogLevel();
  const lowest = ORDER[minimum ?? onLambda ?? 'info'];
  return {
    log(level, message, fields = {}) {
      if (ORDER[level] < lowest) return;
      const timestamp = new Date(systemClock.nowMs()).toISOString();
      if (onLambda !== undefined) {
        // Not by `console`, which Lambda's runtime patches: a line with text inside would have no fields. What comes by
        // standard output as one JSON object with a timestamp and a level is kept as it is.
        process.stdout.write(`${jsonLine({ timestamp, level, message, requestId: currentRequestId() }, fields)}\n`);
      } else if (process.stdout.isTTY) console[level](readableLine({ timestamp, level, message }, fields));
      else console[level](jsonLine({ timestamp, level, message }, fields));
    },
  };
}

/** A logger that writes nothing. */
export const silentLogger: Logger = { log: () => {} };

interface Head {
  /** ISO 8601. */
  readonly timestamp: string;
  readonly level: LogLevel;
  readonly message: string;
  readonly requestId?: string | undefined;
}

/** One JSON object on one line: JSON.stringify escapes line breaks and control characters. Never throws. */
export function jsonLine({ timestamp, level, message, requestId }: Head, fields: Fields): string {
  const head = {
    timestamp,
    level: level.toUpperCase(),
    ...(requestId === undefined ? {} : { requestId }),
    message: textOf(message),
  };
  try {
    const [free, taken] = split(fields, head);
    return JSON.stringify({ ...head, ...free, ...(taken === undefined ? {} : { fields: taken }) }, writable());
  } catch (error) {
    // A getter or `toJSON` of the caller's: its line is worth more than its field, and a log line never fails a task.
    return JSON.stringify({ ...head, fieldsError: textOf(error) });
  }
}

/** For people: time, level, message, and the fields as JSON. One line, whatever the message holds. */
export function readableLine({ timestamp, level, message }: Head, fields: Fields): string {
  const {
    timestamp: _time,
    level: _level,
    message: _message,
    ...rest
  } = JSON.parse(jsonLine({ timestamp, level, message }, fields)) as Record<string, unknown>;
  const entries = Object.entries(rest).map(([name, value]) => ` ${oneLine(name)}=${oneLine(JSON.stringify(value))}`);
  return `${timestamp} ${level.toUpperCase().padEnd(5)} ${oneLine(textOf(message))}${entries.join('')}`;
}

/** Fields beside the head, and those that would overwrite it. */
function split(fields: Fields, head: object): [Fields, Fields | undefined] {
  const reserved = (name: string): boolean => Object.hasOwn(head, name) || name === 'fields';
  const entries = Object.entries(fields);
  const taken = entries.filter(([name]) => reserved(name));
  if (taken.length === 0) return [fields, undefined];
  return [Object.fromEntries(entries.filter(([name]) => !reserved(name))), Object.fromEntries(taken)];
}

/** What JSON has no words for: integers of any size, errors, and containers that hold themselves. */
function writable(): (this: unknown, key: string, value: unknown) => unknown {
  const ancestors: unknown[] = [];
  return function (_key, value) {
    if (typeof value === 'bigint') return String(value);
    if (typeof value !== 'object' || value === null) return value;
    // `this` is the container: what was below it is done.
    while (ancestors.length > 0 && ancestors.at(-1) !== this) ancestors.pop();
    if (ancestors.includes(value)) return '[Circular]';
    const shown = value instanceof Error ? { name: value.name, message: value.message, stack: value.stack } : value;
    ancestors.push(shown);
    return shown;
  };
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  try {
    return String(value);
  } catch {
    return 'a value without text';
  }
}

// Line breaks would make two lines of one, and escape sequences would colour or clear the terminal.
const CONTROL = /[\p{Cc}\u2028\u2029]/gu;

function oneLine(text: string): string {
  return text.replace(CONTROL, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

interface LambdaGlobal {
  readonly awslambda?: { readonly InvokeStore?: { getRequestId?(): string | undefined } };
}

/** Of the current invocation, from where Lambda's runtime keeps it; its own lines have it too. */
function currentRequestId(): string | undefined {
  const id = (globalThis as LambdaGlobal).awslambda?.InvokeStore?.getRequestId?.();
  return id === '-' ? undefined : id;
}
