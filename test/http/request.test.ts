/** Requests to a real server on loopback: which address is connected to, what is followed, what is bounded, what may pass. */
import type { LookupAddress } from 'node:dns';

import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { HttpRequestFailed, HttpTargetRefused } from '../../lib/base/errors.ts';
import { systemClock } from '../../lib/base/time.ts';
import { type Exchange, exchange, jsonOf, retryAfter, retvalOf } from '../../lib/http/exchange.ts';
import { rangesOf } from '../../lib/http/ranges.ts';
import { passingOf, type Resolve } from '../../lib/http/request.ts';
import { keyOf } from '../../lib/http/signing.ts';
import { type HostPattern, readHostPattern } from '../../lib/http/target.ts';
import { AskedServer, json, success } from '../support/asked-server.ts';

let server: AskedServer;
let other: AskedServer;
beforeAll(async () => {
  server = await AskedServer.start(success(1));
  other = await AskedServer.start(success(2));
});
afterAll(async () => {
  await server[Symbol.asyncDispose]();
  await other[Symbol.asyncDispose]();
});
beforeEach(() => {
  server.answer = success(1);
  for (const each of [server, other]) each.asked.length = 0;
});

const LOOPBACK = rangesOf(['127.0.0.1']);

interface Given extends Partial<Omit<Exchange, 'rules'>> {
  readonly hosts?: readonly string[];
  readonly ranges?: Exchange['rules']['ranges'];
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

function ask({ hosts, ranges = LOOPBACK, timeoutMs = 5000, signal, ...given }: Given, resolve?: Resolve) {
  const listed = hosts ?? [`127.0.0.1:${server.port}`, `hook.test:${server.port}`];
  return exchange(
    {
      url: server.url,
      method: 'POST',
      body: '{}',
      contentType: 'application/json',
      headers: {},
      id: 'msg_1',
      keys: [],
      redirects: 0,
      loopback: true,
      bounds: { deadlineMs: systemClock.nowMs() + timeoutMs, signal },
      ...given,
      rules: { hosts: listed.map((host) => readHostPattern(host) as HostPattern), allowHttp: true, ranges },
    },
    { clock: systemClock, ...(resolve === undefined ? {} : { resolve }) },
  );
}

const at = (...addresses: readonly string[]): LookupAddress[] =>
  addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));

async function failureOf(asking: Promise<unknown>): Promise<Error> {
  return asking.then(
    () => expect.fail('it was answered'),
    (error: unknown) => error as Error,
  );
}

describe('the address', () => {
  const named = (): string => `http://hook.test:${server.port}/in`;

  it('that was checked is the one that is connected to: a name is looked up once', async () => {
    let lookups = 0;
    // What a name server that changes its mind would answer.
    const rebinding: Resolve = (_host, found) => {
      lookups += 1;
      found(null, lookups === 1 ? at('127.0.0.1') : at('169.254.169.254'));
    };
    await ask({ url: named() }, rebinding);
    expect([lookups, server.asked.length]).toEqual([1, 1]);
    expect(server.asked[0]?.headers.host).toBe(`hook.test:${server.port}`);
  });

  it.each([
    ['private', ['10.0.0.1']],
    ['of this machine', ['127.0.0.1']],
    ['of metadata', ['169.254.169.254']],
    ['mapped into IPv6', ['::ffff:127.0.0.1']],
    ['one of several', ['93.184.216.34', '127.0.0.1']],
    ['of IPv6 among public ones', ['2606:4700::1111', '::1']],
  ])('%s is refused before anything is sent', async (_what, addresses) => {
    const error = await failureOf(
      ask({ url: named(), ranges: rangesOf([]) }, (_host, found) => found(null, at(...addresses))),
    );
    expect(error).toBeInstanceOf(HttpTargetRefused);
    expect(passingOf(error)).toBeUndefined();
    expect(server.asked).toEqual([]);
  });

  it('written into the URL is checked too, where nothing is looked up', async () => {
    const error = await failureOf(ask({ ranges: rangesOf([]) }));
    expect(error).toBeInstanceOf(HttpTargetRefused);
    const mapped = `http://[::ffff:127.0.0.1]:${server.port}/`;
    const asked = ask({ url: mapped, hosts: [`[::ffff:7f00:1]:${server.port}`], ranges: rangesOf([]) });
    expect(await failureOf(asked)).toBeInstanceOf(HttpTargetRefused);
    expect(server.asked).toEqual([]);
  });

  it('that is not there may be there the next time', async () => {
    const unknown: Resolve = (_host, found) => found(new Error('getaddrinfo ENOTFOUND'), []);
    const empty: Resolve = (_host, found) => found(null, []);
    for (const resolve of [unknown, empty])
      expect(passingOf(await failureOf(ask({ url: named() }, resolve)))).toEqual({});
  });
});

