/** What SQS is told of each delivery: deleted, or back when. */
import { Celeriac, type Ports } from 'celeriac';
import { World } from 'celeriac/testing';
import { describe, expect, it } from 'vitest';

import type { App } from '../../lib/producer/app.ts';
import { LOST_QUEUE, type Delivery } from '../../lib/ports/delivery.ts';
import type { Disposition } from '../../lib/worker/attempt.ts';
import { type Handling, work } from '../../lib/worker/consume.ts';
import { SettleInterrupted } from '../../lib/worker/deadline.ts';
import { createWorker, type Worker } from '../../lib/worker/worker.ts';
import { checkedLines } from '../support/log-lines.ts';

interface Line {
  readonly level: string;
  readonly message: string;
  readonly fields: unknown;
}

interface Rig {
  readonly worker: Worker;
  /** Visibility asked for: queue, receipt, seconds. */
  readonly shown: (readonly [queue: string, receipt: string, seconds: number])[];
  readonly lines: Line[];
}

function rig({ refused = false, ports: more = {} }: { refused?: boolean; ports?: Partial<Ports> } = {}): Rig {
  const app = new Celeriac('dispositions', {
    queues: { default: {}, mail: {}, orders: { fifo: true }, other: { fifo: true } },
    history: 'off',
  });
  const lines: Line[] = [];
  const shown: [string, string, number][] = [];
  const world = new World(app, { logger: checkedLines() });
  const broker: Ports['broker'] = {
    send: (items) => world.ports.broker.send(items),
    changeVisibility: (queue, receipt, seconds) => {
      shown.push([queue, receipt, seconds]);
      return refused ? Promise.reject(new Error('not now')) : Promise.resolve();
    },
  };
  const logger = checkedLines({ log: (level, message, fields) => void lines.push({ level, message, fields }) });
  const invocation = { deadlineMs: world.clock.nowMs() + 60_000, requestId: 'request' };
  return {
    worker: createWorker(app as unknown as App, { ...world.ports, broker, logger, ...more }, invocation),
    shown,
    lines,
  };
}

const delivery = (messageId: string, more: Partial<Delivery> = {}): Delivery => ({
  messageId,
  receipt: `receipt of ${messageId}`,
  body: '',
  queue: 'default',
  receiveCount: 1,
  ...more,
});

/** Each delivery ends as its message's name says; what is not named is acknowledged. */
function ending(ends: Readonly<Record<string, Disposition>>, handled: string[] = []): Handling {
  return {
    handle: ({ messageId }) => {
      handled.push(messageId);
      return Promise.resolve(ends[messageId] ?? { kind: 'ack' });
    },
    afterError: () => Promise.reject(new Error('it was not to be asked')),
  };
}

const failuresOf = async (deliveries: readonly Delivery[], worker: Worker, handling: Handling): Promise<string[]> =>
  (await work(deliveries, worker, handling)).batchItemFailures.map(({ itemIdentifier }) => itemIdentifier);

describe('one delivery', () => {
  it.each<[Disposition, readonly string[], readonly number[]]>([
    [{ kind: 'ack' }, [], []],
    [{ kind: 'keep' }, ['m'], []],
    [{ kind: 'keep', seconds: 0 }, ['m'], [0]],
    [{ kind: 'keep', seconds: 30 }, ['m'], [30]],
    // A lease that has passed while its store answered.
    [{ kind: 'keep', seconds: -3 }, ['m'], [0]],
    [{ kind: 'keep', seconds: 30, hidden: true }, ['m'], []],
    [{ kind: 'keep', hidden: true }, ['m'], []],
    [{ kind: 'keep', seconds: 30, hidden: false }, ['m'], [30]],
  ])('%j', async (disposition, failures, seconds) => {
    const { worker, shown, lines } = rig();
    expect(await failuresOf([delivery('m')], worker, ending({ m: disposition }))).toEqual(failures);
    expect(shown).toEqual(seconds.map((each) => ['default', 'receipt of m', each]));
    expect(lines).toEqual([]);
  });

  it('of the lost queue is shown there again, whatever queue it came from', async () => {
    const { worker, shown } = rig();
    await work(
      [delivery('m', { queue: 'mail', lostFrom: 'mail' })],
      worker,
      ending({ m: { kind: 'keep', seconds: 7 } }),
    );
    expect(shown).toEqual([[LOST_QUEUE, 'receipt of m', 7]]);
  });

  it('whose visibility cannot be changed stays all the same, and a line says so', async () => {
    const { worker, lines } = rig({ refused: true });
    const kept = ending({ m: { kind: 'keep', seconds: 7 } });
    expect(await failuresOf([delivery('m', { queue: 'mail' })], worker, kept)).toEqual(['m']);
    expect(lines).toEqual([{ level: 'warn', message: expect.stringContaining('not now'), fields: { queue: 'mail' } }]);
  });

  it('whose settling was interrupted comes back at once, and is no error', async () => {
    const { worker, shown, lines } = rig();
    const handling: Handling = { ...ending({}), handle: () => Promise.reject(new SettleInterrupted()) };
    expect(await failuresOf([delivery('m')], worker, handling)).toEqual(['m']);
    expect(shown).toEqual([['default', 'receipt of m', 0]]);
    expect(lines).toEqual([]);
  });

  it.each<[Disposition, readonly string[], readonly number[]]>([
    [{ kind: 'ack' }, [], []],
    [{ kind: 'keep', seconds: 12 }, ['m'], [12]],
  ])('that could not be handled: whoever takes the error says %j', async (disposition, failures, seconds) => {
    const { worker, shown, lines } = rig();
    const broken = new Error('broken');
    const asked: unknown[] = [];
    const handling: Handling = {
      handle: () => Promise.reject(broken),
      afterError: (of, _worker, error) => {
        asked.push([of.messageId, error]);
        return Promise.resolve(disposition);
      },
    };
    expect(await failuresOf([delivery('m', { queue: 'mail' })], worker, handling)).toEqual(failures);
    expect(asked).toEqual([['m', broken]]);
    expect(shown.map(([, , each]) => each)).toEqual(seconds);
    expect(lines).toEqual([
      {
        level: 'error',
        message: expect.stringContaining('broken'),
        fields: { queue: 'mail', stack: broken.stack },
      },
    ]);
  });
});

