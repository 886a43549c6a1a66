/** What comes to the lost queue, step by step: what is written, where it goes, and when it is looked at again. */
import { Celeriac, type OutgoingMessage, type SendOutcome } from 'celeriac';
import { World } from 'celeriac/testing';
import { describe, expect, it } from 'vitest';

import { LOST_QUEUE_RECEIVES, SQS_MAX_MESSAGE_BYTES } from '../../lib/base/limits.ts';
import { PUMP_TASK } from '../../lib/canvas/own-tasks.ts';
import type { ClaimRequest } from '../../lib/ports/backend.ts';
import { LOST_QUEUE, type Delivery } from '../../lib/ports/delivery.ts';
import { decodeHeaders } from '../../lib/wire/decode-message.ts';
import type { App } from '../../lib/producer/app.ts';
import { afterLostError, concludeUnsent } from '../../lib/worker/lost.ts';
import { createWorker } from '../../lib/worker/worker.ts';
import { checkedLines } from '../support/log-lines.ts';
import { tapped } from '../support/port-taps.ts';

const ID = 'the-id';

function envelope(headers: object = {}, routingKey = 'mail', body = '[[], {}, {}]'): string {
  return JSON.stringify({
    body,
    'content-encoding': 'utf-8',
    'content-type': 'application/json',
    headers: { lang: 'py', task: 'job', id: ID, root_id: ID, ...headers },
    properties: { correlation_id: ID, delivery_info: { routing_key: routingKey } },
  });
}

interface Options {
  readonly body?: string;
  readonly delivery?: Partial<Delivery>;
  readonly queues?: object;
  /** Of each message that is sent, dead letters too. */
  readonly answer?: (message: OutgoingMessage) => SendOutcome | undefined;
  readonly prepare?: (world: World) => Promise<unknown>;
  readonly times?: number;
  readonly history?: 'off';
}

interface Sent {
  readonly queue: string;
  readonly letter: boolean;
  /** How it is marked. */
  readonly lost: unknown;
  readonly message: OutgoingMessage;
}

async function lose({
  body = envelope(),
  delivery,
  queues,
  answer,
  prepare,
  times = 1,
  history = 'all' as never,
}: Options) {
  const app = new Celeriac('lost', {
    queues: { default: {}, mail: {}, ...queues } as never,
    defaultQueue: 'default',
    history,
  });
  const calls: string[] = [];
  const sent: Sent[] = [];
  const lines: string[] = [];
  const shown: unknown[] = [];
  const world = new World(app, { logger: checkedLines({ log: (level, text) => void lines.push(`${level} ${text}`) }) });
  await prepare?.(world);
  app.use(
    tapped(world.ports, (call, go, args) => {
      calls.push(call);
      if (call === 'broker.changeVisibility') {
        shown.push(args);
        return Promise.resolve();
      }
      if (call !== 'broker.send') return go();
      return Promise.resolve(
        (args[0] as readonly OutgoingMessage[]).map((message): SendOutcome => {
          const lost = message.deadLetter === true ? undefined : decodeHeaders(message.body).celeriac.lost;
          sent.push({ queue: message.queue, letter: message.deadLetter === true, lost, message });
          return answer?.(message) ?? { ok: true, messageId: 'sent' };
        }),
      );
    }),
  );
  const one: Delivery = {
    messageId: 'm',
    receipt: 'r',
    body,
    queue: LOST_QUEUE,
    lostFrom: 'mail',
    receiveCount: 1,
    ...delivery,
  };
  let response;
  for (let time = 0; time < times; time += 1)
    response = await app.consumeLost([one], { deadlineMs: world.clock.nowMs() + 60_000, requestId: 'request' });
  const [record] = await world.backend.get([ID], world.clock.nowMs());
  return {
    app,
    world,
    record,
    sent,
    calls,
    lines,
    shown,
    kept: response?.batchItemFailures.length === 1,
    steps: sent.map(({ queue, letter, lost }) => `${queue} ${letter ? 'letter' : String(lost)}`),
  };
}

const claim = (world: World, more: Partial<ClaimRequest> = {}): Promise<unknown> =>
  world.backend.claim([
    {
      id: ID,
      attempt: 0,
      owner: 'first',
      nowMs: world.clock.nowMs(),
      leaseMs: world.clock.nowMs() + 30_000,
      name: 'job',
      queue: 'mail',
      meta: '{"status":"STARTED"}',
      expiresAtSeconds: world.clock.nowMs() / 1000 + 86_400,
      ...more,
    },
  ]);
