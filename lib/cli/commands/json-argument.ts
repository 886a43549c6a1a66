/** JSON as an argument. */
import { InvalidArgumentError } from 'commander';

import { errorText } from '../../base/error-text.ts';

/** For `argParser`: an array. */
export function jsonArray(text: string): readonly unknown[] {
  const value = json(text);
  if (Array.isArray(value)) return value as readonly unknown[];
  throw new InvalidArgumentError('Give JSON: an array.');
}

/** For `argParser`: an object. */
export function jsonObject(text: string): Readonly<Record<string, unknown>> {
  const value = json(text);
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Readonly<Record<string, unknown>>;
  throw new InvalidArgumentError('Give JSON: an object.');
}

/** For `argParser`: any value. */
export function json(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new InvalidArgumentError(`It is no JSON: ${errorText(error).message}`);
  }
}
