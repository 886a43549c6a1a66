/** Webhooks through the public API, in virtual time, with a real server on loopback. */
import { Celeriac, chain, InvalidOption, Reject, silentLogger, type WebhookOptions } from 'celeriac';
import { World } from 'celeriac/testing';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import { derivedId } from '../../lib/base/ids.ts';
import { AskedServer, json } from '../support/asked-server.ts';

let server: AskedServer;
beforeAll(async () => {
  server = await AskedServer.start(json(204, ''));
});
afterAll(() => server[Symbol.asyncDispose]());
beforeEach(() => {
  server.asked.length = 0;
  server.answer = json(200, {});
});

const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`;
const START = new Date('2030-01-01T00:00:00Z');
const LOCAL = { allowHttp: true, allowPrivate: ['127.0.0.1'] } as const;

function newApp(): Celeriac {
  return new Celeriac('hooks', {
    resultExpires: '30d',
    queues: { default: {}, orders: { fifo: true }, fast: { priorities: [0, 5] } },
    logger: silentLogger,
  });
}

function hook(options: Partial<WebhookOptions> = {}): WebhookOptions {
  return { ...LOCAL, url: `${server.url}/hooks`, ...options };
}

const posted = (): unknown[] => server.asked.map(({ body }) => JSON.parse(body));
const idOf = (id: string, retries: number, state: string): string => derivedId(`${id}:webhook:${retries}:${state}`);

describe('the webhook of a task', () => {
  it('tells its result, signed, under an id of its own', async () => {
    const app = newApp();
    const add = app.task(
      'add',
      { webhook: hook({ secret: () => SECRET, headers: { 'x-a': 'b' } }) },
      (x: number, y: number) => x + y,
    );
    using world = new World(app, { start: START });
    const result = await add.delay(2, 3);
    await world.run();
    const [asked] = server.asked;
    expect(posted()).toEqual([
      {
        type: 'task.succeeded',
        timestamp: '2030-01-01T00:00:00.000Z',
        data: { task: 'add', id: result.id, state: 'SUCCESS', retries: 0, result: 5 },
      },
    ]);
    const id = idOf(result.id, 0, 'SUCCESS');
    expect(asked).toMatchObject({ method: 'POST', url: '/hooks', headers: { 'webhook-id': id, 'x-a': 'b' } });
    const sent = new Date(Number(asked?.headers['webhook-timestamp']) * 1000);
    expect(asked?.headers['webhook-signature']).toBe(new Webhook(SECRET).sign(id, sent, asked?.body ?? ''));
  });

  it('tells a failure, a rejection and a revocation, each once; retries it tells not', async () => {
    const app = newApp();
    const fail = app.task('fail', { webhook: hook(), maxRetries: 1, autoretryFor: [TypeError] }, (kind: string) => {
      if (kind === 'reject') throw new Reject('too big', { requeue: false });
      throw new TypeError(`no ${kind}`);
    });
    using world = new World(app, { start: START });
    const failed = await fail.delay('luck');
    const rejected = await fail.delay('reject');
    const revoked = await fail.applyAsync(['x'], { countdown: 60 });
    await revoked.revoke();
    await world.advance('1h');
    const data = posted()
      .map((event) => event as { readonly type: string; readonly data: object })
      .toSorted((a, b) => a.type.localeCompare(b.type));
    expect(data.map(({ type, data: each }) => [type, each])).toEqual([
      [
        'task.failed',
        { task: 'fail', id: failed.id, state: 'FAILURE', retries: 1, error: { type: 'TypeError', message: 'no luck' } },
      ],
      [
        'task.rejected',
        {
          task: 'fail',
          id: rejected.id,
          state: 'REJECTED',
          retries: 0,
          error: { type: 'TaskRejectedError', message: 'too big' },
        },
      ],
      [
        'task.revoked',
        {
          task: 'fail',
          id: revoked.id,
          state: 'REVOKED',
          retries: 0,
          error: expect.objectContaining({ type: 'TaskRevokedError' }),
        },
      ],
    ]);
  });

  it('tells the result of a task that stores none, and leaves out what is asked for or too long', async () => {
    const app = newApp();
    const quiet = app.task('quiet', { webhook: hook(), ignoreResult: true }, () => ({
      at: new Date('2029-01-01T00:00:00Z'),
    }));
    const bare = app.task('bare', { webhook: hook({ payload: 'state' }) }, () => 'secret');
    const long = app.task('long', { webhook: hook() }, () => 'ä'.repeat(40_000));
    using world = new World(app, { start: START });
    await quiet.delay();
    await world.run();
    await bare.delay();
    await world.run();
    await long.delay();
    await world.run();
    expect(posted()).toMatchObject([
      { data: { task: 'quiet', result: { at: '2029-01-01T00:00:00.000Z' } } },
      { data: { task: 'bare', state: 'SUCCESS' } },
      { data: { task: 'long', resultOmitted: true } },
    ]);
    expect(server.asked.map(({ body }) => /secret|ää/.test(body))).toEqual([false, false, false]);
  });

  it('is sent until it is taken, for days, under the same id', async () => {
    const app = newApp();
    const task = app.task('t', { webhook: hook() }, () => 1);
    const answers = [503, 404, 500];
    server.answer = (asked, response) => json(answers.shift() ?? 200, {})(asked, response);
    using world = new World(app, { start: START });
    const result = await task.delay();
    await world.advance('4s');
    expect(server.asked).toHaveLength(1);
    await world.advance('3s');
    expect(server.asked).toHaveLength(2);
    await world.advance('3h');
    expect(server.asked).toHaveLength(4);
    await world.advance('1d');
    expect(server.asked).toHaveLength(4);
    expect(new Set(server.asked.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
    expect(await result.get()).toBe(1);
  });

  it('is given up after three days, or at once where it is not wanted; the task has ended all the same', async () => {
    const app = newApp();
    const task = app.task('t', { webhook: hook() }, () => 1);
    using world = new World(app, { start: START });
    server.answer = json(500, {});
    const result = await task.delay();
    await world.advance('4d');
    expect(server.asked).toHaveLength(10);
    expect(await app.result(idOf(result.id, 0, 'SUCCESS')).state()).toBe('FAILURE');
    server.asked.length = 0;
    server.answer = json(410, {});
    await task.delay();
    await world.advance('1h');
    expect(server.asked).toHaveLength(1);
  });

  it('goes where its function says, to listed hosts only', async () => {
    const app = newApp();
    const url = (_outcome: object, [to]: readonly unknown[]): string | undefined => {
      if (to === 'throw') throw new Error('no address today');
      return to as string | undefined;
    };
    const task = app.task('t', { webhook: hook({ url, hosts: [`127.0.0.1:${server.port}`] }) }, (_to?: string) => 1);
    using world = new World(app, { start: START });
    const own = await task.delay(`${server.url}/mine`);
    const none = await task.delay();
    const evil = await task.delay('http://169.254.169.254/');
    const thrown = await task.delay('throw');
    await world.advance('1h');
    expect(server.asked.map(({ url: asked }) => asked)).toEqual(['/mine']);
    const endOf = async ({ id }: { readonly id: string }): Promise<unknown> =>
      app
        .result(idOf(id, 0, 'SUCCESS'))
        .get({ propagate: false, timeout: 0 })
        .catch(String);
    expect(await endOf(evil)).toMatchObject({ code: 'HTTP_TARGET_REFUSED' });
    expect(String(await endOf(thrown))).toContain('no address today');
    expect(await app.result(idOf(none.id, 0, 'SUCCESS')).state()).toBe('PENDING');
    expect(await own.get()).toBe(1);
  });

  it('comes from a step of a chain, from lanes and from FIFO queues, and from what never ran; not from what runs eagerly', async () => {
    const app = newApp();
    const one = app.task('one', { webhook: hook(), queue: 'orders' }, (n: number) => n + 1);
    const two = app.task(
      'two',
      { webhook: hook({ on: ['SUCCESS', 'REVOKED'] }), queue: 'fast', priority: 0 },
      (n: number) => n * 2,
    );
    using world = new World(app, { start: START });
    const result = await chain(one.s(1), two.s()).delay();
    await two.applyAsync([1], { expires: 1, countdown: 60 });
    await world.advance('1h');
    expect(await result.get()).toBe(4);
    const told = (posted() as { readonly data: { readonly task: string; readonly state: string } }[]).map(
      ({ data }) => `${data.task} ${data.state}`,
    );
    expect(told.toSorted()).toEqual(['one SUCCESS', 'two REVOKED', 'two SUCCESS']);
    await one.apply([1]);
    await world.advance('1h');
    expect(server.asked).toHaveLength(3);
  });

  it('is posted once, whatever crashes and comes twice', async () => {
    const runs = [];
    for (let seed = 1; seed <= 6; seed += 1) {
      server.asked.length = 0;
      const app = newApp();
      const task = app.task('t', { webhook: hook() }, (n: number) => n);
      using world = new World(app, {
        start: START,
        seed,
        faults: { duplicate: 0.3, crash: 0.05, error: 0.1, partialFailure: 0.1 },
      });
      const sent = await Promise.all([1, 2, 3].map((n) => task.delay(n).catch(() => undefined)));
      await world.advance('1d');
      runs.push(
        sent.every(
          (each) =>
            each === undefined ||
            server.asked.some(({ headers }) => headers['webhook-id'] === idOf(each.id, 0, 'SUCCESS')),
        ),
      );
    }
    expect(runs).toEqual(Array.from({ length: 6 }, () => true));
  });
});

describe('a webhook at its declaration', () => {
  it.each([
    [{ webhook: 'https://a.example' }, "webhook of task 'x'"],
    [{ webhook: {} }, "url of the webhook of task 'x'"],
    [{ webhook: { url: 'http://a.example' } }, 'https is allowed'],
    [{ webhook: { url: 'https://a.example', on: [] } }, "on of the webhook of task 'x'"],
    [{ webhook: { url: 'https://a.example', on: ['RETRY'] } }, "on of the webhook of task 'x'"],
    [{ webhook: { url: 'https://a.example', payload: 'none' } }, "payload of the webhook of task 'x'"],
    [{ webhook: { url: 'https://a.example', method: 'PUT' } }, "'method' is no option"],
    [{ webhook: { url: 'https://a.example', secret: 'x' } }, "secret of the webhook of task 'x'"],
    [{ webhook: { url: () => 'https://a.example' } }, "hosts of the webhook of task 'x'"],
  ])('%j is refused', (options, why) => {
    expect(() => newApp().task('x', options as never, () => 1)).toThrow(InvalidOption);
    expect(() => newApp().task('x', options as never, () => 1)).toThrow(why);
  });
});