const commit = (
  world: World,
  status: string,
  attempt = 0,
  meta = `{"status":"${status}","result":1}`,
  settlement?: string,
): Promise<unknown> =>
  world.backend.commit([
    {
      id: ID,
      attempt,
      owner: 'first',
      nowMs: world.clock.nowMs(),
      status,
      final: status !== 'RETRY',
      meta,
      ...(settlement === undefined ? {} : { settlement }),
      expiresAtSeconds: world.clock.nowMs() / 1000 + 86_400,
    },
  ]);

const lostMeta = (status: string): string => `{"status":"${status}","result":{"exc_type":"WorkerLostError"}}`;

describe('a message that no worker ever handled', () => {
  it.each([undefined, 'told', 'again'])('is written down once, marked %j', async (lost) => {
    const { calls } = await lose({ body: envelope(lost === undefined ? {} : { celeriac: { lost } }) });
    expect(calls.filter((call) => call === 'backend.conclude')).toHaveLength(1);
  });

  it.each([
    ['that can be read', envelope(), 'job'],
    ['that cannot', envelope({ eta: 7 }), 'job'],
  ])('%s is in the history, unless there is none', async (_what, body, task) => {
    const { app } = await lose({ body });
    expect((await app.history.list()).entries).toMatchObject([{ id: ID, task, state: 'FAILURE' }]);
    const { record, kept } = await lose({ body, history: 'off' });
    expect([record?.status, kept]).toEqual(['FAILURE', false]);
  });

  it('and that cannot be read or sent has its letter, of no delivery', async () => {
    const { app, world, sent } = await lose({});
    const worker = createWorker(app as unknown as App, world.ports, { deadlineMs: Infinity, requestId: 'sweep' });
    const delivery = { messageId: 'm', receipt: '', body: '{', queue: 'mail', receiveCount: 4 };
    expect(await concludeUnsent(delivery, worker, 'no queue')).toEqual({ kind: 'ack' });
    expect(sent).toHaveLength(2);
    expect(world.deadLetters()).toMatchObject([{ attributes: { deliveries: '0', reason: 'invalid message' } }]);
  });

  it('has its state, its letter, and a worker is told what follows', async () => {
    const { record, steps, sent, kept, lines } = await lose({ delivery: { groupId: 'g', receiveCount: 3 } });
    expect(record).toMatchObject({ status: 'FAILURE', attempt: 0, name: 'job', queue: 'mail' });
    expect(steps).toEqual(['mail letter', 'mail told']);
    expect(sent[0]?.message).toMatchObject({
      body: envelope(),
      attributes: { reason: 'worker lost', task: 'job', task_id: ID, origin_queue: 'mail', deliveries: '3' },
    });
    const { body: _body, ...told } = sent[1]?.message ?? { body: '' };
    expect(told).toEqual({ queue: 'mail', groupId: 'g', deduplicationId: 'm-lost' });
    expect(kept).toBe(false);
    expect(lines).toEqual([
      expect.stringMatching(/^error Task job\[the-id\] FAILURE: WorkerLostError: No worker ever/),
    ]);
  });

  it('without a group is sent back without one', async () => {
    const { sent } = await lose({});
    expect(Object.keys(sent[1]?.message ?? {}).toSorted()).toEqual(['body', 'deduplicationId', 'queue']);
  });

  it.each<[string, Options, readonly string[]]>([
    // Whoever died after its state was written has sent nothing yet.
    ['that has come before', { times: 2 }, ['mail letter', 'mail told', 'mail letter', 'mail told']],
    [
      'whose task had ended otherwise',
      { prepare: async (world) => [await claim(world), await commit(world, 'SUCCESS')] },
      ['mail again'],
    ],
    [
      'whose task had failed by itself',
      {
        prepare: async (world) => [
          await claim(world),
          await commit(world, 'FAILURE', 0, '{"status":"FAILURE","result":{"exc_type":"RangeError"}}'),
        ],
      },
      ['mail again'],
    ],
    [
      'whose task had failed without a word',
      {
        prepare: async (world) => [
          await claim(world),
          await commit(world, 'FAILURE', 0, '{"status":"FAILURE","result":null}'),
        ],
      },
      ['mail again'],
    ],
    [
      'whose task was lost before, by a worker that had begun it',
      { prepare: async (world) => [await claim(world), await commit(world, 'FAILURE', 0, lostMeta('FAILURE'), '{}')] },
      ['mail again'],
    ],
    [
      'whose task had ended otherwise, with the same error',
      { prepare: async (world) => [await claim(world), await commit(world, 'REVOKED', 0, lostMeta('REVOKED'))] },
      ['mail again'],
    ],
    [
      'whose task had ended, and that comes the second time',
      {
        body: envelope({ celeriac: { lost: 'again' } }),
        prepare: async (world) => [await claim(world), await commit(world, 'SUCCESS')],
      },
      ['mail letter'],
    ],
    ['that comes the second time, after it was told', { body: envelope({ celeriac: { lost: 'told' } }) }, []],
    [
      'that comes the second time, after it was settled again',
      { body: envelope({ celeriac: { lost: 'again' } }) },
      ['mail letter'],
    ],
    ['of an attempt that was followed by another', { prepare: (world) => claim(world, { attempt: 1 }) }, []],
  ])('%s: sent are %j', async (_what, options, steps) => {
    const { steps: found, kept } = await lose(options);
    expect(found).toEqual(steps);
    expect(kept).toBe(false);
  });

  it('whose task runs waits for the end of its lease', async () => {
    const { steps, kept, shown, world } = await lose({
      prepare: (world) => claim(world, { leaseMs: world.clock.nowMs() + 29_001 }),
    });
    expect([steps, kept]).toEqual([[], true]);
    expect(shown).toEqual([[LOST_QUEUE, 'r', 31]]);
    expect(await world.backend.get([ID], world.clock.nowMs())).toMatchObject([{ status: 'STARTED' }]);
  });

  it.each([
    [undefined, 0, 'RETRY', ['mail again']],
    // The retry that was announced could not be sent: that one fails.
    ['again', 1, 'FAILURE', ['mail letter']],
  ] as const)('whose task waits for its retry, marked %j: attempt %i is %s', async (lost, attempt, status, steps) => {
    const { record, steps: found } = await lose({
      body: envelope(lost === undefined ? {} : { celeriac: { lost } }),
      prepare: async (world) => [await claim(world), await commit(world, 'RETRY')],
    });
    expect([record?.attempt, record?.status]).toEqual([attempt, status]);
    expect(found).toEqual(steps);
  });

  it('is looked at again where nothing can be written, and let go with a letter at last', async () => {
    const refused = (world: World): Promise<unknown> => {
      world.backend.conclude = () => Promise.reject(new Error('no table'));
      return Promise.resolve();
    };
    const first = await lose({ prepare: refused, delivery: { receiveCount: LOST_QUEUE_RECEIVES - 1 } });
    expect([first.steps, first.kept]).toEqual([[], true]);
    const last = await lose({ prepare: refused, delivery: { receiveCount: LOST_QUEUE_RECEIVES } });
    expect([last.steps, last.kept]).toEqual([['mail letter', 'mail told'], false]);
    expect(last.lines.filter((line) => line.includes('lost without a state: Error: no table'))).toHaveLength(1);
  });
});

