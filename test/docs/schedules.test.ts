/** What docs/schedules.md shows is run. */
import { readFileSync } from 'node:fs';

import { expect, it } from 'vitest';

import { runExample } from '../support/run-example.ts';

const page = readFileSync('docs/schedules.md', 'utf8');

it('entries fire, and edits work', () => {
  const output = runExample(page, ['// beat.ts', '// edit.ts'], {
    'edit.ts': {
      before: `import { World } from 'celeriac/testing';
import { clocked, every } from 'celeriac';
import { app, note, ran } from './beat.ts';
const world = new World(app);
await world.advance('1h');
const counts = Object.fromEntries([...new Set(ran)].sort().map((name) => [name, ran.filter((each) => each === name).length]));
console.log(JSON.stringify(counts));`,
      after: `console.log(Object.keys(fixture).join(), (await app.schedules.get('payroll'))?.enabled, await app.schedules.get('promo'));`,
    },
  });
  expect(output).toBe('{"heartbeat":360,"reindex":4}\nextra,promo false undefined\n');
});
