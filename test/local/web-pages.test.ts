/** A web page in the developer's browser is an enemy: what it can send to this machine must do nothing, on any port. */
import { request } from 'node:http';
import { connect } from 'node:net';

import { Celeriac, silentLogger } from 'celeriac';
import { LocalCloud } from 'celeriac/local';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { startDynalite } from '../../lib/local/servers.ts';
import { encodeMessage } from '../../lib/wire/encode-message.ts';
import { prepareCall } from '../../lib/producer/producer.ts';
import { canListSockets, listeningSockets } from '../support/listening-sockets.ts';
import { PATIENCE_SECONDS } from '../support/patience.ts';

const app = new Celeriac('page', { queues: { default: {} }, logger: silentLogger });
let runs = 0;
const strike = app.task('strike', () => {
  runs += 1;
});

let cloud: LocalCloud;
let portsBefore: number[] = [];
let body = '';
beforeAll(async () => {
  if (canListSockets()) portsBefore = listeningSockets().map(({ port }) => port);
  cloud = await LocalCloud.start(app);
  body = encodeMessage((await prepareCall(app, 'strike', [])).message);
});
afterAll(() => cloud.stop());

interface Asked {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}
interface Answered {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}

const SIGNED = `AWS4-HMAC-SHA256 Credential=local/20300101/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=${'0'.repeat(64)}`;
const JSON_TYPE = 'application/x-amz-json-1.0';

function ask(port: number, asked: Asked): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const sent = request(
      {
        host: '127.0.0.1',
        port,
        method: asked.method ?? 'POST',
        path: asked.path ?? '/',
        headers: asked.headers ?? {},
      },
      (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text }));
      },
    );
    sent.once('upgrade', (_response, socket) => {
      socket.destroy();
      reject(new Error('the connection was upgraded'));
    });
    sent.once('error', reject);
    sent.end(asked.body);
  });
}

function ports(): number[] {
  return Object.values(cloud.endpoints).map((endpoint) => Number(new URL(endpoint).port));
}

/** What the SDK sends, to put one message into the queue: in every attack one thing of it is as a page must have it. */
function send(more: Readonly<Record<string, string>> = {}): Asked {
  return {
    headers: { 'content-type': JSON_TYPE, 'x-amz-target': 'AmazonSQS.SendMessage', authorization: SIGNED, ...more },
    body: JSON.stringify({ QueueUrl: cloud.environment.queues['default'], MessageBody: body }),
  };
}

const tables = (more: Readonly<Record<string, string>> = {}): Asked => ({
  headers: {
    'content-type': JSON_TYPE,
    'x-amz-target': 'DynamoDB_20120810.ListTables',
    authorization: SIGNED,
    'x-amz-date': '20300101T000000Z',
    ...more,
  },
  body: '{}',
});

const without = (asked: Asked, name: string): Asked => ({
  ...asked,
  headers: Object.fromEntries(Object.entries(asked.headers ?? {}).filter(([header]) => header !== name)),
});

const form = (fields: Record<string, string>): Asked => ({
  headers: { 'content-type': 'application/x-www-form-urlencoded', authorization: SIGNED },
  body: new URLSearchParams(fields).toString(),
});

