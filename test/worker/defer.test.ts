/** A message that comes too early, or whose task nobody knows yet: how it goes on, and what it says when it comes again. */
import { Celeriac, type OutgoingMessage } from 'celeriac';
import { World } from 'celeriac/testing';
import { describe, expect, it } from 'vitest';

import { SQS_MAX_VISIBILITY_SECONDS, UNKNOWN_TASK_DEFERRALS } from '../../lib/base/limits.ts';
import { decodeMessage } from '../../lib/wire/decode-message.ts';
import { tapped } from '../support/port-taps.ts';
import { checkedLines } from '../support/log-lines.ts';

const START_MS = Date.UTC(2030, 0, 1);
// As it comes they fit in SQS's message; encoded as we write it the first, and as a timer the second, do not.
const FILLS_A_MESSAGE = 'x'.repeat(900_000);
const FILLS_A_TIMER = 'x'.repeat(400_000);

interface Arrival {
  readonly task?: string;
  readonly etaSeconds?: number;
  readonly celeriac?: object;
  readonly argument?: string;
  readonly queue?: string;
  readonly receiveCount?: number;
  readonly groupId?: string;
}

/** One delivery of a message of Python's; what the worker asked of its queues, and what it logged. */
async function arrived(
  { task = 'job', etaSeconds, celeriac, argument = '1', queue = 'default', receiveCount = 1, ...more }: Arrival,
  refusal?: object,
) {
  const lines: [string, object | undefined][] = [];
  const app = new Celeriac('test', { queues: { default: {}, orders: { fifo: true } } });
  app.task('job', () => 1);
  const world = new World(app, {
    logger: checkedLines({ log: (level, _message, fields) => void lines.push([level, fields]) }),
  });
  const sent: OutgoingMessage[] = [];
  const kept: unknown[] = [];
  app.use(
    tapped(world.ports, (call, go, args) => {
      if (call === 'broker.changeVisibility') kept.push(args);
      if (call !== 'broker.send') return go();
      sent.push(...(args[0] as OutgoingMessage[]));
      return refusal === undefined ? go() : Promise.resolve([refusal]);
    }),
  );
  const eta = etaSeconds === undefined ? {} : { eta: new Date(START_MS + etaSeconds * 1000).toISOString() };
  const body = JSON.stringify({
    body: JSON.stringify([[argument], {}, {}]),
    'content-encoding': 'utf-8',
    'content-type': 'application/json',
    headers: {
      lang: 'py',
      task,
      id: 'the-id',
      root_id: 'the-id',
      ...eta,
      ...(celeriac === undefined ? {} : { celeriac }),
    },
    properties: { correlation_id: 'the-id', delivery_info: { routing_key: queue } },
  });
  const delivery = { messageId: 'm', receipt: 'r', body, queue, receiveCount, ...more };
  const { batchItemFailures } = await app.consume([delivery], { deadlineMs: START_MS + 60_000, requestId: 'request' });
  return {
    body,
    sent,
    kept,
    lines,
    world,
    failed: batchItemFailures.length,
    state: await app.result('the-id').state(),
  };
}

/** What the only message that was sent says of its way. */
function next(sent: readonly OutgoingMessage[]): object {
  expect(sent).toHaveLength(1);
  const [{ body, delaySeconds, queue } = { body: '' }] = sent;
  return { ...decodeMessage(body).celeriac, delaySeconds, queue };
}

it.each([
  [undefined, 1],
  [{ hops: 1 }, 2],
  [{ hops: 6, entry: 'tick' }, 7],
])('an ETA that lies ahead: sent with its delay, one hop on: %j', async (celeriac, hops) => {
  const { sent, failed } = await arrived({ etaSeconds: 20, ...(celeriac === undefined ? {} : { celeriac }) });
  expect(next(sent)).toEqual({ ...celeriac, hops, delaySeconds: 20, queue: 'default' });
  expect(failed).toBe(0);
});

