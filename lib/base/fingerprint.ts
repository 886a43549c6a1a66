/** What makes two failures the same to people: task, type of the error, shape of its message. Pure. */
import { cut } from './error-text.ts';
import { stableHash } from './ids.ts';

const LONGEST_SHAPE_CHARACTERS = 200;
// In this order: what is made of several others comes before them. An id has digits, and quoted text may have an id.
const VARIABLE: readonly (readonly [RegExp, string])[] = [
  [/'[^']*'|"[^"]*"|`[^`]*`/g, "'…'"],
  // A text that was cut ends within its quotes.
  [/(?<!\w)['"`][^'"`]*\.\.\.$/g, "'…'"],
  // Of an address the host stays: what it is asked for differs from call to call.
  [/(\b[a-z][a-z0-9+.-]*:\/\/)(?:[^\s/?#@]*@)?([^\s/?#]+)[^\s]*/gi, '$1$2/…'],
  [/[\p{L}\p{N}.!#$%&*+/=?^_{|}~-]+@[\p{L}\p{N}-]+(?:\.[\p{L}\p{N}-]+)+/gu, '<address>'],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/gi, '<id>'],
  [/\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?/g, '<time>'],
  // So long, and of letters and digits: no word, but an id that somebody has made up.
  [/(?<![\w-])(?=[\w-]*\d)[\w-]{16,}(?![\w-])/g, '#'],
  [/\b0x[0-9a-f]+\b/gi, '#'],
  [/(?<![\w.:])(?=[0-9a-f:.]*:[0-9a-f:.]*:)[0-9a-f:.]{2,45}(?![\w:])/gi, '#'],
  [/(?<![\w.])\d(?:[\d.,]*\d)?e[+-]?\d+(?!\w)/gi, '#'],
  [/\b[0-9a-f]*\d[0-9a-f]*\b/gi, '#'],
  [/\d+/g, '#'],
  // 1,234.5, 10.0.0.7, 127.0.0.1:8080: one number or another, whatever stands between its parts.
  [/(?<![\w#])[-+]#/g, '#'],
  [/#(?:[.,:+-]#)+/g, '#'],
];

/** Before the first colon of `name: message`, where that looks like a name. */
export function errorTypeOf(error: string): string {
  const [, name] = /^([\p{L}_$][\p{L}\p{N}_$.]*)(?::|$)/u.exec(error) ?? [];
  return name ?? 'Error';
}

/** An error's text without what differs from one occurrence to the next: quoted text, ids, times, numbers. */
export function shapeOfError(error: string): string {
  const [line = ''] = error.split('\n');
  return VARIABLE.reduce(
    (text, [variable, mark]) => text.replaceAll(variable, mark),
    cut(line, 4 * LONGEST_SHAPE_CHARACTERS),
  )
    .replaceAll(/\s+/g, ' ')
    .trim()
    .slice(0, LONGEST_SHAPE_CHARACTERS);
}

/** Eight hexadecimal digits. */
export function fingerprintOf(task: string, error: string): string {
  return hashOf(task, error, shapeOfError(error));
}

/**
 * The same of a failure whose stack is known: its top frame says more than the shape of a message, which may be made of names
 * and words. Eight hexadecimal digits.
 *
 * @param stack null or without frames: the shape counts
 */
export function failureFingerprint(task: string, error: string, stack: string | null): string {
  return hashOf(task, error, topFrame(stack ?? '') ?? shapeOfError(error));
}

const FRAME = /^\s+at (.{1,300})$/gm;
// Of the runtime, and of what is installed: many errors are thrown there for a mistake elsewhere.
const NOT_THEIRS = /node:|[/\\]node_modules[/\\]/;

function topFrame(stack: string): string | undefined {
  const frames = [...stack.matchAll(FRAME)].map(([, frame]) => frame);
  return frames.find((frame) => frame !== undefined && !NOT_THEIRS.test(frame)) ?? frames[0];
}

function hashOf(task: string, error: string, where: string): string {
  return stableHash(`${task}\n${errorTypeOf(error)}\n${where}`)
    .toString(16)
    .padStart(8, '0');
}
