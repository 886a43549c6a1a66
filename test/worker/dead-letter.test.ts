/** All ways to a dead-letter queue: each letter says the same things, as far as they are known. */
import { globSync, readFileSync } from 'node:fs';

import { Celeriac, Reject } from 'celeriac';
import type { World } from 'celeriac/testing';
import { describe, expect, it } from 'vitest';

import { MAX_HOPS, REFUSED_RECEIVES, SQS_MAX_MESSAGE_BYTES, UNKNOWN_TASK_DEFERRALS } from '../../lib/base/limits.ts';
import { deadLetter } from '../../lib/worker/dead-letter.ts';
import { againSeconds } from '../../lib/worker/give-up.ts';
import { deliver } from '../support/one-delivery.ts';
import type { Tap } from '../support/port-taps.ts';
import { newWorld } from '../support/worlds.ts';

const ID = 'the-id';
const START_MS = Date.UTC(2030, 0, 1);
const clock = { nowMs: () => START_MS } as never;

function envelope(headers: object = {}, body = '[[], {}, {}]'): string {
  return JSON.stringify({
    body,
    'content-encoding': 'utf-8',
    'content-type': 'application/json',
    headers: { lang: 'py', task: 'job', id: ID, root_id: ID, ...headers },
    properties: { correlation_id: ID, delivery_info: { routing_key: 'default' } },
  });
}

interface Arrival {
  readonly body: string;
  readonly receiveCount?: number;
  readonly lost?: true;
  readonly prepare?: (world: World) => void;
}

/** One delivery; what then lies in the dead-letter queue. */
async function deadLettersOf({ body, receiveCount = 1, lost, prepare }: Arrival) {
  const { app, world } = newWorld(declare);
  prepare?.(world);
  const delivery = { messageId: 'm', receipt: 'r', body, queue: 'default', receiveCount };
  const invocation = { deadlineMs: world.clock.nowMs() + 60_000, requestId: 'request' };
  const deliveries = [lost === true ? { ...delivery, lostFrom: 'default' } : delivery];
  await (lost === true ? app.consumeLost(deliveries, invocation) : app.consume(deliveries, invocation));
  return world.deadLetters();
}

function declare(app: Celeriac): void {
  app.task('job', () => 1);
  app.task('rejects', () => {
    throw new Reject('too big');
  });
  app.task('dies', { acksLate: false }, () => 1);
}

/** An earlier delivery has claimed it and never came back. */
const claimedBefore = (world: World): void =>
  void world.backend.claim([
    {
      id: ID,
      attempt: 0,
      owner: 'dead',
      nowMs: START_MS - 2,
      leaseMs: START_MS - 1,
      name: 'dies',
      queue: 'default',
      meta: '{"status":"STARTED"}',
      expiresAtSeconds: START_MS,
    },
  ]);

const refusing = (world: World): void => {
  world.backend.claim = () => Promise.reject(refusal());
};

const storingNothing = (world: World): void => {
  refusing(world);
  world.backend.conclude = () => Promise.reject(refusal());
};

function refusal(): Error {
  return Object.assign(new Error('denied'), { name: 'AccessDeniedException', $fault: 'client' });
}

const UNNAMED = { reason: 'invalid message', error: /^InvalidMessage: / };

it.each<[string, Arrival, { reason: string; error: RegExp; task?: string; deliveries?: number }]>([
  [
    'Reject',
    { body: envelope({ task: 'rejects' }) },
    { reason: 'too big', error: /^Reject: too big$/, task: 'rejects' },
  ],
  [
    'a worker that was lost',
    { body: envelope({ task: 'dies' }), prepare: claimedBefore },
    { reason: 'worker lost', error: /^WorkerLostError: /, task: 'dies', deliveries: 2 },
  ],
  [
    'too many hops',
    { body: envelope({ celeriac: { hops: MAX_HOPS + 1 } }) },
    { reason: 'hop limit', error: /^HopLimitExceeded: /, task: 'job' },
  ],
  [
    'an unknown task',
    { body: envelope({ task: 'none', celeriac: { unknown: UNKNOWN_TASK_DEFERRALS } }) },
    { reason: 'not registered', error: /^NotRegistered: none$/, task: 'none' },
  ],
  [
    'a store that refuses the claim',
    { body: envelope(), receiveCount: REFUSED_RECEIVES, prepare: refusing },
    { reason: 'cannot be handled', error: /^AccessDeniedException: denied$/, task: 'job' },
  ],
  [
    'a store that refuses everything',
    { body: envelope(), receiveCount: REFUSED_RECEIVES, prepare: storingNothing },
    { reason: 'cannot be handled', error: /^AccessDeniedException: denied$/, task: 'job' },
  ],
  ['a message that cannot be read', { body: envelope({ eta: 7 }) }, { ...UNNAMED, task: 'job' }],
  ['one that does not say whose it is', { body: 'hello' }, UNNAMED],
  [
    'the lost queue',
    { body: envelope(), lost: true, receiveCount: 2 },
    { reason: 'worker lost', error: /^WorkerLostError: /, task: 'job' },
  ],
  ['the lost queue, and it cannot be read', { body: envelope({ eta: 7 }), lost: true }, { ...UNNAMED, task: 'job' }],
  ['the lost queue, and it does not say whose it is', { body: 'hello', lost: true }, UNNAMED],
])('%s', async (_what, way, { reason, error, task, deliveries = way.receiveCount ?? 1 }) => {
  expect(await deadLettersOf(way)).toEqual([
    {
      body: way.body,
      attributes: {
        reason,
        error: expect.stringMatching(error),
        origin_queue: 'default',
        failed_at: '2030-01-01T00:00:00.000Z',
        deliveries: String(deliveries),
        ...(task === undefined ? {} : { task, task_id: ID }),
      },
    },
  ]);
});