/** Each takes a request that would be served, and changes it as a browser does. */
const PAGES: readonly (readonly [string, (served: Asked) => Asked])[] = [
  ['fetch with an Origin', (served) => ({ ...served, headers: { ...served.headers, origin: 'https://evil.example' } })],
  ['fetch with an opaque Origin', (served) => ({ ...served, headers: { ...served.headers, origin: 'null' } })],
  ['a page of this very port', (served) => ({ ...served, headers: { ...served.headers, origin: 'http://127.0.0.1' } })],
  ['DNS rebinding', (served) => ({ ...served, headers: { ...served.headers, host: 'evil.example' } })],
  [
    'DNS rebinding, with a port',
    (served) => ({ ...served, headers: { ...served.headers, host: 'evil.example:4566' } }),
  ],
  [
    'a host that begins like ours',
    (served) => ({ ...served, headers: { ...served.headers, host: '127.0.0.1.evil.example' } }),
  ],
  ['a host that ends like ours', (served) => ({ ...served, headers: { ...served.headers, host: 'evil.localhost' } })],
  [
    'user information in the host',
    (served) => ({ ...served, headers: { ...served.headers, host: 'localhost@evil.example' } }),
  ],
  ['an absolute address', (served) => ({ ...served, path: 'http://evil.example/' })],
  ['no authorization', (served) => without(served, 'authorization')],
  [
    'another authorization',
    (served) => ({ ...served, headers: { ...served.headers, authorization: 'Basic bG9jYWw6bG9jYWw=' } }),
  ],
  [
    'a name of a signature alone',
    (served) => ({ ...served, headers: { ...served.headers, authorization: 'AWS4-HMAC-SHA256' } }),
  ],
  [
    'Sec-Fetch-Site: cross-site',
    (served) => ({ ...served, headers: { ...served.headers, 'sec-fetch-site': 'cross-site' } }),
  ],
  [
    'Sec-Fetch-Site: same-origin',
    (served) => ({ ...served, headers: { ...served.headers, 'sec-fetch-site': 'same-origin' } }),
  ],
  [
    'a simple request: text/plain',
    (served) => ({ ...served, headers: { ...served.headers, 'content-type': 'text/plain' } }),
  ],
  [
    'a simple request: text/plain with our type as its parameter',
    (served) => ({ ...served, headers: { ...served.headers, 'content-type': `text/plain; ${JSON_TYPE}` } }),
  ],
  [
    'a form',
    (served) => ({ ...served, headers: { ...served.headers, 'content-type': 'application/x-www-form-urlencoded' } }),
  ],
  [
    'a form with files',
    (served) => ({ ...served, headers: { ...served.headers, 'content-type': 'multipart/form-data; boundary=x' } }),
  ],
  ['no content type', (served) => without(served, 'content-type')],
  [
    'a beacon',
    (served) =>
      without(
        without(
          { ...served, headers: { ...served.headers, 'content-type': 'text/plain;charset=UTF-8' } },
          'authorization',
        ),
        'x-amz-target',
      ),
  ],
  [
    'a preflight',
    (served) => ({
      method: 'OPTIONS',
      headers: {
        ...served.headers,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization',
      },
    }),
  ],
  ['an image', () => ({ method: 'GET', headers: {} })],
  ['a signed GET', () => ({ method: 'GET', headers: { authorization: SIGNED } })],
  [
    'a presigned address',
    (served) => without({ ...served, path: '/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0' }, 'authorization'),
  ],
  [
    'a web socket',
    () => ({
      method: 'GET',
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
        'sec-websocket-version': '13',
      },
    }),
  ],
  [
    'a signed web socket',
    (served) => ({ ...served, headers: { ...served.headers, connection: 'Upgrade', upgrade: 'websocket' } }),
  ],
];

describe('what a page sends', () => {
  it.each(PAGES)('%s: refused on every port, and does nothing', async (_name, page) => {
    for (const port of ports()) {
      for (const served of [send(), tables()]) {
        const answer = await ask(port, page(served));
        expect([400, 403], answer.text).toContain(answer.status);
        expect(Object.keys(answer.headers).filter((name) => name.startsWith('access-control-'))).toEqual([]);
        expect(answer.text).not.toContain('TableNames');
      }
    }
    expect(await waiting()).toBe(0);
  });

  it('the same requests as the SDK sends them are served: nothing above was refused for another reason', async () => {
    const [sqsPort = 0, dynamodbPort = 0] = ports();
    for (const host of [`127.0.0.1:${sqsPort}`, `localhost:${sqsPort}`, 'localhost'])
      expect(await ask(sqsPort, send({ host }))).toMatchObject({ status: 200 });
    expect(await ask(dynamodbPort, tables())).toMatchObject({
      status: 200,
      text: expect.stringContaining('TableNames'),
    });
    await expect.poll(() => runs).toBe(1);
  });

  it('a preflight by hand, without a host or with two', async () => {
    for (const port of ports()) {
      for (const head of [
        'POST / HTTP/1.1\r\n',
        'POST / HTTP/1.0\r\n',
        'POST / HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\n',
      ])
        expect(
          await raw(
            port,
            `${head}content-type: ${JSON_TYPE}\r\nauthorization: ${SIGNED}\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}`,
          ),
        ).toMatch(/^HTTP\/1\.1 40[03] /);
      expect(await raw(port, 'CONNECT evil.example:443 HTTP/1.1\r\nhost: evil.example\r\n\r\n')).not.toMatch(
        /^HTTP\/1\.1 2/,
      );
    }
  });
});

