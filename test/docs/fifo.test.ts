/** What docs/fifo.md shows runs, and does what it says. */
import { readFileSync } from 'node:fs';

import { expect, it } from 'vitest';

import { runExample } from '../support/run-example.ts';

const page = readFileSync('docs/fifo.md', 'utf8');

it('the steps of an order come one after another, two orders side by side', () => {
  const output = runExample(page, ['// orders.ts'], {
    'orders.ts': {
      before: `import { World } from 'celeriac/testing';`,
      after: `const world = new World(app);
await place('o1');
await place('o2');
await mail.delay('Müller & Söhne');
const states = async () => {
  const ends = world.backend.all().filter(({ status }) => status === 'SUCCESS');
  return ends.map(({ meta }) => JSON.parse(meta ?? '').result).toSorted().join(', ');
};
await world.advance(1.5);
console.log(await states());
await world.advance(2);
console.log(await states());`,
    },
  });
  // Both audits are in one group, apart from the orders' own.
  expect(output.trim().split('\n')).toEqual([
    'Müller & Söhne, o1 audit, o1 reserve, o2 reserve',
    'Müller & Söhne, o1 audit, o1 charge, o1 reserve, o1 ship, o2 audit, o2 charge, o2 reserve, o2 ship',
  ]);
});
