/** What docs/celery.md shows is run, and its tables leave nothing out. */
import { readFileSync } from 'node:fs';

import { describe, expect, it } from 'vitest';

import { askPython, reasonToSkip } from '../support/python.ts';
import { runExample } from '../support/run-example.ts';

const page = readFileSync('docs/celery.md', 'utf8');

it('tasks of both sides are sent as the page says', () => {
  const output = runExample(page, ['// app.ts', '// use.ts'], {
    'use.ts': {
      before: `import { chain, chord, typed } from 'celeriac';
import { World } from 'celeriac/testing';
import { app, index, invoice, resize } from './app.ts';
const world = new World(app);`,
      after: `await world.advance('2h');
const waiting = world.broker.peekAll('celery').map(({ body }) => JSON.parse(Buffer.from(body, 'base64').toString()));
for (const { headers, body } of waiting) console.log(headers.task, Buffer.from(body, 'base64').toString());
console.log(result.id === waiting[0].headers.id);`,
    },
  });
  const lines = output.trim().split('\n');
  expect(lines).toHaveLength(5);
  expect(lines[0]).toContain('proj.tasks.invoice [["o-1",{"__type__":"decimal","__value__":"12.30"}],{}');
  expect(lines).toContainEqual(expect.stringContaining('proj.tasks.report [["2030-01"],{"lang":"de"}'));
  expect(lines).toContainEqual(expect.stringContaining('proj.tasks.invoice [["o-2",1],{}'));
  expect(lines).toContainEqual(expect.stringContaining('proj.tasks.invoice [["a.png@100",{"__type__":"decimal"'));
  expect(lines.at(-1)).toBe('true');
});

const reason = reasonToSkip('options of Celery in docs/celery.md');
describe.skipIf(reason !== undefined)('options of Celery', () => {
  it('each of them stands in a table', async () => {
    const [answer] = await askPython<{ readonly names: readonly string[] }>(
      new URL('celery_options.py', import.meta.url),
      [{}],
    );
    expect(answer?.names.length).toBeGreaterThanOrEqual(50);
    // `options` are those of the other rows, `abstract` is of base classes.
    const known = new Set(['options', 'self', 'Request', 'Strategy', 'abstract', 'from_config']);
    expect(answer?.names.filter((name) => !known.has(name) && !page.includes(`\`${name}\``))).toEqual([]);
  });
});
