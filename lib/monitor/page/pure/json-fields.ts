/** What people type into forms: JSON, checked before it is sent. Pure. */

export type Parsed<T> = { readonly value: T } | { readonly error: string };

/** Positional arguments: a JSON list. */
export function parseArgs(text: string): Parsed<readonly unknown[]> {
  const parsed = parse(text, '[]');
  if ('error' in parsed) return parsed;
  return Array.isArray(parsed.value) ? { value: parsed.value } : { error: 'A list is allowed: ["ada", 1200].' };
}

/** Keyword arguments: a JSON object. */
export function parseKwargs(text: string): Parsed<Readonly<Record<string, unknown>>> {
  const parsed = parse(text, '{}');
  if ('error' in parsed) return parsed;
  const { value } = parsed;
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? { value: value as Record<string, unknown> }
    : { error: 'An object is allowed: {"currency": "EUR"}.' };
}

function parse(text: string, empty: string): Parsed<unknown> {
  try {
    return { value: JSON.parse(text.trim() === '' ? empty : text) as unknown };
  } catch (error) {
    return { error: `This is no JSON: ${String(error).replace(/^SyntaxError: /, '')}` };
  }
}

export function jsonText(value: unknown): string {
  return JSON.stringify(value, undefined, 1) ?? '';
}

/** One line for a shell of POSIX: `celeriac call orders.charge --args '["ada"]'`. */
export function callCommand(task: string, args: readonly unknown[], kwargs: Readonly<Record<string, unknown>>): string {
  const parts = ['npx celeriac call', quoted(task)];
  if (args.length > 0) parts.push('--args', quoted(JSON.stringify(args)));
  if (Object.keys(kwargs).length > 0) parts.push('--kwargs', quoted(JSON.stringify(kwargs)));
  return parts.join(' ');
}

/** Text that a task wrote stays one word of the shell. */
function quoted(text: string): string {
  return /^[\w.:/@-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