it.each([
  [LOST_QUEUE_RECEIVES - 1, [], true],
  [LOST_QUEUE_RECEIVES, ['invalid message'], false],
])(
  'what cannot be read, at receive %i, while no state can be written: letters %j',
  async (receiveCount, reasons, stays) => {
    const { sent, kept } = await lose({
      // Its headers cannot be read either; whose it is can.
      body: envelope({ retries: 'many' }),
      delivery: { receiveCount },
      prepare: (world) => {
        world.backend.conclude = () => Promise.reject(Object.assign(new Error('not now'), { retryable: true }));
        return Promise.resolve();
      },
    });
    expect(sent.map(({ message }) => message.attributes?.['reason'])).toEqual(reasons);
    expect(kept).toBe(stays);
  },
);

describe('where it goes', () => {
  const refusing =
    (queue: string, retryable: boolean) =>
    (message: OutgoingMessage): SendOutcome | undefined =>
      message.queue === queue && message.deadLetter === undefined
        ? { ok: false, code: 'No', message: 'it is gone', retryable }
        : undefined;

  it.each<[string, Options, readonly string[], boolean]>([
    ['its own queue takes it later', { answer: refusing('mail', true) }, ['mail letter', 'mail told'], true],
    [
      'its own queue, at the last try',
      { answer: refusing('mail', true), delivery: { receiveCount: LOST_QUEUE_RECEIVES } },
      ['mail letter', 'mail told', 'default told'],
      false,
    ],
    [
      'its own queue takes nothing for good',
      { answer: refusing('mail', false) },
      ['mail letter', 'mail told', 'default told'],
      false,
    ],
    [
      'the default queue takes nothing: another one',
      { answer: refusing('default', false), delivery: { lostFrom: 'default' } },
      ['default letter', 'default told', 'mail told'],
      false,
    ],
    [
      'another service works off the other queue',
      { answer: refusing('default', false), delivery: { lostFrom: 'default' }, queues: { mail: { external: true } } },
      ['default letter', 'default told'],
      false,
    ],
    [
      'the other queue is FIFO',
      { answer: refusing('default', false), delivery: { lostFrom: 'default' }, queues: { mail: { fifo: true } } },
      ['default letter', 'default told'],
      false,
    ],
  ])('%s', async (_what, options, steps, kept) => {
    const { steps: found, kept: isKept, lines } = await lose(options);
    expect(found).toEqual(steps);
    expect(isKept).toBe(kept);
    const silent = kept || steps.length === 3;
    expect(lines.filter((line) => line.includes('nobody tells what follows: No: it is gone'))).toHaveLength(
      silent ? 0 : 1,
    );
  });

  it.each([
    ['where SQS says that it came from', 'mail', 'orders', 'mail'],
    ['where it says that it was sent to, of a queue that is no more', 'gone', 'orders', 'orders'],
    ['to the default queue, if it names none that is', 'gone', 'gone', 'default'],
    ['to the default queue, if it names nothing of ours', 'constructor', 'toString', 'default'],
  ])('%s', async (_what, lostFrom, routingKey, queue) => {
    const { steps } = await lose({
      body: envelope({}, routingKey),
      delivery: { lostFrom },
      queues: { orders: { fifo: true } },
    });
    expect(steps).toEqual([`${queue} letter`, `${queue} told`]);
  });

  it('nowhere, if it has no room for a mark', async () => {
    const whole = (characters: number): string => envelope({}, 'mail', 'x'.repeat(characters));
    const room = SQS_MAX_MESSAGE_BYTES - whole(0).length;
    const { steps, lines } = await lose({ body: whole(room) });
    expect(steps).toEqual(['mail letter']);
    expect(lines.at(-1)).toMatch(/nobody tells what follows: its message has no room for a mark/);
    // A mark takes some dozen bytes, in one layer of base64 that the envelope may have had.
    expect((await lose({ body: whole(500_000) })).steps).toEqual(['mail letter', 'mail told']);
  });

  it('as long as SQS takes it, and no longer', async () => {
    const told = async (characters: number): Promise<string | undefined> => {
      const { sent } = await lose({ body: envelope({}, 'mail', 'x'.repeat(characters)) });
      return sent.find(({ lost }) => lost === 'told')?.message.body;
    };
    // Four characters for three bytes.
    const most = (SQS_MAX_MESSAGE_BYTES / 4) * 3 - Buffer.from((await told(0)) ?? '', 'base64').length;
    expect((await told(most))?.length).toBe(SQS_MAX_MESSAGE_BYTES);
    expect(await told(most + 1)).toBeUndefined();
  });
});

