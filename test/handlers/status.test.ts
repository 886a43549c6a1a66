/** The bundle of a status address, as Lambda runs it: its keys lie in Secrets Manager, results in the table. */
import { fork } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';

import { Celeriac } from 'celeriac';
import { LocalCloud } from 'celeriac/local';
import { afterAll, expect, it, vi } from 'vitest';

import { STATUS_VARIABLE } from '../../lib/options/status-variable.ts';
import { bundleWorker } from '../support/lambda.ts';
import { PATIENCE_SECONDS } from '../support/patience.ts';

mkdirSync('.vitest', { recursive: true });
const folder = resolve(mkdtempSync('.vitest/status-'));
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true, force: true });
});

it('tells the state of the task that was signed for, and of no other', async () => {
  bundleWorker('examples/blog/tasks.ts', join(folder, 'index.mjs'), 'status', 'lean');
  const app = new Celeriac('shop', { queues: { default: {} } });
  const add = app.task('add', (x: number, y: number) => x + y);
  const cloud = await LocalCloud.start(app, { logger: { log: () => {} } });
  const secrets = createServer((request, response) => {
    request
      .resume()
      .on('end', () => response.end(JSON.stringify({ SecretString: `${'k'.repeat(40)} ${'o'.repeat(40)}` })));
  });
  await new Promise<void>((done) => secrets.listen(0, '127.0.0.1', done));
  const secretsUrl = `http://127.0.0.1:${(secrets.address() as AddressInfo).port}`;
  const signing = { url: 'https://abc.lambda-url.eu-west-1.on.aws/', secret: 'arn:keys' };
  const variables = { ...cloud.variables('local'), AWS_ENDPOINT_URL_SECRETSMANAGER: secretsUrl };
  for (const [name, value] of Object.entries({ ...variables, CELERIAC_STATUS_URL_SHOP: JSON.stringify(signing) }))
    vi.stubEnv(name, value);
  try {
    const result = await add.delay(1, 2);
    await result.get({ timeout: PATIENCE_SECONDS });
    const url = new URL(await result.statusUrl());
    const ask = (rawPath: string): Promise<{ readonly statusCode: number; readonly body: string }> =>
      new Promise((done, failed) => {
        const child = fork(resolve('test/support/lambda-process.ts'), [join(folder, 'index.mjs')], {
          execArgv: ['--conditions=@celeriac/source'],
          env: {
            PATH: process.env['PATH'],
            ...variables,
            [STATUS_VARIABLE]: JSON.stringify({ app: 'shop', secret: 'arn:keys' }),
          },
        });
        child.once('message', (answer) => {
          done(answer as never);
          child.kill();
        });
        child.once('exit', (code) => failed(new Error(`it ended with ${String(code)}`)));
        child.send({
          rawPath,
          rawQueryString: url.search.slice(1),
          requestContext: { http: { method: 'GET' } },
          headers: {},
        });
      });
    const [own, other] = await Promise.all([ask(url.pathname), ask('/tasks/other/status')]);
    expect([own.statusCode, JSON.parse(own.body)]).toEqual([
      200,
      { task: { id: result.id, status: 'SUCCESS', result: 3 } },
    ]);
    expect([other.statusCode, other.body]).toEqual([403, '{"error":"forbidden"}']);
  } finally {
    await cloud.stop();
    await new Promise((done) => secrets.close(done));
  }
});
