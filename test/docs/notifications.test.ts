/** What docs/notifications.md shows runs, and its table names every option. */
import { readFileSync } from 'node:fs';

import { expect, it } from 'vitest';

import { MAIL_VARIABLES } from '../../lib/options/mail-server.ts';
import { runExample } from '../support/run-example.ts';

const page = readFileSync('docs/notifications.md', 'utf8');

it('a task whose failures are told, and one whose are not', () => {
  const output = runExample(page, ['// tasks.ts'], {
    'tasks.ts': {
      before: `import { World } from 'celeriac/testing';`,
      after: `const world = new World(app, { notify: {} });
for (let count = 0; count < 3; count += 1) await charge.delay('o-1');
await scrape.delay('https://example.org');
await world.advance('1h');
for (const { subject } of world.mails) console.log(subject.replace(/ \\(.*\\)/, ''));`,
    },
  });
  expect(output.trim().split('\n')).toEqual([
    '[shop] Error: Task orders.charge: TypeError: no card for o-1',
    '[shop] 3 errors in 15 minutes: Task orders.charge',
  ]);
});

it('each option and each variable has a row', () => {
  const source = readFileSync('infra/notify.ts', 'utf8');
  const [, options = ''] = /export interface NotifyOptions \{(.*?)\n\}/s.exec(source) ?? [];
  const names = [...options.matchAll(/^ {2}readonly (\w+)/gm)].map(([, name]) => name);
  const rows = [...page.matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name);
  expect(rows).toEqual([...names, ...Object.values(MAIL_VARIABLES)]);
});
