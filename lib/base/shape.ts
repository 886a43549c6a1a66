/**
 * What a received value is, never what it says. Error texts of messages go to log lines and dead letters, which more
 * people read than may read arguments.
 */
export function shapeOf(value: unknown): string {
  if (value === undefined) return 'missing';
  if (value === null) return 'null';
  if (typeof value === 'string') return `text of ${value.length} characters`;
  if (Array.isArray(value)) return `an array of ${value.length}`;
  if (typeof value !== 'object') return `a ${typeof value}`;
  return Object.getPrototypeOf(value) === Object.prototype ? 'an object' : 'a typed value';
}

/** A keyword argument's name, which is code and no data; anything else by its shape. */
export function nameOrShape(text: string): string {
  return /^[\p{L}_][\p{L}\p{N}_]{0,63}$/u.test(text) ? `'${text}'` : shapeOf(text);
}

/** One of these words as it is, anything else by its shape. */
export function wordOrShape(value: unknown, words: ReadonlySet<string>): string {
  return typeof value === 'string' && words.has(value.toLowerCase()) ? `'${value}'` : shapeOf(value);
}
