/** Times and values as people read them. Pure. */
export { counted, instant, span } from '../operate/words.ts';

/** A value as JSON in a line; what is none as nothing. */
export function json(value: unknown): string {
  return value === undefined ? '' : JSON.stringify(value);
}
