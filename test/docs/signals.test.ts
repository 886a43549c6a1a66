/** What docs/signals.md shows runs, and its table names every signal. */
import { readFileSync } from 'node:fs';

import { expect, it } from 'vitest';

import { TaskBase } from 'celeriac';
import { SIGNAL_NAMES } from '../../lib/task/signals.ts';
import { runExample } from '../support/run-example.ts';

const page = readFileSync('docs/signals.md', 'utf8');

it('handlers of a task, and of the app', () => {
  const output = runExample(page, ['// shipping.ts'], {
    'shipping.ts': {
      before: `import { World } from 'celeriac/testing';`,
      after: `const world = new World(app, { logger: { log: () => {} } });
await ship.delay('o-1');
await world.drain();
await ship.delay('');
await world.drain();
console.log(lines.join('|'));`,
    },
  });
  expect(output.trim()).toBe(
    'orders.ship SUCCESS|told the customer of |orders.ship failed: no order|orders.ship FAILURE',
  );
});

it('each handler of a task has a row', () => {
  const source = readFileSync('lib/task/task-class.ts', 'utf8');
  const handlers = [...source.matchAll(/^ {2}(\w+)\?\(/gm)].map(([, name = '']) => name);
  const named = [...page.matchAll(/^\| `(\w+)\(/gm)].map((match) => match[1]);
  expect(named.map(String).toSorted()).toEqual(handlers.toSorted());
  expect(Object.getOwnPropertyNames(TaskBase.prototype)).toEqual(['constructor', 'self', 'request', 'retry']);
});

it('the table has each signal', () => {
  const named = [...page.matchAll(/^\| `(\w+)` +\| `\w+_/gm)].map((match) => match[1]);
  expect(named.map(String).toSorted()).toEqual(SIGNAL_NAMES.toSorted());
});
