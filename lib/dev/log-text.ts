/** Log lines of workers as people read them while they work: one line a task, and stacks that point at the source. */
import type { LogEntry } from './messages.ts';

/** Looks, in words of `util.styleText`. */
export type Style = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'cyan';
export type Styled = (style: Style, text: string) => string;

/** Widths grow with what comes, so that columns stay below each other. */
export interface Columns {
  queue: number;
  task: number;
}

const FRAMES = 4;
const SHORT_ID = 4;
const NOT_THEIRS = /node:internal|[/\\]node_modules[/\\]/;

/** @param ownFolder of the library: its frames say nothing to others. @returns the lines, none for what goes without saying */
export function logText(entry: LogEntry, columns: Columns, style: Styled, folder: string, ownFolder: string): string[] {
  const { message, fields, level } = entry;
  if (level === 'debug' || isStart(entry)) return [];
  const time = style('dim', clockTime(entry.timeMs));
  const task = textOf(fields['task']);
  if (task === undefined) return [`  ${time}  ${colored(level, oneLine(message), style)}`, ...stackOf(entry)];
  const queue = textOf(fields['queue']) ?? '';
  columns.queue = Math.min(Math.max(columns.queue, queue.length), 20);
  columns.task = Math.min(Math.max(columns.task, task.length), 40);
  const id = (textOf(fields['taskId']) ?? '').slice(0, SHORT_ID);
  const args = textOf(fields['argsrepr']);
  const head = `  ${time}  ${queue.padEnd(columns.queue)}  ${style('bold', task.padEnd(columns.task))}  ${style('dim', id)}${args === undefined ? '' : `  ${oneLine(args)}`}`;
  return [`${head}  ${endOf(entry, style)}`, ...stackOf(entry)];

  function stackOf({ fields: { stack } }: LogEntry): string[] {
    const frames = framesOf(textOf(stack) ?? '', folder, ownFolder);
    return frames.map((frame) => `            ${style('dim', frame)}`);
  }
}

/** What became of it, out of the worker's line: fields say which, the text says how long and why. */
function endOf({ message, fields, level }: LogEntry, style: Styled): string {
  const text = oneLine(message.replace(/^Task [^[]*\[[^\]]*\]:? ?/, ''));
  switch (fields['state']) {
    case 'success':
      return `${style('green', '✓')} ${duration(/([\d.]+)s$/.exec(text)?.[1])}`;
    case 'retry':
      return style('yellow', `↻ ${text.replace(/^retry: Retry in (\d+)s: /, 'retry in $1 s  ')}`);
    case 'fail':
      return style('red', `✗ ${text.replace(/^raised (?:un)?expected: /, '')}`);
    case 'reject':
      return style('red', `✗ ${text.replace(/^reject requeue=False: /, 'rejected: ')}`);
    case 'revoke':
      return style('yellow', `⊘ ${text}`);
    default:
      return colored(level, text, style);
  }
}

function duration(seconds: string | undefined): string {
  const value = Number(seconds ?? 0);
  return value < 1 ? `${Math.round(value * 1000)} ms` : `${value.toFixed(value < 10 ? 2 : 1)} s`;
}

/** Where the user's own code stands in a stack, from the folder on. */
export function framesOf(stack: string, folder: string, ownFolder: string): string[] {
  const frames = stack.split('\n').filter((line) => /^\s+at /.test(line));
  const theirs = frames.filter((line) => !NOT_THEIRS.test(line) && !line.includes(ownFolder));
  return (theirs.length > 0 ? theirs : frames)
    .slice(0, FRAMES)
    .map((line) => oneLine(line.trim().replaceAll('file://', '').replaceAll(`${folder}/`, '')));
}

/** An error of the user's own code, without what the loader and the library did on the way to it. */
export function withoutForeignFrames(text: string, ownFolder: string): string[] {
  return text
    .split('\n')
    .filter(
      (line) => !/^\s+at /.test(line) || !(NOT_THEIRS.test(line) || line.includes('node:') || line.includes(ownFolder)),
    );
}

function isStart({ message, fields }: LogEntry): boolean {
  return fields['task'] !== undefined && message.endsWith(' received');
}

function colored(level: LogEntry['level'], text: string, style: Styled): string {
  return level === 'error' ? style('red', text) : level === 'warn' ? style('yellow', text) : text;
}

/** Of this machine's day. */
function clockTime(ms: number): string {
  const date = new Date(ms);
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':');
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

// Errors come from anywhere: none of them moves the cursor or colours what follows.
const CONTROL = /[\p{Cc}\u2028\u2029\u202A-\u202E\u2066-\u2069]/gu;

function oneLine(text: string): string {
  return text.replaceAll(CONTROL, (character) => `\\u${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`);
}
