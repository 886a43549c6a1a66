/** What docs/flow-control.md shows of lanes runs, and does what it says. */
import { readFileSync } from 'node:fs';

import { expect, it } from 'vitest';

import { runExample } from '../support/run-example.ts';

it('priorities: a lane for each step, and the task says which', () => {
  const output = runExample(readFileSync('docs/flow-control.md', 'utf8'), ['// lanes.ts'], {
    'lanes.ts': {
      before: `import { World } from 'celeriac/testing';`,
      after: `const world = new World(app);
const sent = [await send.delay('ada'), await send.applyAsync(['bob'], { priority: 7 }), await digest.delay('eve')];
await world.drain();
for (const result of sent) console.log(await result.get());`,
    },
  });
  expect(output.trim().split('\n')).toEqual(['ada: mail', 'bob: mail-p5', 'eve: mail-p5']);
});
