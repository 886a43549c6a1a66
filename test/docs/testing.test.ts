/** What docs/testing.md shows is run. */
import { readFileSync } from 'node:fs';

import { expect, it } from 'vitest';

import { runExample } from '../support/run-example.ts';

it('a task keyed by its id survives every fault', () => {
  expect(runExample(readFileSync('docs/testing.md', 'utf8'), ['// charge.ts'])).toBe('10000\ntrue\n');
});
