/** What docs/long-tasks.md shows runs, and its figures are those of the code. */
import { readFileSync } from 'node:fs';

import { expect, it } from 'vitest';

import {
  MAX_CHECKPOINT_BYTES,
  MAX_FIFO_PARTS,
  MAX_PARTS,
  PART_GAP_SECONDS,
  PART_RESERVE_SECONDS,
} from '../../lib/base/limits.ts';
import { runExample } from '../support/run-example.ts';

const page = readFileSync('docs/long-tasks.md', 'utf8');

it('a task goes on near its deadline, and where it says so', () => {
  const output = runExample(page, ['// reindex.ts'], {
    'reindex.ts': {
      before: `import { World } from 'celeriac/testing';`,
      after: `const world = new World(app, { logger: { log: () => {} } });
const results = [await reindex.delay(5), await drip.delay(3)];
await world.drain();
console.log(await results[0].get(), indexed.join(), await results[1].get());`,
    },
  });
  expect(output.trim()).toBe('5 0,1,2,3,4 3 parts');
});

it('its figures are the limits', () => {
  expect(page).toContain(`2 to ${MAX_PARTS};`);
  expect(page).toContain(`at most ${MAX_CHECKPOINT_BYTES.toLocaleString('en')} bytes`);
  expect(page).toContain(`than ${PART_RESERVE_SECONDS} s`);
  expect(page).toContain(`up to ${PART_GAP_SECONDS / 60} minutes beyond`);
  expect(page).toContain(`${MAX_FIFO_PARTS} parts are the most`);
});
