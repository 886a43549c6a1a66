/** docs/celery-settings.md says what the table of settings says, and what it shows is run. */
import { readFileSync } from 'node:fs';

import { expect, it } from 'vitest';

import { expectedTables, tablesOf } from '../support/celery-settings-page.ts';
import { runExample } from '../support/run-example.ts';

const page = readFileSync('docs/celery-settings.md', 'utf8');

it('has a row for each setting, and no other', () => {
  expect(tablesOf(page)).toEqual(expectedTables());
});

it('its example makes an app', () => {
  const output = runExample(page, ['// app.ts'], {
    'app.ts': {
      after:
        'const { defaultQueue, queues, resultExpiresSeconds } = app.settings;\nconsole.log(JSON.stringify({ defaultQueue, queues, resultExpiresSeconds }));',
    },
  });
  expect(output.split('\n')).toEqual([
    expect.stringMatching(/^CELERY_WORKER_CONCURRENCY has no meaning here: Lambda starts as many workers/),
    '{"defaultQueue":"work","queues":{"work":{"fifo":false},"mail":{"fifo":false}},"resultExpiresSeconds":3600}',
    '',
  ]);
});
