/** Checks of options, which tell what was given and what is allowed. */
import { shown } from './duration.ts';
import { InvalidOption } from './errors.ts';
import { didYouMean } from './nearest.ts';

/** @throws InvalidOption when an object has a key that is not allowed. */
export function refuseUnknownKeys(value: object, allowed: ReadonlySet<string>, what: string): void {
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