it('a timer whose queue is gone: it was never delivered', async () => {
  const { world } = newWorld(declare);
  const timer = { id: ID, attempt: 0, dueMs: START_MS, message: { queue: 'gone', body: envelope() } };
  await world.timers.put([timer]);
  await world.advance('20m');
  expect(world.deadLetters()).toMatchObject([
    { attributes: { reason: 'cannot be sent', task: 'job', task_id: ID, deliveries: '0', origin_queue: 'default' } },
  ]);
  expect(Object.keys(world.deadLetters()[0]?.attributes ?? {})).toContain('failed_at');
});

it('what comes to the lost queue unread has a state where it says whose it is', async () => {
  const { app, world } = newWorld(declare);
  await app.consumeLost(
    [{ messageId: 'm', receipt: 'r', body: envelope({ eta: 7 }), queue: 'default', receiveCount: 1 }],
    { deadlineMs: world.clock.nowMs() + 60_000, requestId: 'request' },
  );
  await expect(app.result(ID).get({ timeout: 1 })).rejects.toMatchObject({ code: 'INVALID_MESSAGE' });
});

describe('what SQS would refuse', () => {
  const delivery = { messageId: 'm', receipt: 'r', body: '{}', queue: 'default', receiveCount: 1 };
  const app = new Celeriac('letters');

  it('an attribute that is empty or long, or is no text', () => {
    const made = deadLetter(delivery, { reason: '', error: `a\u0000${'b'.repeat(9000)}` }, undefined, {
      app,
      ports: { clock },
    });
    expect(made.attributes).not.toHaveProperty('reason');
    expect(made.attributes?.['error']).toHaveLength(1024);
    expect(made.attributes?.['error']).not.toContain('\u0000');
  });

  it('a message without room: its bytes stay, and the last attributes give way', () => {
    const body = 'x'.repeat(SQS_MAX_MESSAGE_BYTES - 40);
    const made = deadLetter({ ...delivery, body }, { reason: 'too big', error: 'e'.repeat(90) }, undefined, {
      app,
      ports: { clock },
    });
    expect(made).toMatchObject({ body, attributes: { reason: 'too big' } });
    expect(made.attributes).not.toHaveProperty('error');
  });
});

it('is made in one file', () => {
  const files = globSync('lib/{worker,beat,producer,app}/*.ts');
  const making = files.filter((path) => /deadLetter: true,|failed_at/.test(readFileSync(path, 'utf8')));
  expect(making).toEqual(['lib/worker/dead-letter.ts']);
});

it.each([
  [10_000, ['reason', 'error', 'task', 'task_id', 'origin_queue', 'failed_at', 'deliveries']],
  // Name, text and 'String': 13 and 12 bytes.
  [25, ['reason', 'error']],
  [24, ['reason']],
  [13, ['reason']],
  [12, ['error']],
  [11, []],
])('attributes give way where %i bytes are free', (free, expected) => {
  const { app } = newWorld(declare);
  const body = 'x'.repeat(SQS_MAX_MESSAGE_BYTES - free);
  const delivery = { messageId: 'm', receipt: 'r', body, queue: 'default', receiveCount: 1 };
  const named = { id: ID, task: 'job' };
  const letter = deadLetter(delivery, { reason: 'r', error: 'e' }, named, { app: app as never, ports: { clock } });
  expect(Object.keys(letter.attributes ?? {})).toEqual(expected);
});

describe('a letter that is not sent', () => {
  const refusing = (retryable: boolean) => async () => {
    const app = new Celeriac('letters');
    let tries = 0;
    const outcome = await deliver({
      app,
      body: envelope({ celeriac: { hops: MAX_HOPS + 1 } }),
      delivery: { receiveCount: REFUSED_RECEIVES },
      tap: (call, go) => {
        if (call !== 'broker.send') return go();
        tries += 1;
        return Promise.resolve([{ ok: false, code: 'No', message: 'no', retryable }]);
      },
    });
    return { ...outcome, tries };
  };

  it('for now is sent when its message comes again', async () => {
    const { tries, acked, lines } = await refusing(true)();
    expect([tries, acked, lines.some(([, text]) => text.includes('could not be given up'))]).toEqual([1, false, false]);
  });

  it('for good is tried once more without what follows, and told with its stack', async () => {
    const { tries, acked, lines } = await refusing(false)();
    expect([tries, acked]).toEqual([3, false]);
    const line = lines.find(([, text]) => text.includes('could not be given up'));
    expect(line?.[2]).toMatchObject({ stack: expect.stringContaining('dead letter was not sent'), queue: 'default' });
  });
});

it('a message that cannot be read is tried again ever more slowly where its letter is not sent', async () => {
  const passing = Object.assign(new Error('not now'), { retryable: true });
  const tap: Tap = (call, go) => (call === 'broker.send' ? Promise.reject(passing) : go());
  for (const receiveCount of [1, 3]) {
    const { shown } = await deliver({ app: new Celeriac('x'), body: '{', delivery: { receiveCount }, tap });
    expect(shown).toEqual([againSeconds(receiveCount)]);
  }
});

it('what passes is waited for, however often the message came', async () => {
  const denied = Object.assign(new Error('denied'), { name: 'AccessDeniedException', $fault: 'client' });
  const passing = Object.assign(new Error('not now'), { retryable: true });
  const app = new Celeriac('x');
  app.task('job', () => 1);
  const { acked, letters } = await deliver({
    app,
    delivery: { receiveCount: REFUSED_RECEIVES },
    tap: (call, go) =>
      call === 'backend.claim' ? Promise.reject(denied) : call === 'backend.conclude' ? Promise.reject(passing) : go(),
  });
  expect([acked, letters]).toEqual([false, []]);
});