describe('a look at slots', () => {
  const body = envelope({ task: PUMP_TASK }, 'mail', '[["slots#work#", 5], {}, {}]');

  it('is sent once more: whoever waits for a slot would wait for ever', async () => {
    const { sent, record, kept } = await lose({ body, delivery: { groupId: 'g' } });
    expect(sent.map(({ message }) => message)).toEqual([
      { queue: 'mail', body, groupId: 'g', deduplicationId: 'm-again' },
    ]);
    expect([record, kept]).toEqual([undefined, false]);
    const [plain] = (await lose({ body })).sent;
    expect(plain?.message).toEqual({ queue: 'mail', body, deduplicationId: 'm-again' });
  });

  it.each([
    [true, true],
    [false, false],
  ])('that is refused, retryable: %s, stays: %s', async (retryable, stays) => {
    const answer = (): SendOutcome => ({ ok: false, code: 'No', message: 'not now', retryable });
    const { kept, lines } = await lose({ body, answer });
    expect(kept).toBe(stays);
    expect(lines.some((line) => line.includes('It was not sent again: No'))).toBe(stays);
  });
});

it.each([
  [0, 10],
  [1, 10],
  [2, 20],
  [5, 160],
  [9, 2560],
  [10, 3600],
  [2000, 3600],
])('what could not be let go at receive %i comes back after %i s', async (receiveCount, seconds) => {
  expect(await afterLostError({ receiveCount } as Delivery)).toEqual({ kind: 'keep', seconds });
});
