/** What is counted before text is parsed, against a slow reading of the same text. */
import * as fc from 'fast-check';
import { expect, it } from 'vitest';

import { findExcess, type JsonLimits } from '../../lib/wire/json-scan.ts';

/** Character by character, with nothing left out. */
function expected(text: string, limits: JsonLimits): 'depth' | 'values' | undefined {
  let [depth, values, inString] = [0, 0, false];
  for (let index = 0; index < text.length; index += 1) {
    const character = text.charAt(index);
    if (inString) {
      if (character === '\\') index += 1;
      else if (character === '"') inString = false;
      continue;
    }
    if (character === '"') inString = true;
    if ('[{'.includes(character)) depth += 1;
    if (']}'.includes(character)) depth -= 1;
    if ('[{,'.includes(character)) values += 1;
    if (depth > limits.depth) return 'depth';
    if (values > limits.values) return 'values';
  }
  return undefined;
}

const text = fc.string({ unit: fc.constantFrom('[', ']', '{', '}', ',', '"', '\\', 'a'), maxLength: 60 });
const limits = fc.record({ depth: fc.integer({ min: 1, max: 6 }), values: fc.integer({ min: 1, max: 20 }) });

it('finds what is too much, and nothing else, in any text', () => {
  fc.assert(
    fc.property(text, limits, (some, within) => {
      expect(findExcess(some, within)).toBe(expected(some, within));
    }),
  );
});

it.each([
  ['['.repeat(4), 4, undefined],
  ['['.repeat(5), 4, 'depth'],
  [`"${'['.repeat(9)}"`, 4, undefined],
  [`[${'[],'.repeat(9)}[]]`, 2, undefined],
])('%s within %i levels: %s', (some, depth, excess) => {
  expect(findExcess(some, { depth, values: 100 })).toBe(excess);
});
