/** HTTP tasks through the public API, in virtual time, with a real server on loopback. */
import { Celeriac, chain, chord, HttpRequestFailed, HttpTargetRefused, InvalidOption, silentLogger } from 'celeriac';
import { World } from 'celeriac/testing';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';

import { AskedServer, json, success } from '../support/asked-server.ts';

let server: AskedServer;
beforeAll(async () => {
  server = await AskedServer.start(success(1));
});
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(() => {
  server.asked.length = 0;
  server.answer = success(1);
});

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const LOCAL = { allowHttp: true, allowPrivate: ['127.0.0.1'] } as const;

function newApp(): Celeriac {
  return new Celeriac('http', { queues: { default: {} }, logger: silentLogger });
}

describe('an HTTP task', () => {
  it('posts its argument, and its result is what was answered', async () => {
    const app = newApp();
    const resize = app.http<(image: { width: number }) => string>('images.resize', {
      ...LOCAL,
      url: `${server.url}/resize?v=2`,
      headers: () => ({ 'X-Tenant': 'a' }),
      secret: () => SECRET,
    });
    server.answer = success('small.png');
    using world = new World(app);
    const result = await resize.delay({ width: 200 });
    await world.run();
    expect(await result.get()).toBe('small.png');
    const [asked] = server.asked;
    expect(asked).toMatchObject({ method: 'POST', url: '/resize?v=2', body: '{"width":200}' });
    expect(asked?.headers).toMatchObject({
      'content-type': 'application/json',
      'user-agent': 'celeriac',
      'x-tenant': 'a',
      'webhook-id': result.id,
      'webhook-timestamp': String(Math.floor(world.clock.nowMs() / 1000)),
    });
    expect(asked?.headers['webhook-signature']).toBe(
      new Webhook(SECRET).sign(
        result.id,
        new Date(Number(asked?.headers['webhook-timestamp']) * 1000),
        '{"width":200}',
      ),
    );
  });

  it('is delayed, chained and counted like any other', async () => {
    const app = newApp();
    const double = app.http<(n: number) => number>('double', { ...LOCAL, url: server.url });
    const sum = app.task('sum', (all: readonly number[]) => all.reduce((left, right) => left + right, 0));
    server.answer = ({ body }, response) => success(Number(body) * 2)({} as never, response);
    using world = new World(app);
    const late = await double.applyAsync([21], { countdown: '3h' });
    const chained = await chain(double.s(1), double.s(), double.s()).delay();
    const counted = await chord([double.s(1), double.s(2)], sum.s()).delay();
    await world.run();
    expect([await chained.get(), await counted.get()]).toEqual([8, 6]);
    expect(await late.state()).toBe('PENDING');
    await world.advance('3h');
    expect(await late.get()).toBe(42);
  });

  it('called as a plain function it is a request', async () => {
    const app = newApp();
    const echo = app.http<(text: string) => string>('echo', { ...LOCAL, url: server.url });
    server.answer = success('hello');
    expect(await echo('x')).toBe('hello');
    server.answer = json(503, {});
    await expect(echo('x')).rejects.toBeInstanceOf(HttpRequestFailed);
  });

  it('writes fields into the URL of a GET, and a form where that is wanted', async () => {
    const app = newApp();
    const find = app.http('find', { ...LOCAL, url: `${server.url}/find?a=1`, method: 'GET', answer: 'json' });
    const form = app.http('form', { ...LOCAL, url: server.url, body: 'form' });
    server.answer = json(200, [1, 2]);
    using world = new World(app);
    const found = await find.delay({ q: 'x&y=z', tags: ['a', 'b'], none: null, n: 3, yes: true });
    await world.run();
    expect(await found.get()).toEqual([1, 2]);
    server.answer = success(null);
    const sent = await form.delay({ q: 'ä b' });
    const nested = await form.delay({ q: { deep: 1 } });
    await world.run();
    expect(await sent.get()).toBeNull();
    await expect(nested.get()).rejects.toThrow("'q' has fields of its own");
    expect(server.asked.map(({ method, url, body }) => [method, url, body])).toEqual([
      ['GET', '/find?a=1&q=x%26y%3Dz&tags=a&tags=b&n=3&yes=true', ''],
      ['POST', '/', 'q=%C3%A4+b'],
    ]);
  });

  it('takes one argument', async () => {
    const app = newApp();
    app.http('one', { ...LOCAL, url: server.url });
    using world = new World(app);
    const result = await app.send('one', [1, 2]);
    await world.run();
    await expect(result.get()).rejects.toMatchObject({ code: 'INVALID_ARGUMENTS' });
    expect(server.asked).toEqual([]);
  });
});

