/** Text of others inside a text of ours. */
import { cut as cutTo } from './error-text.ts';
import { MAX_QUOTED_CHARACTERS } from './limits.ts';

/** At most so many characters of a text, with dots where there are more. Half a surrogate pair is no text. */
export function cut(text: string, longest: number = MAX_QUOTED_CHARACTERS): string {
  return cutTo(text, longest).toWellFormed();
}

/** A name or value that is refused, in quotes. */
export function quoted(text: string): string {
  return `'${cut(text)}'`;
}
