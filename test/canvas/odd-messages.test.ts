/**
 * Odd but legal messages, and illegal ones: what a Celery 5.6 worker does with each stands beside it. None of them
 * stays in the queue, stops a worker, or is lost without a reason.
 */
import { deflateSync } from 'node:zlib';

import { Celeriac, silentLogger } from 'celeriac';
import { World } from 'celeriac/testing';
import { describe, expect, it } from 'vitest';

const ID = '00000000-0000-4000-8000-0000000000aa';
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const BODY = JSON.stringify([[1, 2], {}, { callbacks: null, errbacks: null, chain: null, chord: null }]);

interface Parts {
  readonly envelope?: object;
  readonly headers?: object;
  readonly properties?: object;
  readonly body?: string;
}

function envelopeOf({ envelope, headers, properties, body = base64(BODY) }: Parts = {}): string {
  return JSON.stringify({
    body,
    'content-encoding': 'utf-8',
    'content-type': 'application/json',
    headers: { task: 'proj.add', id: ID, ...headers },
    properties: { delivery_info: { exchange: '', routing_key: 'celery' }, body_encoding: 'base64', ...properties },
    ...envelope,
  });
}

async function deliver(body: string) {
  const app = new Celeriac('odd', { queues: { celery: {} }, logger: silentLogger });
  let runs = 0;
  app.task('proj.add', { params: ['x', 'y'] }, (x: number, y: number) => {
    runs += 1;
    return x + y;
  });
  const world = new World(app);
  await world.broker.send([{ queue: 'celery', body }]);
  await world.drain();
  expect(world.broker.nextVisibleMs()).toBeUndefined();
  const [deadLetter] = world.deadLetters('celery');
  return { app, runs, deadLetter, state: await app.result(ID).state() };
}

const protocol1 = { task: 'proj.add', id: ID, args: [1], kwargs: { y: 2 }, retries: 0, eta: null, expires: null };

describe('messages that run', () => {
  it.each<[what: string, celery: string, body: string]>([
    ['base64 around everything', 'runs', base64(envelopeOf())],
    ['plain JSON, not in base64', 'runs', envelopeOf()],
    ['an inner body in plain JSON', 'runs', envelopeOf({ body: BODY, properties: { body_encoding: undefined } })],
    ['embed null, and embed empty', 'runs', envelopeOf({ body: base64('[[1, 2], {}, null]') })],
    ['only task and id in the headers', 'runs', envelopeOf({ body: base64('[[1, 2], {}, {}]') })],
    ['protocol 1', 'runs', envelopeOf({ body: base64(JSON.stringify(protocol1)), envelope: { headers: {} } })],
    [
      'delivery_info without an exchange',
      'runs; its retry goes to the default queue',
      envelopeOf({ properties: { delivery_info: {} } }),
    ],
    ['no delivery_info', 'runs, and fails to shut down', envelopeOf({ properties: { delivery_info: undefined } })],
    ['an eta without an offset: UTC', 'runs', envelopeOf({ headers: { eta: '2020-01-01T00:00:00.123456' } })],
    ['headers that nobody knows', 'runs', envelopeOf({ headers: { 'x-new': { deep: [1] }, lang: 'rs' } })],
    [
      'compressed, which kombu calls gzip',
      'runs',
      envelopeOf({ body: deflateSync(BODY).toString('base64'), headers: { compression: 'application/x-gzip' } }),
    ],
  ])('%s (Celery: %s)', async (_what, _celery, body) => {
    const { app, runs, deadLetter } = await deliver(body);
    expect(runs).toBe(1);
    expect(deadLetter).toBeUndefined();
    expect(await app.result(ID).get({ timeout: 1 })).toBe(3);
  });
});

describe('messages that cannot be read are dead letters at once, unchanged, with the reason', () => {
  it.each<[what: string, celery: string, body: string, reason: RegExp]>([
    [
      'an envelope without properties',
      'unknown message, comes back for ever',
      '{"task": "proj.add", "id": "x", "args": [1, 2], "kwargs": {}}',
      /properties of the message is missing/,
    ],
    ['plain text', 'unknown message, comes back for ever', 'hello world', /no JSON/],
    ['no id', 'the worker process ends', envelopeOf({ headers: { id: undefined } }), /id is missing/],
    ['a body of two', 'the worker process ends', envelopeOf({ body: base64('[[1, 2], {}]') }), /an array of three/],
    [
      'no content type',
      'the worker process ends',
      envelopeOf({ envelope: { 'content-type': null } }),
      /content type is null/,
    ],
    [
      'an eta that is a number',
      'logged, comes back for ever',
      envelopeOf({ headers: { eta: 1893456000 } }),
      /eta is a number/,
    ],
    [
      'pickle',
      'logged, comes back for ever',
      envelopeOf({ envelope: { 'content-type': 'application/x-python-serialize', 'content-encoding': 'binary' } }),
      /never pickle/,
    ],
    [
      'yaml',
      'logged, comes back for ever',
      envelopeOf({ envelope: { 'content-type': 'application/x-yaml' } }),
      /application\/json is expected/,
    ],
    [
      'bzip2',
      'runs',
      envelopeOf({ headers: { compression: 'application/x-bz2' } }),
      /compression is 'application\/x-bz2'; zlib/,
    ],
  ])('%s (Celery: %s)', async (_what, _celery, body, reason) => {
    const { runs, deadLetter } = await deliver(body);
    expect(runs).toBe(0);
    expect(deadLetter?.body).toBe(body);
    expect(deadLetter?.attributes).toMatchObject({ reason: 'invalid message', origin_queue: 'celery' });
    expect(deadLetter?.attributes['error']).toMatch(reason);
  });
});

it('celery.backend_cleanup has nothing to do', async () => {
  const { app, deadLetter } = await deliver(
    envelopeOf({ body: base64('[[], {}, {}]'), headers: { task: 'celery.backend_cleanup' } }),
  );
  expect(deadLetter).toBeUndefined();
  expect(await app.result(ID).state()).toBe('SUCCESS');
});

describe('messages that end without a run', () => {
  it('expired (Celery: REVOKED, deleted)', async () => {
    const { app, runs, deadLetter, state } = await deliver(envelopeOf({ headers: { expires: '2020-01-01T00:00:00' } }));
    expect({ runs, deadLetter, state }).toEqual({ runs: 0, deadLetter: undefined, state: 'REVOKED' });
    await expect(app.result(ID).get({ timeout: 1 })).rejects.toMatchObject({ name: 'TaskRevokedError' });
  });

  it('an unknown task (Celery: FAILURE NotRegistered, comes back for ever, its chord is not counted)', async () => {
    const { app, runs, deadLetter, state } = await deliver(envelopeOf({ headers: { task: 'no.such' } }));
    expect({ runs, state }).toEqual({ runs: 0, state: 'FAILURE' });
    expect(deadLetter?.attributes).toMatchObject({ reason: 'not registered', task: 'no.such', task_id: ID });
    await expect(app.result(ID).get({ timeout: 1 })).rejects.toMatchObject({ name: 'NotRegistered' });
  });
});
