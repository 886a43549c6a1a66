/** The monitor's bundle, as Lambda runs it: events of a function URL, and a login whose secrets lie in Secrets Manager. */
import { fork } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { join, resolve } from 'node:path';

import { LocalCloud } from 'celeriac/local';
import { afterAll, beforeAll, expect, it } from 'vitest';

import { hashPassword } from '../../lib/monitor/login/password-hash.ts';
import { MONITOR_VARIABLE, type MonitorLogin } from '../../lib/options/monitor-variable.ts';
import { bundleWorker } from '../support/lambda.ts';
import { shopApp } from '../support/shop-service.ts';

const HOST = 'abc123.lambda-url.us-east-1.on.aws';
const ARN = 'arn:aws:sts::000000000000:assumed-role/Ops/ada';

interface LambdaAnswer {
  readonly statusCode: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly cookies?: readonly string[];
}

interface Asked {
  readonly method?: string;
  readonly path: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cookies?: readonly string[];
  readonly userArn?: string;
}

mkdirSync('.vitest', { recursive: true });
const folder = resolve(mkdtempSync('.vitest/monitor-'));
let cloud: LocalCloud;
let secrets: Server;
let secretsUrl: string;
const asked: string[] = [];
const { app, release } = shopApp();

beforeAll(async () => {
  bundleWorker('examples/blog/tasks.ts', join(folder, 'index.mjs'), 'monitor');
  cloud = await LocalCloud.start(app, { logger: { log: () => {} } });
  const users = JSON.stringify({ ada: { role: 'operator', hash: await hashPassword('correct horse') } });
  const texts: Readonly<Record<string, string>> = {
    users,
    session: 'a key that nobody else knows, of 64 characters or so',
  };
  secrets = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk) => (body += String(chunk)));
    request.on('end', () => {
      const { SecretId = '' } = JSON.parse(body) as { SecretId?: string };
      asked.push(`${String(request.headers['x-amz-target'])} ${SecretId}`);
      response.end(JSON.stringify({ SecretString: texts[SecretId] }));
    });
  });
  await new Promise<void>((done) => secrets.listen(0, '127.0.0.1', done));
  const address = secrets.address();
  secretsUrl = `http://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`;
});
afterAll(async () => {
  release();
  await cloud.stop();
  await new Promise((done) => {
    secrets.close(done);
    secrets.closeAllConnections();
  });
  rmSync(folder, { recursive: true, force: true });
});

/** A function that has just started answers one request. */
function invoke(
  login: MonitorLogin,
  { method = 'GET', path, body, headers = {}, cookies, userArn }: Asked,
): Promise<LambdaAnswer> {
  const told = JSON.stringify({ app: 'shop', login });
  const child = fork(resolve('test/support/lambda-process.ts'), [join(folder, 'index.mjs')], {
    execArgv: ['--conditions=@celeriac/source'],
    env: {
      PATH: process.env['PATH'],
      ...cloud.variables('local'),
      [MONITOR_VARIABLE]: told,
      AWS_ENDPOINT_URL_SECRETSMANAGER: secretsUrl,
    },
  });
  const event = {
    version: '2.0',
    rawPath: path,
    rawQueryString: '',
    headers: { host: HOST, ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(cookies === undefined ? {} : { cookies }),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    isBase64Encoded: false,
    requestContext: {
      domainName: HOST,
      http: { method, path, sourceIp: '203.0.113.9' },
      ...(userArn === undefined ? {} : { authorizer: { iam: { userArn } } }),
    },
  };
  return new Promise((done, failed) => {
    child.once('message', (answer) => {
      done(answer as LambdaAnswer);
      child.kill();
    });
    child.once('error', failed);
    child.once('exit', (code) => failed(new Error(`it ended with ${String(code)}`)));
    child.send(event);
  });
}

it('a caller whom IAM has let in looks and acts by the role of its ARN', async () => {
  const iam: MonitorLogin = { way: 'iam', operators: ['arn:aws:sts::000000000000:assumed-role/Ops/*'] };
  const queues = await invoke(iam, { path: '/api/queues', userArn: ARN });
  expect([queues.statusCode, queues.body]).toEqual([200, expect.stringContaining('"queue":"mail"')]);
  const paused = await invoke(iam, { method: 'POST', path: '/api/queues/mail/pause', body: {}, userArn: ARN });
  expect(JSON.parse(paused.body)).toMatchObject({ queue: 'mail', by: ARN });
  expect((await invoke(iam, { path: '/api/queues', userArn: `${ARN}x`.replace('Ops', 'Dev') })).statusCode).toBe(401);
  expect((await invoke(iam, { path: '/api/queues', headers: { host: 'evil.test' }, userArn: ARN })).statusCode).toBe(
    421,
  );
  const audit = await invoke(iam, { path: '/api/audit', userArn: ARN });
  expect(JSON.parse(audit.body)).toMatchObject({ entries: [{ by: ARN, action: 'queue.pause', outcome: 'done' }] });
});

it('a password is held against its hash in a secret, and becomes a session', async () => {
  const login: MonitorLogin = { way: 'password', users: 'users', session: 'session' };
  const entered = (password: string): Promise<LambdaAnswer> =>
    invoke(login, { method: 'POST', path: '/api/login', body: { name: 'ada', password } });
  const wrong = await entered('guess');
  expect([wrong.statusCode, JSON.parse(wrong.body)]).toEqual([401, expect.objectContaining({ code: 'WRONG_LOGIN' })]);
  const right = await entered('correct horse');
  expect(right.statusCode).toBe(200);
  const cookies = (right.cookies ?? []).map((cookie) => cookie.split(';')[0] ?? '');
  const session = await invoke(login, { path: '/api/session', cookies });
  expect(JSON.parse(session.body)).toMatchObject({ user: { name: 'ada', role: 'operator' }, live: 'poll' });
  expect(new Set(asked)).toEqual(
    new Set(['secretsmanager.GetSecretValue users', 'secretsmanager.GetSecretValue session']),
  );
});
