/** The same as marks.test.ts, further: callers of unique and debounced tasks that die, freeze and lose answers. */
import { expect, it } from 'vitest';
import fc from 'fast-check';

import { DEBOUNCED, debounceHolds, UNIQUE, uniqueHolds } from '../support/marked-calls.ts';

const SEEDS = Number(process.env['SEEDS'] ?? 100);

it('unique', async () => {
  await fc.assert(fc.asyncProperty(UNIQUE, uniqueHolds), { numRuns: SEEDS, seed: 7 });
  expect.hasAssertions();
});

it('debounce', async () => {
  await fc.assert(fc.asyncProperty(DEBOUNCED, debounceHolds), { numRuns: SEEDS, seed: 7 });
  expect.hasAssertions();
});