describe('a redirect', () => {
  const redirect = (status: number, location: string) => json(status, {}, { location });

  it('is not followed unless that is allowed', async () => {
    server.answer = redirect(307, `${server.url}/next`);
    const error = await failureOf(ask({}));
    expect(error).toBeInstanceOf(HttpRequestFailed);
    expect(error.message).toContain('redirects allows 0');
    expect([passingOf(error), server.asked.length]).toEqual([undefined, 1]);
  });

  it('is followed as often as allowed, with the same body, and with headers of the user to the same place only', async () => {
    server.answer = ({ url }, response) =>
      void (
        url === '/'
          ? response.writeHead(308, { location: '/b' })
          : response.writeHead(307, { location: `${other.url}/c` })
      ).end();
    const hosts = [`127.0.0.1:${server.port}`, `127.0.0.1:${other.port}`];
    const { body } = await ask({ redirects: 2, hosts, body: '{"n":1}', headers: { Authorization: 'Bearer 1' } });
    expect(JSON.parse(body)).toEqual({ status: 'success', retval: 2 });
    expect(server.asked.map(({ url, headers }) => [url, headers.authorization])).toEqual([
      ['/', 'Bearer 1'],
      ['/b', 'Bearer 1'],
    ]);
    expect(other.asked.map(({ url, body: sent, headers }) => [url, sent, headers.authorization])).toEqual([
      ['/c', '{"n":1}', undefined],
    ]);
    expect((await failureOf(ask({ redirects: 1, hosts }))).message).toContain('redirects allows 1');
  });

  it.each([
    ['to a host that is not listed', () => `${other.url}/`],
    ['to a metadata address', () => 'http://169.254.169.254/latest/meta-data/'],
    ['to another scheme', () => 'file:///etc/passwd'],
    ['to a name with a user', () => `http://a:b@127.0.0.1:${server.port}/`],
  ])('%s is refused', async (_what, location) => {
    server.answer = redirect(307, location());
    expect(await failureOf(ask({ redirects: 3 }))).toBeInstanceOf(HttpTargetRefused);
    expect([server.asked.length, other.asked.length]).toEqual([1, 0]);
  });

  it('to a listed name with a private address is refused', async () => {
    server.answer = redirect(307, `http://hook.test:${server.port}/`);
    const error = await failureOf(ask({ redirects: 1 }, (_host, found) => found(null, at('10.0.0.1'))));
    expect(error).toBeInstanceOf(HttpTargetRefused);
  });

  it('that would turn POST into GET is refused, and one without an address', async () => {
    server.answer = redirect(302, `${server.url}/next`);
    expect((await failureOf(ask({ redirects: 1 }))).message).toContain('turn POST into GET');
    server.answer = json(307, {});
    expect((await failureOf(ask({ redirects: 1 }))).message).toContain('not where to');
  });
});

describe('what a request may cost', () => {
  it('an answer that never comes ends in time, and may come the next time', async () => {
    server.answer = () => {};
    const error = await failureOf(ask({ timeoutMs: 30 }));
    expect(error.message).toContain('did not answer in time');
    expect(passingOf(error)).toEqual({});
  });

  it('an answer that never ends, too', async () => {
    server.answer = (_asked, response) => void response.writeHead(200).write('{');
    expect((await failureOf(ask({ timeoutMs: 60 }))).message).toContain('did not answer in time');
  });

  it('a task that is stopped stops its request', async () => {
    const abort = new AbortController();
    server.answer = () => abort.abort();
    expect((await failureOf(ask({ signal: abort.signal }))).message).toContain('was stopped');
  });

  it('a long answer is cut off', async () => {
    const part = 'a'.repeat(65_536);
    server.answer = (_asked, response) => {
      response.writeHead(200);
      for (let parts = 0; parts < 5; parts += 1) response.write(part);
    };
    const error = await failureOf(ask({}));
    expect(error.message).toContain('more than 262144 bytes');
    expect(passingOf(error)).toBeUndefined();
  });

  it('headers of a length that nobody needs, too', async () => {
    server.answer = (_asked, response) => void response.writeHead(200, { 'x-long': 'a'.repeat(20_000) }).end();
    expect((await failureOf(ask({}))).message).toContain('could not be asked');
  });

  it('nothing is unpacked', async () => {
    server.answer = json(200, {}, { 'content-encoding': 'gzip' });
    expect((await failureOf(ask({}))).message).toContain("content-encoding 'gzip'");
    expect(server.asked[0]?.headers['accept-encoding']).toBe('identity');
  });

  it('a connection that breaks may hold the next time', async () => {
    server.answer = (_asked, response) => void response.socket?.destroy();
    const error = await failureOf(ask({}));
    expect(error).toBeInstanceOf(HttpRequestFailed);
    expect(passingOf(error)).toEqual({});
    server.answer = (_asked, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('{');
      response.socket?.end();
    };
    expect(passingOf(await failureOf(ask({})))).toEqual({});
  });
});

