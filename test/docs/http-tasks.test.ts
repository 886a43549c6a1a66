/** What docs/http-tasks.md shows runs, against a server on loopback. */
import { readFileSync } from 'node:fs';

import { expect, it } from 'vitest';

import { runExample } from '../support/run-example.ts';

it('an HTTP task is a request, signed, and its result the answer', () => {
  const page = readFileSync('docs/http-tasks.md', 'utf8').replace(
    `url: 'https://images.example.org/resize',`,
    `url: 'http://127.0.0.1:' + port + '/resize', allowHttp: true, allowPrivate: ['127.0.0.1'],`,
  );
  const output = runExample(page, ['// images.ts'], {
    'images.ts': {
      before: `import { createServer } from 'node:http';
import { World } from 'celeriac/testing';
import { Webhook } from 'standardwebhooks';
process.env['IMAGES_SECRET'] = 'whsec_' + Buffer.alloc(32, 1).toString('base64');
const server = createServer(async (request, response) => {
  let body = '';
  for await (const part of request) body += part;
  const { width } = new Webhook(process.env['IMAGES_SECRET'] ?? '').verify(body, request.headers as never) as { width: number };
  response.end(JSON.stringify({ status: 'success', retval: 'cat-' + width + '.png' }));
});
await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
const { port } = server.address() as { port: number };`,
      after: `const world = new World(app, { start: new Date() });
const result = await resize.delay({ url: 'https://example.org/cat.png', width: 200 });
await world.run();
console.log(await result.get());
server.close();`,
    },
  });
  expect(output.trim().split('\n').at(-1)).toBe('cat-200.png');
});

it('a webhook tells how a task ended', () => {
  const page = readFileSync('docs/http-tasks.md', 'utf8').replace(
    `url: 'https://billing.example.org/hooks',`,
    `url: 'http://127.0.0.1:' + port + '/hooks', allowHttp: true, allowPrivate: ['127.0.0.1'],`,
  );
  const output = runExample(page, ['// orders.ts'], {
    'orders.ts': {
      before: `import { createServer } from 'node:http';
import { World } from 'celeriac/testing';
process.env['BILLING_SECRET'] = 'whsec_' + Buffer.alloc(32, 1).toString('base64');
const server = createServer(async (request, response) => {
  for await (const part of request) console.log('posted ' + part);
  response.end();
});
await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
const { port } = server.address() as { port: number };`,
      after: `const world = new World(app, { start: new Date('2030-01-01T00:00:00Z') });
await charge.delay('o-1');
await world.run();
server.close();`,
    },
  });
  const shown = /```json\n([\s\S]*?)```/.exec(page)?.[1] ?? '';
  const posted = JSON.parse(/^posted (.*)$/m.exec(output)?.[1] ?? '{}') as { data: { id: string } };
  expect({ ...posted, data: { ...posted.data, id: '1f0f6e8b-...' } }).toEqual(JSON.parse(shown));
});
