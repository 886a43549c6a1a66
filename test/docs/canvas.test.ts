/** What docs/canvas.md shows is run. */
import { readFileSync } from 'node:fs';

import { expect, it } from 'vitest';

import { runExample } from '../support/run-example.ts';

const page = readFileSync('docs/canvas.md', 'utf8');

it('every construct gives what the page says', () => {
  const output = runExample(page, ['// shop.ts', '// use.ts'], {
    'use.ts': {
      before: `import { chain, chord, group } from 'celeriac';
import { World } from 'celeriac/testing';
import { add, app, fetchPage, parse, store, sum, tell } from './shop.ts';
const world = new World(app);`,
      after: `await world.drain();
const all = { words, pair, total, same, piped, mapped, starred, chunked, careful, every };
for (const [name, result] of Object.entries(all)) console.log(name, JSON.stringify(await result.get()));`,
    },
  });
  expect(output.trim().split('\n')).toEqual([
    'words 18',
    'pair [2,"<p>b</p>"]',
    'total 6',
    'same 6',
    'piped "stored report"',
    'mapped [3,5]',
    'starred [3,7]',
    'chunked [[2,4],[6]]',
    'careful 3',
    'every "stored all"',
  ]);
});

it('results of groups are read as the page says', () => {
  const output = runExample(page, ['// shop.ts', '// results.ts'], {
    'results.ts': {
      before: `import { group } from 'celeriac';
import { World } from 'celeriac/testing';
import { add, app } from './shop.ts';
const world = new World(app);`,
      after: `console.log(values.length, values[19], (await app.groupResult(result.id))?.total, await result.progress());`,
    },
  });
  expect(output).toBe('20 20 20 { total: 20, done: 20, failed: 0 }\n');
});

it('sets of results, trees of results and skewed groups do as the page says', () => {
  const output = runExample(page, ['// shop.ts', '// sets.ts'], {
    'sets.ts': {
      before: `import { group, ResultSet } from 'celeriac';
import { World } from 'celeriac/testing';
import { add, app } from './shop.ts';
const world = new World(app);`,
      after: `console.log(JSON.stringify(await set.get()));
const values = [];
for await (const [, value] of tree.collect()) values.push(value);
console.log(JSON.stringify(values));`,
    },
  });
  expect(output).toBe('[2,4]\n[2,12]\n');
});
