/** What docs/status-url.md shows runs: an address for one task. */
import { readFileSync } from 'node:fs';

import { expect, it } from 'vitest';

import { runExample } from '../support/run-example.ts';

it('an API answers with the address of its task', () => {
  const output = runExample(readFileSync('docs/status-url.md', 'utf8'), ['// api.ts'], {
    'api.ts': {
      before: `import { World } from 'celeriac/testing';
process.env['CELERIAC_STATUS_URL_SHOP'] = JSON.stringify({ url: 'http://localhost:3000', keys: 'k'.repeat(32) });`,
      after: `const world = new World(app, { start: new Date('2030-01-01T00:00:00Z') });
console.log(await start(200));
await world.run();`,
    },
  });
  expect(output.trim()).toMatch(
    /^http:\/\/localhost:3000\/tasks\/[\w-]+\/status\?expires=1893456600&signature=[\w-]{43}$/m,
  );
});