describe('a request that fails', () => {
  it('is sent again behind Retry-After, under the same id, until it is answered', async () => {
    const app = newApp();
    const task = app.http('later', { ...LOCAL, url: server.url });
    let answers = 0;
    server.answer = (asked, response) => {
      answers += 1;
      const answer =
        answers === 1 ? json(429, {}, { 'retry-after': '600' }) : answers === 2 ? json(502, {}) : success('at last');
      answer(asked, response);
    };
    using world = new World(app);
    const result = await task.delay();
    await world.run();
    expect(await result.state()).toBe('RETRY');
    await world.advance('599s');
    expect(server.asked).toHaveLength(1);
    await world.advance('10s');
    expect(await result.get()).toBe('at last');
    expect(new Set(server.asked.map(({ headers }) => headers['webhook-id']))).toEqual(new Set([result.id]));
  });

  it('ends the task after maxRetries, with the status and the reason', async () => {
    const app = newApp();
    const task = app.http('never', { ...LOCAL, url: server.url, maxRetries: 2 });
    server.answer = json(500, { status: 'failure', reason: 'disk full' });
    using world = new World(app);
    const result = await task.delay();
    await world.advance('1h');
    await expect(result.get()).rejects.toMatchObject({
      code: 'HTTP_REQUEST_FAILED',
      message: expect.stringContaining('answered 500: disk full'),
    });
    expect(server.asked).toHaveLength(3);
  });

  it('is not sent again after 4xx, nor after a failure that was told', async () => {
    const app = newApp();
    const task = app.http('no', { ...LOCAL, url: server.url });
    using world = new World(app);
    server.answer = json(404, {});
    const missing = await task.delay();
    await world.run();
    server.answer = json(200, { status: 'failure', reason: 'no such image' });
    const failed = await task.delay();
    await world.advance('1h');
    await expect(missing.get()).rejects.toThrow('answered 404');
    await expect(failed.get()).rejects.toThrow('no such image');
    expect(server.asked).toHaveLength(2);
  });

  it('is refused where its function names another host or a private address, and not tried again', async () => {
    const app = newApp();
    const options = { ...LOCAL, hosts: [`127.0.0.1:${server.port}`, 'localhost:9'] };
    const task = app.http<(url: string) => unknown>('any', { ...options, url: (url: string) => url });
    const closed = app.http<(url: string) => unknown>('closed', {
      ...options,
      allowPrivate: [],
      url: (url: string) => url,
    });
    using world = new World(app);
    const refused = await Promise.all([
      task.delay('http://169.254.169.254/latest/meta-data'),
      task.delay(`http://127.0.0.1:${server.port + 1}/`),
      closed.delay(server.url),
      closed.delay('http://localhost:9/'),
    ]);
    await world.advance('1h');
    for (const result of refused) {
      await expect(result.get()).rejects.toBeInstanceOf(HttpTargetRefused);
      expect(await result.retries()).toBe(0);
    }
    expect(server.asked).toEqual([]);
  });

  it('is refused on Lambda where it would go to the machine itself, whatever is allowed', async () => {
    vi.stubEnv('AWS_LAMBDA_FUNCTION_NAME', 'worker');
    const app = newApp();
    const task = app.http('own', { ...LOCAL, url: server.url });
    using world = new World(app);
    const result = await task.delay();
    await world.run();
    vi.unstubAllEnvs();
    await expect(result.get()).rejects.toThrow('127.0.0.1 is of this machine');
    expect(server.asked).toEqual([]);
  });

  it('tells its readers neither path nor secret', async () => {
    const app = newApp();
    const task = app.http('quiet', {
      ...LOCAL,
      url: `${server.url}/token-1?key=token-2`,
      headers: { a: 'token-3' },
      secret: SECRET,
    });
    server.answer = json(400, { token: 'token-4' });
    using world = new World(app);
    const result = await task.delay('token-5');
    await world.run();
    const error = (await result.get({ propagate: false })) as Error;
    expect(`${error.message} ${await result.traceback()}`).not.toMatch(/token|whsec/);
  });
});

describe('an HTTP task at its declaration', () => {
  const url = 'https://api.example.org/';
  it.each([
    [{ url: 'http://api.example.org/' }, "url of task 'x': A request to http://api.example.org is refused"],
    [{ url: 'nonsense' }, "url of task 'x'"],
    [{}, "url of task 'x'"],
    [{ url, method: 'TRACE' }, "method of task 'x'"],
    [{ url, method: 'GET', secret: SECRET }, "secret of task 'x'"],
    [{ url, body: 'xml' }, "body of task 'x'"],
    [{ url, answer: 'text' }, "answer of task 'x'"],
    [{ url, bind: true }, "'bind' is no option"],
    [{ url, urls: [] }, "'urls' is no option"],
    [{ url, timeout: 30, timeLimit: 20 }, "timeLimit of task 'x'"],
    [{ url, onSuccess: 1 }, 'onSuccess'],
    [{ url: () => url }, "hosts of task 'x'"],
  ])('%j is refused', (options, why) => {
    expect(() => newApp().http('x', options as never)).toThrow(InvalidOption);
    expect(() => newApp().http('x', options as never)).toThrow(why);
  });

  it('tells the stack how long it runs, and nothing of its secret', () => {
    const app = newApp();
    app.http('x', { url, timeout: '1m', secret: SECRET, headers: { authorization: 'Bearer 1' } });
    const manifest = app.manifest();
    expect(manifest.tasks['x']).toMatchObject({ timeLimitSeconds: 65 });
    expect(JSON.stringify(manifest)).not.toMatch(/whsec|Bearer/);
  });
});
