/** HTTP tasks and webhooks on the embedded cloud: real queues and tables, a real server, real time; and entries of a schedule. */
import { Celeriac, every, silentLogger } from 'celeriac';
import { LocalCloud } from 'celeriac/local';
import { World } from 'celeriac/testing';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';

import { AskedServer, json, success } from '../support/asked-server.ts';
import { PATIENCE_MS, PATIENCE_SECONDS } from '../support/patience.ts';

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
const LOCAL = { allowHttp: true, allowPrivate: ['127.0.0.1'], secret: (): string => SECRET } as const;
const verified = ({ body, headers }: (typeof server.asked)[number]): unknown =>
  new Webhook(SECRET).verify(body, headers as Record<string, string>);

it('an entry of a schedule may be an HTTP task: its tick is a signed request under its own id', async () => {
  const app = new Celeriac('http', { logger: silentLogger });
  const refresh = app.http<(of: { site: string }) => number>('refresh', { ...LOCAL, url: `${server.url}/refresh` });
  app.beat({ hourly: { task: refresh.s({ site: 'a' }), schedule: every('1h') } });
  using world = new World(app, { start: new Date('2030-01-01T00:30:00Z') });
  await world.advance('3h');
  expect(server.asked.map(({ url, body }) => [url, body])).toEqual(
    Array.from({ length: 3 }, () => ['/refresh', '{"site":"a"}']),
  );
  // Each tick has an id, which whoever takes it may compare.
  expect(new Set(server.asked.map(({ headers }) => headers['webhook-id'])).size).toBe(3);
});

it('on the embedded cloud: fired by the schedule, asked again, and its result stored', async () => {
  const app = new Celeriac('http', { logger: silentLogger });
  const refresh = app.http<(of: { site: string }) => number>('refresh', {
    ...LOCAL,
    url: `${server.url}/refresh`,
    defaultRetryDelay: 1,
  });
  app.beat({ often: { task: refresh.s({ site: 'b' }), schedule: every('1s') } });
  let refusals = 0;
  server.answer = (asked, response) => {
    refusals += 1;
    (refusals === 1 ? json(503, {}, { 'retry-after': '1' }) : success(7))(asked, response);
  };
  const cloud = await LocalCloud.start(app, { sweepEvery: 1 });
  try {
    await expect.poll(() => server.asked.length, { timeout: PATIENCE_MS }).toBeGreaterThanOrEqual(3);
    for (const asked of server.asked) expect(verified(asked)).toEqual({ site: 'b' });
    const [first] = server.asked;
    const id = String(first?.headers['webhook-id']);
    // The one that was refused comes again under its id.
    await expect
      .poll(() => server.asked.filter(({ headers }) => headers['webhook-id'] === id).length, { timeout: PATIENCE_MS })
      .toBe(2);
    expect(await app.result(id).get({ timeout: PATIENCE_SECONDS })).toBe(7);
  } finally {
    await cloud.stop();
  }
});

it('webhooks on the embedded cloud: signed, posted again until they are taken, and each end once', async () => {
  const app = new Celeriac('hooks', { logger: silentLogger });
  const charge = app.task(
    'charge',
    { webhook: { ...LOCAL, url: `${server.url}/hooks` }, maxRetries: 0 },
    (order: number) => {
      if (order === 2) throw new TypeError('no card');
      return { order };
    },
  );
  let isDown = true;
  server.answer = (asked, response) =>
    (isDown ? json(503, {}, { 'retry-after': '1' }) : json(204, ''))(asked, response);
  const cloud = await LocalCloud.start(app, { sweepEvery: 1 });
  try {
    const results = await app.sendMany([charge.s(1), charge.s(2)]);
    await results[0]?.get({ timeout: PATIENCE_SECONDS });
    await expect(results[1]?.get({ timeout: PATIENCE_SECONDS })).rejects.toThrow('no card');
    await expect.poll(() => server.asked.length, { timeout: PATIENCE_MS }).toBeGreaterThanOrEqual(2);
    isDown = false;
    const refused = server.asked.length;
    await expect.poll(() => server.asked.length - refused, { timeout: PATIENCE_MS }).toBeGreaterThanOrEqual(2);
    const events = server.asked.map((asked) => ({
      id: String(asked.headers['webhook-id']),
      event: verified(asked) as { readonly type: string; readonly data: { readonly id: string } },
    }));
    // Signed anew each time, under the id that it had.
    expect(new Set(events.map(({ id }) => id)).size).toBe(2);
    const told = new Map(events.map(({ event }) => [event.data.id, event.type]));
    expect(told).toEqual(
      new Map([
        [results[0]?.id, 'task.succeeded'],
        [results[1]?.id, 'task.failed'],
      ]),
    );
    const [{ event } = { event: undefined }] = events;
    expect(event).toMatchObject({ data: { task: 'charge' } });
  } finally {
    await cloud.stop();
  }
});
