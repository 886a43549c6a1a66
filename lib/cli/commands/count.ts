/** A number of things as an argument. */
import { InvalidArgumentError } from 'commander';

/** For `argParser`. */
export function count(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('Give a whole number.');
}
