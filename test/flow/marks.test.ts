/** Marks under faults: one effect of a key, nothing lost, nothing blocked; the last arguments once, in time. */
import { expect, it } from 'vitest';
import fc from 'fast-check';

import { DEBOUNCED, debounceHolds, UNIQUE, uniqueHolds } from '../support/marked-calls.ts';

// `SEEDS=2000 npm test -- test/flow/marks` looks further.
const SEEDS = Number(process.env['SEEDS'] ?? 20);

it('unique: no two tasks of a key run at once, every answered id ends, and no key stays taken', async () => {
  await fc.assert(fc.asyncProperty(UNIQUE, uniqueHolds), { numRuns: SEEDS });
  expect.hasAssertions();
});

it('debounce: every answered call runs once, with the last arguments, and no later than maxWait', async () => {
  await fc.assert(fc.asyncProperty(DEBOUNCED, debounceHolds), { numRuns: SEEDS });
  expect.hasAssertions();
});
