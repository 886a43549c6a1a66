/** The name that was meant by one with a slip of the fingers in it. */

// What is longer is no slip of the fingers, and comparing it would be work.
const MAX_CHARACTERS = 300;

/**
 * The nearest of `names`, or undefined where none is near: one letter in six may be wrong.
 *
 * @param characters how many of `given` count, where the rest is the same in all names.
 */
export function nearest(given: string, names: Iterable<string>, characters: number = given.length): string | undefined {
  if (given.length > MAX_CHARACTERS) return undefined;
  let found: string | undefined;
  let least = Math.ceil(characters / 6) + 1;
  for (const name of names) {
    // As many letters are missing or too many as the lengths differ.
    if (Math.abs(name.length - given.length) >= least) continue;
    const distance = editDistance(given.toLowerCase(), name.toLowerCase());
    if (distance < least) [found, least] = [name, distance];
  }
  return found;
}

/** ` Did you mean 'mail'?`, or nothing: goes behind a sentence. */
export function didYouMean(given: unknown, names: Iterable<string>): string {
  const name = typeof given === 'string' ? nearest(given, names) : undefined;
  return name === undefined ? '' : ` Did you mean '${name}'?`;
}

/** Letters to insert, to leave out, to change, or to swap with their neighbour. */
function editDistance(from: string, to: string): number {
  let before: readonly number[] = [];
  let row: readonly number[] = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (let index = 0; index < from.length; index += 1) {
    const next = [index + 1];
    for (let column = 0; column < to.length; column += 1) {
      const change = at(row, column) + (from[index] === to[column] ? 0 : 1);
      const swapped = from[index] === to[column - 1] && from[index - 1] === to[column];
      const swap = swapped ? at(before, column - 1) + 1 : Infinity;
      next.push(Math.min(change, at(row, column + 1) + 1, at(next, column) + 1, swap));
    }
    [before, row] = [row, next];
  }
  return at(row, to.length);
}

function at(row: readonly number[], column: number): number {
  return row[column] ?? Infinity;
}
