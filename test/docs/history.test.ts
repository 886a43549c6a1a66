/** What docs/history.md shows runs, and does what it says. */
import { readFileSync } from 'node:fs';

import { expect, it } from 'vitest';

import { runExample } from '../support/run-example.ts';

const page = readFileSync('docs/history.md', 'utf8');

it('what failed is listed, a task has its story, and all are counted', () => {
  const output = runExample(page, ['// look.ts'], {
    'look.ts': {
      before: `import { World } from 'celeriac/testing';`,
      after: `const world = new World(app);
const paid = await charge.delay(100);
await charge.delay(20_000);
await world.advance('5m');
await look(paid.id);`,
    },
  });
  expect(output.trim().split('\n')).toEqual([
    'shop.charge (20000,) RangeError: too much',
    'SUCCESS 1',
    '{ FAILURE: 1, SUCCESS: 1 } 0',
  ]);
});
