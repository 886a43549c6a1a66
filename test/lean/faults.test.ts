/** A server that does everything wrong: both clients end alike, after as many requests. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';

import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import { afterEach, describe, expect, it } from 'vitest';

import { HttpHandler } from '../../lib/aws/lean/http.ts';
import * as lean from '../../lib/aws/lean/index.ts';
import { isPassing } from '../../lib/base/passing.ts';
import { type Clock, systemClock } from '../../lib/base/time.ts';
import { type AnyClient, type Call, commandOf, CREDENTIALS, sleepless, withoutPauses } from './wire.ts';

type Act = (response: ServerResponse, number: number, body: Buffer) => void;

interface Server {
  readonly endpoint: string;
  readonly requests: IncomingMessage[];
  readonly sockets: Set<Socket>;
}

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0)) await close();
});

async function serve(act: Act): Promise<Server> {
  const requests: IncomingMessage[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    requests.push(request);
    const number = requests.length;
    void buffer(request).then(
      (body) => act(response, number, body),
      () => undefined,
    );
  });
  server.on('connection', (socket: Socket) => sockets.add(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closing.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests, sockets };
}

const GET: Call = { service: 'DynamoDB', operation: 'GetItem', input: { TableName: 'a', Key: { id: { S: 'x' } } } };
const TIMEOUT_MS = 150;
// On a busy machine whoever answers may take seconds: only what never answers is given up soon.
const PATIENCE_MS = 60_000;

interface Told {
  readonly slept?: number[];
  /** How many requests, from the first one, have no answer. */
  readonly silent?: number;
}

async function clientOf(
  library: 'sdk' | 'lean',
  endpoint: string,
  { slept = [], silent = 0 }: Told = {},
): Promise<AnyClient> {
  const common = { region: 'eu-west-1', credentials: CREDENTIALS, endpoint, maxAttempts: 3 };
  if (library === 'lean') {
    const clock = sleepless(slept);
    const parts = { clock, random: { next: () => 0 }, ids: { next: () => 'id' } };
    const requestHandler =
      silent === Infinity
        ? { requestTimeout: TIMEOUT_MS }
        : limited(new HttpHandler({ connectionTimeout: PATIENCE_MS }, clock), silent);
    const client = new lean.DynamoDBClient({ ...common, requestHandler }, parts);
    closing.push(() => client.destroy());
    return client;
  }
  const requestHandler = limited(new NodeHttpHandler({ throwOnRequestTimeout: true }), silent);
  const client = new DynamoDBClient({ ...common, requestHandler });
  await withoutPauses(client);
  closing.push(() => client.destroy());
  return client as unknown as AnyClient;
}

function limited<H extends HttpHandler | NodeHttpHandler>(handler: H, silent: number): H {
  const handle = handler.handle.bind(handler) as (request: object, options?: object) => unknown;
  let requests = 0;
  const within = (request: object, options?: object): unknown => {
    requests += 1;
    return handle(request, { ...options, requestTimeout: requests <= silent ? TIMEOUT_MS : PATIENCE_MS });
  };
  return Object.assign(handler, { handle: within });
}

interface End {
  readonly requests: number;
  readonly output?: unknown;
  readonly name?: string;
  readonly code?: unknown;
  readonly attempts?: unknown;
  readonly passing?: boolean;
}

async function endOf(library: 'sdk' | 'lean', act: Act, silent: number): Promise<End> {
  const server = await serve(act);
  const client = await clientOf(library, server.endpoint, { silent });
  try {
    const { $metadata, ...output } = (await client.send(commandOf(library, GET))) as {
      $metadata: { attempts: number };
    };
    return { requests: server.requests.length, output, attempts: $metadata.attempts };
  } catch (thrown) {
    const error = thrown as Error & { readonly code?: string; readonly $metadata?: { readonly attempts: number } };
    // What Node says of a time-out has a code, and what a client says of its own has none.
    const code = error.name === 'TimeoutError' ? undefined : error.code;
    return {
      requests: server.requests.length,
      name: error.name,
      code,
      attempts: error.$metadata?.attempts,
      passing: isPassing(error),
    };
  }
}

const answered = (response: ServerResponse, status = 200, text = '{"Item":{"id":{"S":"x"}}}', headers = {}): void => {
  response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0', ...headers }).end(text);
};
const refused = (response: ServerResponse, type: string, status = 400, headers = {}): void =>
  answered(response, status, JSON.stringify({ __type: `x#${type}`, message: 'told' }), headers);
