/** Checks of options, which tell what was given and what is allowed. */
import { InvalidOption } from './errors.ts';
import { didYouMean } from './nearest.ts';
import { cut, quoted } from './quote.ts';

/** @throws InvalidOption for what is no object with names, not quoted since it may be a secret in the wrong place, and when it has one that is not allowed. */
export function refuseUnknownKeys(value: object, allowed: ReadonlySet<string>, what: string): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new InvalidOption(
      `${what}: ${kindOf(value)} given; an object is allowed, with ${[...allowed].toSorted().join(', ')}.`,
    );
  const key = Object.keys(value).find((candidate) => !allowed.has(candidate));
  if (key === undefined) return;
  throw new InvalidOption(
    `${what}: '${key}' is no option. Allowed are ${[...allowed].toSorted().join(', ')}.${didYouMean(key, allowed)}`,
  );
}

export function integerIn(value: unknown, minimum: number, maximum: number, field: string): number {
  if (typeof value === 'number' && Number.isInteger(value) && value >= minimum && value <= maximum) return value;
  throw new InvalidOption(`${field}: ${shown(value)} given; a whole number from ${minimum} to ${maximum} is allowed.`);
}

export function booleanOption(value: unknown, field: string): boolean {
  if (typeof value === 'boolean') return value;
  throw new InvalidOption(`${field}: ${shown(value)} given; true or false is allowed.`);
}

/** An id that a record can be found by. An empty one, of a variable that was not set say, would be a record of its own. @throws InvalidOption */
export function idIn(value: unknown, what: string): string {
  if (typeof value === 'string' && value !== '' && value.isWellFormed()) return value;
  throw new InvalidOption(`${what}: ${shown(value)} given; a task id is allowed.`);
}

/** What a value is, where it may be secret itself. */
export function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** A refused value, cut where it is long. */
export function shown(value: unknown): string {
  if (typeof value === 'string') return quoted(value);
  if (typeof value === 'bigint') return `${cut(String(value))}n`;
  if (typeof value === 'function') return 'a function';
  // In JSON what is no number is null.
  if (typeof value === 'number') return String(value);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'an invalid Date' : `Date ${value.toISOString()}`;
  try {
    return cut(JSON.stringify(value) ?? String(value));
  } catch {
    return Object.prototype.toString.call(value);
  }
}