describe('a batch', () => {
  const fifo = (messageId: string, groupId: string | undefined, queue = 'orders'): Delivery =>
    delivery(messageId, { queue, ...(groupId === undefined ? {} : { groupId }) });

  it.each<[string, readonly Delivery[], Readonly<Record<string, Disposition>>, readonly string[], readonly string[]]>([
    [
      'standard messages stand for themselves',
      [delivery('a'), delivery('b'), delivery('c')],
      { a: { kind: 'keep', seconds: 5 } },
      ['a'],
      ['a 5'],
    ],
    [
      'standard messages with the same group too',
      [delivery('a', { groupId: 'g' }), delivery('b', { groupId: 'g' })],
      { a: { kind: 'keep', seconds: 5 } },
      ['a'],
      ['a 5'],
    ],
    [
      'what follows in its group stays, and comes back with its head',
      [fifo('a', 'g'), fifo('b', 'g'), fifo('c', 'g')],
      { a: { kind: 'keep', seconds: 5 } },
      ['a', 'b', 'c'],
      ['a 5', 'b 5', 'c 5'],
    ],
    [
      'what came before is done',
      [fifo('a', 'g'), fifo('b', 'g'), fifo('c', 'g')],
      { b: { kind: 'keep', seconds: 5 } },
      ['b', 'c'],
      ['b 5', 'c 5'],
    ],
    [
      'without a time each waits for its own',
      [fifo('a', 'g'), fifo('b', 'g')],
      { a: { kind: 'keep' } },
      ['a', 'b'],
      [],
    ],
    [
      'a head that is hidden already hides the others for as long',
      [fifo('a', 'g'), fifo('b', 'g')],
      { a: { kind: 'keep', seconds: 0, hidden: true } },
      ['a', 'b'],
      ['b 0'],
    ],
    [
      'other groups, and the same group of another queue, go on',
      [fifo('a', 'g'), fifo('b', 'h'), fifo('c', 'g', 'other'), fifo('d', 'g')],
      { a: { kind: 'keep', seconds: 5 } },
      ['a', 'd'],
      ['a 5', 'd 5'],
    ],
    [
      'what has no group is one',
      [fifo('a', undefined), fifo('b', undefined), fifo('c', 'g')],
      { a: { kind: 'keep', seconds: 5 } },
      ['a', 'b'],
      ['a 5', 'b 5'],
    ],
  ])('%s', async (_what, deliveries, ends, failures, seconds) => {
    const { worker, shown } = rig();
    const handled: string[] = [];
    expect((await failuresOf(deliveries, worker, ending(ends, handled))).toSorted()).toEqual(failures);
    expect(shown.map(([, receipt, each]) => `${receipt.slice('receipt of '.length)} ${each}`).toSorted()).toEqual(
      seconds,
    );
    // What is behind a head that stays is not begun.
    const kept = failures.filter((each) => !(each in ends));
    expect(handled.toSorted()).toEqual(
      deliveries.map(({ messageId }) => messageId).filter((each) => !kept.includes(each)),
    );
  });

  it.each<[number, readonly number[]]>([
    // Alone, or all of them for the first time, nothing is asked about whether it may run.
    [0, [1]],
    [0, [2]],
    [0, [1, 1]],
    [2, [1, 2]],
    [2, [3, 1]],
  ])('%i of it are told when they may run, of receives %j', async (told, receives) => {
    const { worker } = rig();
    let asked = 0;
    await work(
      receives.map((receiveCount, index) => delivery(`m${index}`, { receiveCount })),
      worker,
      {
        ...ending({}),
        handle: (_delivery, by) => {
          if (by.mayRun !== undefined) asked += 1;
          return Promise.resolve({ kind: 'ack' });
        },
      },
    );
    expect(asked).toBe(told);
  });

  it('what has no history written comes again, once', async () => {
    const { worker } = rig();
    const noted: Worker = {
      ...worker,
      history: { ...({} as NonNullable<Worker['history']>), write: () => Promise.resolve(['b', 'a']) },
    };
    const kept = ending({ a: { kind: 'keep' } });
    expect(await failuresOf([delivery('a'), delivery('b'), delivery('c')], noted, kept)).toEqual(['a', 'b']);
  });
});