describe('what no task needs', () => {
  it.each([
    ['SNS: a topic', form({ Action: 'CreateTopic', Name: 'strike' })],
    ['STS', form({ Action: 'GetCallerIdentity' })],
    ['S3: a bucket', { method: 'PUT', path: '/bucket', headers: { authorization: SIGNED } }],
    ['S3: buckets', { method: 'GET', path: '/', headers: { authorization: SIGNED } }],
    [
      'S3: an object, signed and typed as ours',
      {
        method: 'POST',
        path: '/bucket/key',
        headers: { authorization: SIGNED, 'content-type': JSON_TYPE, 'x-amz-target': 'AmazonSQS.SendMessage' },
        body: '{}',
      },
    ],
    ['health', { method: 'GET', path: '/health', headers: { authorization: SIGNED } }],
    ['queues, with what lies in them', { method: 'GET', path: '/_fauxqs/queues', headers: { authorization: SIGNED } }],
    [
      'another service',
      {
        headers: { authorization: SIGNED, 'content-type': JSON_TYPE, 'x-amz-target': 'AmazonSNS.Publish' },
        body: '{}',
      },
    ],
    ['no service', { headers: { authorization: SIGNED, 'content-type': JSON_TYPE }, body: '{}' }],
  ] satisfies (readonly [string, Asked])[])('%s: answered by nobody', async (_name, asked) => {
    for (const port of ports()) expect((await ask(port, asked)).status).toBe(403);
  });

  it('a service answers on its own port only', async () => {
    const [sqsPort = 0, dynamodbPort = 0] = ports();
    expect((await ask(sqsPort, tables())).status).toBe(403);
    expect((await ask(dynamodbPort, send())).status).toBe(403);
  });
});

describe('listening', () => {
  it('two ports, both on 127.0.0.1: those that `endpoints` names', (context) => {
    if (!canListSockets()) context.skip('only Linux tells what a process listens on');
    const opened = listeningSockets().filter(({ port }) => !portsBefore.includes(port));
    expect(opened.toSorted((left, right) => left.port - right.port)).toEqual(
      ports()
        .toSorted((left, right) => left - right)
        .map((port) => ({ address: '127.0.0.1', port })),
    );
  });

  it('DynamoDB without the proxy is one port, and keeps pages out as well', async () => {
    const before = canListSockets() ? listeningSockets().length : 0;
    const server = await startDynalite();
    try {
      if (canListSockets()) expect(listeningSockets()).toHaveLength(before + 1);
      const port = Number(new URL(server.endpoint).port);
      for (const [, page] of PAGES) expect([400, 403]).toContain((await ask(port, page(tables()))).status);
      expect((await ask(port, tables())).status).toBe(200);
    } finally {
      await server.stop();
    }
    if (canListSockets()) expect(listeningSockets()).toHaveLength(before);
  });

  it('nothing is left of it after stop()', async (context) => {
    if (!canListSockets()) context.skip('only Linux tells what a process listens on');
    const before = listeningSockets();
    const other = await LocalCloud.start(new Celeriac('other', { logger: silentLogger }));
    expect(listeningSockets()).toHaveLength(before.length + 2);
    await other.stop();
    expect(listeningSockets()).toEqual(before);
  });
});

it('a task sent as users send it runs', async () => {
  const before = runs;
  await (await strike.delay()).get({ timeout: PATIENCE_SECONDS, interval: 0.05 });
  expect(runs).toBe(before + 1);
});

/** Messages of the queue in all, those under way too, and runs. */
async function waiting(): Promise<number> {
  const { GetQueueAttributesCommand } = await import('#aws-sdk');
  const { Attributes = {} } = await cloud.sqs.send(
    new GetQueueAttributesCommand({ QueueUrl: cloud.environment.queues['default'], AttributeNames: ['All'] }),
  );
  return (
    runs +
    Number(Attributes['ApproximateNumberOfMessages']) +
    Number(Attributes['ApproximateNumberOfMessagesNotVisible'])
  );
}

function raw(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect({ host: '127.0.0.1', port }, () => socket.write(text));
    socket.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk));
    socket.once('close', () => resolve(answer));
    socket.once('error', reject);
  });
}