describe('a status', () => {
  it.each([408, 425, 429, 500, 502, 503, 504, 507])('%i passes', async (status) => {
    server.answer = json(status, { status: 'failure', reason: 'later' });
    const error = await failureOf(ask({}));
    expect(error).toMatchObject({ status, message: `http://127.0.0.1:${server.port} answered ${status}: later.` });
    expect(passingOf(error)).toEqual({});
  });

  it.each([400, 401, 403, 404, 409, 410, 422])('%i does not', async (status) => {
    server.answer = json(status, 'no');
    const error = await failureOf(ask({}));
    expect(error).toMatchObject({ status });
    expect(passingOf(error)).toBeUndefined();
  });

  it('tells when to come again', async () => {
    server.answer = json(503, {}, { 'retry-after': '120' });
    expect(passingOf(await failureOf(ask({})))).toEqual({ retryAfterSeconds: 120 });
    const nowMs = Date.parse('2030-01-01T00:00:00Z');
    expect(retryAfter('Tue, 01 Jan 2030 00:01:30 GMT', nowMs)).toBe(90);
    expect(retryAfter('Mon, 31 Dec 2029 00:00:00 GMT', nowMs)).toBe(0);
    expect(retryAfter('99999999', nowMs)).toBe(86_400);
    for (const text of [undefined, '', 'soon', '-5', '1e400', 'NaN'])
      expect([text, retryAfter(text, nowMs)].filter((each) => Number.isNaN(each))).toEqual([]);
  });
});

describe('an answer', () => {
  const of = (body: string) => ({ body, place: 'https://a.test', status: 200 });

  it('in Celery’s protocol is its value, or its reason', () => {
    expect(retvalOf(of('{"status": "success", "retval": {"a": [1]}}'))).toEqual({ a: [1] });
    expect(retvalOf(of('{"status": "success"}'))).toBeNull();
    expect(() => retvalOf(of('{"status": "failure", "reason": "full"}'))).toThrow('a failure: full');
    expect(() => retvalOf(of('{"status": "failure", "reason": {"a": 1}}'))).toThrow('{"a":1}');
    for (const body of ['', '1', 'null', '[]', '{}', '{"status": "done"}'])
      expect(() => retvalOf(of(body))).toThrow('answered neither');
    expect(() => retvalOf(of('<html>'))).toThrow('no JSON');
  });

  it('of any JSON is itself', () => {
    expect(jsonOf(of(' '))).toBeNull();
    expect(jsonOf(of('[1]'))).toEqual([1]);
  });

  it('with a long reason is cut', () => {
    const reason = 'x'.repeat(100_000);
    expect(() => retvalOf(of(JSON.stringify({ status: 'failure', reason })))).toThrow(/^.{900,1200}$/);
  });
});

describe('a signature', () => {
  const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
  const old = `whsec_${Buffer.alloc(24, 9).toString('base64')}`;

  it('is what Standard Webhooks read, with the new secret and with the old one', async () => {
    const keys = [secret, old].map((each) => keyOf(each) as Buffer);
    await ask({ keys, body: '{"ünï":"cödé"}', id: 'msg_2' });
    const { headers, body } = server.asked[0] ?? expect.fail();
    for (const each of [secret, old])
      expect(new Webhook(each).verify(body, headers as Record<string, string>)).toEqual({ ünï: 'cödé' });
    expect(() => new Webhook(old.replace('C', 'D')).verify(body, headers as Record<string, string>)).toThrow();
    expect(() => new Webhook(secret).verify(`${body} `, headers as Record<string, string>)).toThrow();
    expect(headers['webhook-id']).toBe('msg_2');
  });

  it('is left out where there is no secret', async () => {
    await ask({});
    expect(server.asked[0]?.headers['webhook-signature']).toBeUndefined();
    expect(server.asked[0]?.headers['webhook-id']).toBe('msg_1');
  });
});
