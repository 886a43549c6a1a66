/** What docs/from-bullmq.md shows is run, and what it says is not here yet is not. */
import { readFileSync } from 'node:fs';

import { expect, it } from 'vitest';
import { Celeriac } from 'celeriac';

import { runExample } from '../support/run-example.ts';

const page = readFileSync('docs/from-bullmq.md', 'utf8');

it('its task runs, with progress', () => {
  const output = runExample(page, ['// orders.ts', '// send.ts'], {
    'send.ts': {
      before: `import { World } from 'celeriac/testing';\nimport { app } from './orders.ts';\nconst world = new World(app);`,
      after: 'console.log(text);',
    },
  });
  expect(output.trim().split('\n').at(-1)).toBe('o-1: 1200');
});

it('attempts are one more than retries', async () => {
  const app = new Celeriac('bull', { alwaysEager: true });
  let attempts = 0;
  const failing = app.task('failing', { maxRetries: 3, autoretryFor: [Error], retryBackoff: true }, () => {
    attempts += 1;
    throw new Error('again');
  });
  const result = await failing.delay();
  await expect(result.get()).rejects.toThrow('again');
  expect(attempts).toBe(4);
});