const breaks = (response: ServerResponse): void => {
  response.writeHead(200, { 'content-length': '100' });
  response.write('{"Item":');
  setImmediate(() => response.socket?.resetAndDestroy());
};
const ends = (response: ServerResponse): void => {
  response.writeHead(200, { 'content-length': '100' });
  response.write('{"Item":');
  setImmediate(() => response.socket?.end());
};
const TEN_MINUTES_MS = 600_000;
const at = (ms: number): Record<string, string> => ({ date: new Date(systemClock.nowMs() + ms).toUTCString() });

/** Refuses what is signed for another time than its own, as AWS does. */
const skewed =
  (byMs: number, type: string): Act =>
  (response) => {
    const [, year, month, day, hour, minute, second] =
      /(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z/.exec(String(response.req.headers['x-amz-date'])) ?? [];
    const signedMs = Date.UTC(
      Number(year),
      Number(month) - 1,
      Number(day),
      Number(hour),
      Number(minute),
      Number(second),
    );
    if (Math.abs(systemClock.nowMs() + byMs - signedMs) < 300_000) answered(response, 200, '{}', at(byMs));
    else refused(response, type, 400, at(byMs));
  };

const FAULTS: Readonly<Record<string, Act>> = {
  'no fault': (response) => answered(response),
  'a reset instead of an answer, always': (response) => void response.socket?.resetAndDestroy(),
  'a reset once': (response, number) => (number === 1 ? void response.socket?.resetAndDestroy() : answered(response)),
  'an end instead of an answer, always': (response) => void response.socket?.end(),
  'a reset in the midst of an answer, always': breaks,
  'a reset in the midst of an answer, once': (response, number) =>
    number === 1 ? breaks(response) : answered(response),
  'an end in the midst of an answer, always': ends,
  'no answer, ever': () => {},
  'no answer, once': (response, number) => (number === 1 ? undefined : answered(response)),
  'an answer of one byte at a time': (response) => {
    response.writeHead(200);
    const text = '{"Item":{"id":{"S":"x"}}}'.split('');
    const next = (): void => {
      const byte = text.shift();
      if (byte === undefined) response.end();
      else response.write(byte, () => setImmediate(next));
    };
    next();
  },
  'garbage instead of HTTP': (response) => void response.socket?.end('?!'),
  'half of the JSON, of the right length': (response) => answered(response, 200, '{"Item":{"id":'),
  'a web page': (response) => answered(response, 200, '<html>sign in</html>'),
  'a web page of a proxy that fails': (response) => answered(response, 502, '<html>bad gateway</html>'),
  'a web page of a proxy that fails, once': (response, number) =>
    number === 1 ? answered(response, 503, '<html>') : answered(response),
  'a redirect': (response) => answered(response, 302, '', { location: 'http://127.0.0.1:1/' }),
  'an empty 500': (response) => answered(response, 500, ''),
  'an empty 200': (response) => answered(response, 200, ''),
  'status 204': (response) => void response.writeHead(204).end(),
  'its own fault, always': (response) => refused(response, 'InternalServerError', 500),
  'its own fault, twice': (response, number) =>
    number < 3 ? refused(response, 'InternalServerError', 500) : answered(response),
  'a throttle, always': (response) => refused(response, 'ProvisionedThroughputExceededException'),
  'a throttle, once': (response, number) =>
    number === 1 ? refused(response, 'ThrottlingException') : answered(response),
  'status 429': (response) => answered(response, 429, ''),
  'status 501': (response) => refused(response, 'NotImplemented', 501),
  'a refusal': (response) => refused(response, 'ValidationException'),
  'a condition that does not hold': (response) => refused(response, 'ConditionalCheckFailedException'),
  'a condition, by a clock that is ten minutes ahead': (response) =>
    refused(response, 'ResourceNotFoundException', 400, { ...at(TEN_MINUTES_MS), age: '7' }),
  'expired credentials': (response) => refused(response, 'ExpiredTokenException'),
  'a signature that is wrong': (response) => refused(response, 'InvalidSignatureException'),
  'a signature that has expired': (response) =>
    answered(response, 400, '{"__type":"x#InvalidSignatureException","message":"Signature expired: 2 is earlier"}'),
  'a clock ten minutes ahead': skewed(TEN_MINUTES_MS, 'InvalidSignatureException'),
  'a clock ten minutes behind': skewed(-TEN_MINUTES_MS, 'RequestTimeTooSkewed'),
  'a conflict of replicas': (response) => refused(response, 'ReplicatedWriteConflictException'),
};

const SILENT: Readonly<Record<string, number>> = { 'no answer, ever': Infinity, 'no answer, once': 1 };

describe('both clients end alike', () => {
  it.each(Object.keys(FAULTS))('%s', async (what) => {
    const act = FAULTS[what] ?? expect.fail();
    const silent = SILENT[what] ?? 0;
    const [sdk, own] = await Promise.all([endOf('sdk', act, silent), endOf('lean', act, silent)]);
    expect(own).toEqual(sdk);
  });

  it('nobody listens', async () => {
    const { endpoint } = await serve(() => {});
    for (const close of closing.splice(0)) await close();
    const ended = await Promise.all(
      (['sdk', 'lean'] as const).map(async (library) => {
        const client = await clientOf(library, endpoint);
        return client.send(commandOf(library, GET)).catch((error: unknown) => error);
      }),
    );
    expect(ended[1]).toMatchObject({
      code: 'ECONNREFUSED',
      name: (ended[0] as Error).name,
      $metadata: { attempts: 3 },
    });
    expect(ended[0]).toMatchObject({ code: 'ECONNREFUSED', $metadata: { attempts: 3 } });
  });

  it('a server that does not speak TLS', async () => {
    const { endpoint } = await serve(() => {});
    const ended = await Promise.all(
      (['sdk', 'lean'] as const).map(async (library) => {
        const client = await clientOf(library, endpoint.replace('http:', 'https:'));
        return client.send(commandOf(library, GET)).catch((error: unknown) => error);
      }),
    );
    const [sdk, own] = ended as (Error & { code: string })[];
    expect([own?.code, own?.name]).toEqual([sdk?.code, sdk?.name]);
    expect(own?.code).toMatch(/^(EPROTO|ERR_SSL.*)$/);
  });
});

describe('the clock', () => {
  it('is corrected once: later requests are right at once, and refusals are not asked again', async () => {
    let conditions = 0;
    const act = skewed(TEN_MINUTES_MS, 'InvalidSignatureException');
    const server = await serve((response, number, body) => {
      if (number < 4) {
        act(response, number, body);
        return;
      }
      conditions += 1;
      refused(response, 'ConditionalCheckFailedException', 400, at(TEN_MINUTES_MS));
    });
    const client = await clientOf('lean', server.endpoint);
    await client.send(commandOf('lean', GET));
    expect(server.requests).toHaveLength(2);
    await client.send(commandOf('lean', GET));
    expect(server.requests).toHaveLength(3);
    await expect(client.send(commandOf('lean', GET))).rejects.toMatchObject({
      name: 'ConditionalCheckFailedException',
    });
    expect(conditions).toBe(1);
  });
});

describe('Retry-After', () => {
  it('is waited for', async () => {
    const server = await serve((response, number) =>
      number === 1 ? refused(response, 'ThrottlingException', 400, { 'retry-after': '2' }) : answered(response),
    );
    const slept: number[] = [];
    await (await clientOf('lean', server.endpoint, { slept })).send(commandOf('lean', GET));
    expect(slept).toHaveLength(1);
    expect(slept[0]).toBeGreaterThan(1900);
    expect(slept[0]).toBeLessThanOrEqual(2000);
  });
});

describe('signals', () => {
  it.each(['sdk', 'lean'] as const)('abort before, during and between tries: %s', async (library) => {
    const before = await serve((response) => answered(response));
    const aborted = AbortSignal.abort();
    const client = await clientOf(library, before.endpoint);
    await expect(client.send(commandOf(library, GET), { abortSignal: aborted })).rejects.toMatchObject({
      name: 'AbortError',
    });
    expect(before.requests).toHaveLength(0);

    for (const act of [
      () => undefined,
      (response: ServerResponse) => void response.writeHead(200).write('{'),
    ] as Act[]) {
      const controller = new AbortController();
      const server = await serve((response, number, body) => {
        act(response, number, body);
        setTimeout(() => controller.abort(new Error('enough')), 20);
      });
      const during = (await clientOf(library, server.endpoint)).send(commandOf(library, GET), {
        abortSignal: controller.signal,
      });
      await expect(during).rejects.toMatchObject({ name: 'AbortError' });
      expect(server.requests).toHaveLength(1);
    }
  });

  it('a pause ends with the signal', async () => {
    const controller = new AbortController();
    const server = await serve((response) => refused(response, 'InternalServerError', 500, { 'retry-after': '4' }));
    const client = new lean.DynamoDBClient({ region: 'a', credentials: CREDENTIALS, endpoint: server.endpoint });
    closing.push(() => client.destroy());
    const sent = client.send(commandOf('lean', GET), { abortSignal: controller.signal });
    while (server.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
    let isOver = false;
    await new Promise<void>((resolve) => {
      setTimeout(resolve, 30);
    });
    // It would be over in four seconds.
    const pause = setTimeout(() => (isOver = true), 3500);
    controller.abort();
    await expect(sent).rejects.toMatchObject({ name: 'AbortError' });
    clearTimeout(pause);
    expect(isOver).toBe(false);
  });
});

describe('connections', () => {
  const handle = async (handler: HttpHandler, endpoint: string): Promise<string> => {
    const { hostname, port } = new URL(endpoint);
    const { response } = await handler.handle({
      protocol: 'http:',
      hostname,
      port: Number(port),
      method: 'POST',
      path: '/',
      query: {},
      headers: {},
      body: Buffer.from('{}'),
    });
    return (await buffer(response.body)).toString();
  };

  it('are kept, and given up after five minutes of silence, also those of a process that was frozen', async () => {
    const server = await serve((response) => answered(response, 200, 'yes'));
    let nowMs = 1_900_000_000_000;
    const handler = new HttpHandler({}, sleepless([], { nowMs: () => nowMs }));
    closing.push(() => handler.destroy());
    for (const [pauseMs, connections] of [
      [0, 1],
      [1000, 1],
      [299_000, 1],
      [301_000, 2],
      [10_000, 2],
    ] as const) {
      nowMs += pauseMs;
      expect(await handle(handler, server.endpoint)).toBe('yes');
      expect(server.sockets.size).toBe(connections);
    }
  });

  it('that the service has reset meanwhile are made anew', async () => {
    for (const reset of [
      (socket: Socket) => socket.resetAndDestroy(),
      (socket: Socket) => socket.destroy(),
      // The service ends it at the very moment at which it is used.
      undefined,
    ]) {
      let broken = false;
      const server = await serve((response, number) => {
        if (reset === undefined && number === 2 && !broken) {
          broken = true;
          response.socket?.resetAndDestroy();
        } else answered(response);
      });
      const client = await clientOf('lean', server.endpoint);
      await client.send(commandOf('lean', GET));
      if (reset !== undefined) for (const socket of server.sockets) reset(socket);
      await expect(client.send(commandOf('lean', GET))).resolves.toMatchObject({ Item: { id: { S: 'x' } } });
      expect(server.sockets.size).toBe(2);
    }
  });

  it('silence ends a request, also in the midst of an answer', async () => {
    for (const act of [
      () => undefined,
      (response: ServerResponse) => void response.writeHead(200).write('{'),
    ] as Act[]) {
      const server = await serve(act);
      const handler = new HttpHandler({ socketTimeout: 50 }, systemClock);
      closing.push(() => handler.destroy());
      await expect(handle(handler, server.endpoint)).rejects.toMatchObject({ name: 'TimeoutError' });
    }
  });

  it('that are not made in 3.1 seconds end the request; those that are made do not', async () => {
    const server = await serve((response) => answered(response, 200, 'yes'));
    const open = new Set<() => void>();
    const schedule =
      (passes: boolean): Clock['schedule'] =>
      (ms, callback) => {
        expect(ms).toBe(3100);
        open.add(callback);
        // Nothing is connected as soon as it is begun.
        if (passes) queueMicrotask(callback);
        return () => void open.delete(callback);
      };
    const hasty = new HttpHandler({}, sleepless([], { schedule: schedule(true) }));
    await expect(handle(hasty, server.endpoint)).rejects.toMatchObject({ name: 'TimeoutError' });
    expect(open.size).toBe(0);
    const handler = new HttpHandler({}, sleepless([], { schedule: schedule(false) }));
    closing.push(() => handler.destroy());
    expect(await handle(handler, server.endpoint)).toBe('yes');
    expect(open.size).toBe(0);
  });

  it('carry a megabyte each way, of any characters', async () => {
    const server = await serve((response, _number, body) => answered(response, 200, body.toString()));
    const { endpoint } = server;
    const client = new lean.SQSClient({ region: 'a', credentials: CREDENTIALS, endpoint, md5: false });
    closing.push(() => client.destroy());
    const MessageBody = 'ä€😀a'.repeat(104_857);
    const call: Call = { service: 'SQS', operation: 'SendMessage', input: { QueueUrl: 'http://a/1/a', MessageBody } };
    const output = (await client.send(commandOf('lean', call))) as { MessageBody: string };
    expect(Buffer.byteLength(MessageBody)).toBeGreaterThan(1_000_000);
    expect(output.MessageBody === MessageBody).toBe(true);
  });
});