it.each([
  [undefined, { unknown: 1, hops: 1, delaySeconds: 5 }],
  [
    { unknown: 1, hops: 1 },
    { unknown: 2, hops: 2, delaySeconds: 10 },
  ],
  [
    { unknown: 7, hops: 9 },
    { unknown: 8, hops: 10, delaySeconds: 640 },
  ],
])('an unknown task: counted, and said in the log: %j', async (celeriac, expected) => {
  const { sent, lines } = await arrived({ task: 'none', ...(celeriac === undefined ? {} : { celeriac }) });
  expect(next(sent)).toMatchObject(expected);
  expect(lines).toEqual([['warn', { task: 'none', taskId: 'the-id' }]]);
});

describe('too large to be written anew', () => {
  const argument = FILLS_A_MESSAGE;

  it.each([
    [20, undefined, 20],
    [19.2, 'tenant', 20],
    [100_000, undefined, 900],
  ])('an ETA in %d s, group %s: sent as it came', async (etaSeconds, groupId, delaySeconds) => {
    const group = groupId === undefined ? {} : { groupId };
    const { body, sent, failed } = await arrived({ argument, etaSeconds, ...group });
    expect(sent).toEqual([{ queue: 'default', body, delaySeconds, ...group }]);
    expect(failed).toBe(0);
  });

  it('a queue that does not take it now: it comes again', async () => {
    const refusal = { ok: false, code: 'Throttled', message: 'later', retryable: true };
    const { sent, failed, state } = await arrived({ argument, etaSeconds: 20 }, refusal);
    expect([sent.length, failed, state]).toEqual([1, 1, 'PENDING']);
  });

  it.each([
    [0, 5],
    [1, 5],
    [2, 10],
    [UNKNOWN_TASK_DEFERRALS, 640],
  ])('an unknown task at its receive %i waits where it is for %i s', async (receiveCount, seconds) => {
    const { sent, kept, failed } = await arrived({ argument, task: 'none', receiveCount });
    expect(sent).toEqual([]);
    expect(kept).toEqual([['default', 'r', seconds]]);
    expect(failed).toBe(1);
  });

  it('an unknown task that came too often has failed', async () => {
    const { world, failed, state } = await arrived({
      argument,
      task: 'none',
      receiveCount: UNKNOWN_TASK_DEFERRALS + 1,
    });
    expect([failed, state]).toEqual([0, 'FAILURE']);
    expect(world.deadLetters('default')).toMatchObject([{ attributes: { reason: 'not registered', task: 'none' } }]);
  });

  it.each([
    [19.2, 20],
    [SQS_MAX_VISIBILITY_SECONDS, SQS_MAX_VISIBILITY_SECONDS],
  ])('an ETA in %d s on a FIFO queue: it waits at its head', async (etaSeconds, seconds) => {
    const { sent, kept, failed } = await arrived({ argument, etaSeconds, queue: 'orders', groupId: 'one' });
    expect(sent).toEqual([]);
    expect(kept).toEqual([['orders', 'r', seconds]]);
    expect(failed).toBe(1);
  });

  it('an ETA on a FIFO queue beyond what SQS holds back: it has failed, and says so', async () => {
    const etaSeconds = SQS_MAX_VISIBILITY_SECONDS + 1;
    const { world, failed, state } = await arrived({ argument, etaSeconds, queue: 'orders', groupId: 'one' });
    expect([failed, state]).toEqual([0, 'FAILURE']);
    expect(world.deadLetters('orders')).toMatchObject([
      { attributes: { reason: 'message too large', error: expect.stringMatching(/^MessageTooLarge: .* 43200 s/) } },
    ]);
  });
});

describe('too large for a timer', () => {
  const argument = FILLS_A_TIMER;

  it('goes by the longest delay of SQS, and is put off again when it arrives', async () => {
    expect(next((await arrived({ argument, etaSeconds: 5000 })).sent)).toEqual({
      hops: 1,
      delaySeconds: 900,
      queue: 'default',
    });
    expect(next((await arrived({ argument, etaSeconds: 600 })).sent)).toEqual({
      hops: 1,
      delaySeconds: 600,
      queue: 'default',
    });
  });

  it('waits at the head of a FIFO queue', async () => {
    const { sent, kept } = await arrived({ argument, etaSeconds: 5000, queue: 'orders', groupId: 'one' });
    expect(sent).toEqual([]);
    expect(kept).toEqual([['orders', 'r', 5000]]);
  });
});
