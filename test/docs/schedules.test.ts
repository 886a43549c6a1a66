/** What docs/schedules.md shows is run. */
import { readFileSync } from 'node:fs';

import { expect, it } from 'vitest';

import { runExample } from '../support/run-example.ts';

const page = readFileSync('docs/schedules.md', 'utf8');

it('entries fire, and edits work', () => {
  const output = runExample(page, ['// beat.ts', '// edit.ts'], {
    'edit.ts': {
      before: `import { World } from 'celeriac/testing';
import { clocked, describeSchedule, every } from 'celeriac';
import { app, note, ran } from './beat.ts';
const world = new World(app);
await world.advance('1h');
const counts = Object.fromEntries([...new Set(ran)].sort().map((name) => [name, ran.filter((each) => each === name).length]));
console.log(JSON.stringify(counts));`,
      after: `console.log(Object.keys(fixture).join(), (await app.schedules.get('payroll'))?.enabled, await app.schedules.get('promo'), words);`,
    },
  });
  expect(output).toBe('{"heartbeat":360,"reindex":4}\nbonus,promo true undefined Once, at 2030-01-02T00:00:00.000Z\n');
});

it('an entry whose run is longer than its interval does not overlap', () => {
  const output = runExample(page, ['// overlap.ts'], {
    'overlap.ts': {
      before: `import { World } from 'celeriac/testing';`,
      after: `const world = new World(app, { start: new Date('2030-01-01T11:59:30Z') });
await world.advance('9m');
console.log(log.join());
const states = world.backend.all().map(({ status }) => status);
console.log(states.filter((status) => status === 'SUCCESS').length, states.filter((status) => status === 'IGNORED').length);`,
    },
  });
  expect(output.trim().split('\n')).toEqual(['begins,ends,begins,ends,begins,ends', '3 6']);
});
