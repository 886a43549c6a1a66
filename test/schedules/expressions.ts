/** Random crontab expressions that can be due. */
import fc from 'fast-check';

import { allowed, type Fields } from './oracle.ts';

export const MONTH_NAMES = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
export const WEEKDAY_NAMES = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];

function partArbitrary(minimum: number, maximum: number, names: readonly string[]): fc.Arbitrary<string> {
  const number = fc.integer({ min: minimum, max: maximum });
  const value = names.length === 0 ? number.map(String) : fc.oneof(number.map(String), fc.constantFrom(...names));
  const step = fc.integer({ min: 1, max: maximum });
  const range = fc.tuple(value, value).map(([from, to]) => `${from}-${to}`);
  return fc.oneof(
    { weight: 4, arbitrary: value },
    { weight: 3, arbitrary: range },
    { weight: 2, arbitrary: step.map((each) => `*/${each}`) },
    { weight: 2, arbitrary: fc.tuple(range, step).map(([each, size]) => `${each}/${size}`) },
  );
}

export function fieldArbitrary(
  minimum: number,
  maximum: number,
  names: readonly string[] = [],
  starWeight = 2,
): fc.Arbitrary<string> {
  const parts = fc.array(partArbitrary(minimum, maximum, names), { minLength: 1, maxLength: 3 });
  return fc.oneof(
    { weight: starWeight, arbitrary: fc.constant('*') },
    { weight: 4, arbitrary: parts.map((texts) => texts.join(',')) },
  );
}

const LONGEST = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function mayCome({ dayOfMonth, monthOfYear }: Fields): boolean {
  const days = allowed(dayOfMonth, 1, 31);
  const months = allowed(monthOfYear, 1, 12, MONTH_NAMES.join(''));
  return LONGEST.some((longest, index) => months[index + 1] === true && days.slice(0, longest + 1).includes(true));
}

/** Days are mostly left open, so that something is due within a day or two. */
export const fieldsArbitrary: fc.Arbitrary<Fields> = fc
  .record({
    minute: fieldArbitrary(0, 59),
    hour: fieldArbitrary(0, 23),
    dayOfMonth: fieldArbitrary(1, 31, [], 12),
    monthOfYear: fieldArbitrary(1, 12, MONTH_NAMES, 16),
    dayOfWeek: fieldArbitrary(0, 6, WEEKDAY_NAMES, 12),
  })
  .filter(mayCome);
