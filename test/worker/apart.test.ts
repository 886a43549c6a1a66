/** What came again runs after all others of its batch, and alone where it may be what ended its worker. */
import { Celeriac } from 'celeriac';
import { ManualClock } from 'celeriac/testing';
import { describe, expect, it } from 'vitest';

import { DEADLINE_MARGIN_SECONDS } from '../../lib/base/limits.ts';
import type { TaskRecord } from '../../lib/ports/backend.ts';
import type { Delivery } from '../../lib/ports/delivery.ts';
import type { TaskDefinition } from '../../lib/task/registry.ts';
import type { Message } from '../../lib/wire/message.ts';
import { inOrder, OFTEN_RECEIVED, placeOf, runApart, wasBegun } from '../../lib/worker/apart.ts';
import type { Worker } from '../../lib/worker/worker.ts';

const delivery = (messageId: string, receiveCount = 1): Delivery => ({
  messageId,
  receipt: 'r',
  body: '',
  queue: 'default',
  receiveCount,
});

describe('the order of a batch', () => {
  it('what comes for the first time comes first, as it came', () => {
    const [again, ...fresh] = [delivery('a', 2), delivery('z'), delivery('b')].map((each) => [each]);
    expect(inOrder([again as Delivery[], ...fresh])).toEqual([...fresh, again]);
    expect([placeOf([]), placeOf([delivery('a', 1)]), placeOf([delivery('a', 0)])]).toEqual([0, 0, 0]);
  });

  it('of two receives the second is the first in reverse, and each pair has another', () => {
    const ids = ['a', 'b', 'c', 'd', 'e'];
    const orderAt = (receiveCount: number): string[] =>
      inOrder(ids.map((id) => [delivery(id, receiveCount)])).map(([head]) => head?.messageId ?? '');
    for (const first of [2, 4, 6, 8]) {
      expect(orderAt(first + 1)).toEqual(orderAt(first).toReversed());
      for (const id of ids) {
        const [one, other] = [placeOf([delivery(id, first)]), placeOf([delivery(id, first + 1)])];
        expect(one + other).toBe(2 ** 32 + 2);
        expect(Math.min(one, other)).toBeGreaterThan(0);
        expect(Math.max(one, other)).toBeLessThanOrEqual(2 ** 32 + 1);
      }
    }
    expect(new Set([2, 4, 6, 8].map((count) => orderAt(count).join())).size).toBe(4);
  });

  it.each<[string, Partial<TaskRecord> | undefined, boolean]>([
    ['of which nothing is stored', undefined, false],
    ['that was never claimed', {}, false],
    ['whose last attempt was an earlier one', { attempt: 1, deliveries: 3, committed: 1 }, false],
    ['whose next attempt has begun', { attempt: 3 }, true],
    ['that was committed', { attempt: 2, committed: 2 }, true],
    ['whose earlier attempt was committed', { attempt: 2, committed: 1 }, false],
    ['that was claimed', { attempt: 2, deliveries: 1 }, true],
    ['that was claimed and given back', { attempt: 2, deliveries: 1, requeues: 1 }, false],
    ['that was claimed again since', { attempt: 2, deliveries: 2, requeues: 1 }, true],
  ])('an attempt %s was begun: %s', (_what, record, begun) => {
    expect(wasBegun(record && ({ id: 'a', status: 'STARTED', ...record } as TaskRecord), 2)).toBe(begun);
  });
});

const SECONDS = 100;
const START_MS = 1_900_000_000_000;

interface Batch {
  readonly width?: number;
  /** By message id, as the store has them. */
  readonly records?: Readonly<Record<string, Partial<TaskRecord>>>;
  readonly timeLimits?: Readonly<Record<string, number>>;
  readonly softLimits?: Readonly<Record<string, number>>;
  readonly idempotent?: boolean;
  readonly get?: () => Promise<never>;
  /** What is known of it comes later. */
  readonly slow?: string;
  /** Each lane holds two messages. */
  readonly pairs?: boolean;
  /** Until then others have the room for large messages. */
  readonly room?: Promise<unknown>;
  /** Those that are too large to be read beside each other. */
  readonly large?: readonly string[];
}

/** Messages of these ids and receives; each runs until it is told to end. */
function batch(receives: Readonly<Record<string, number>>, given: Batch = {}) {
  const { width = 2, records = {}, timeLimits = {}, softLimits = {}, idempotent = false } = given;
  const app = new Celeriac('apart', { queues: { default: { batchConcurrency: width } } });
  const clock = new ManualClock(START_MS);
  const told: string[] = [];
  const asked: string[] = [];
  const ends = new Map<string, () => void>();
  let room = given.room ?? Promise.resolve();
  const worker = {
    app,
    ports: {
      clock,
      backend: {
        get: async ([id = '']: readonly string[]) => {
          asked.push(id);
          if (id === given.slow) for (let turn = 0; turn < 2; turn += 1) await clock.nextTurn();
          const record = records[id];
          return given.get?.() ?? [record && { id, status: 'STARTED', ...record }];
        },
      },
    },
    invocation: { deadlineMs: START_MS + SECONDS * 1000 },
    invocationStartMs: START_MS,
    exclusively: (task: () => Promise<unknown>) => {
      const turn = room.then(task);
      room = turn;
      return turn;
    },
  } as unknown as Worker;
  const definitionOf = (id: string): TaskDefinition =>
    ({
      options: {
        idempotent,
        timeLimitSeconds: timeLimits[id] ?? null,
        softTimeLimitSeconds: softLimits[id] ?? null,
      },
    }) as TaskDefinition;
  const done = runApart(
    Object.entries(receives).map(([id, receiveCount]) => [delivery(id, receiveCount)]),
    worker,
    async ([one], of) => {
      if (given.large?.includes(one?.messageId ?? '') === true) {
        await of.exclusively(async () => {
          told.push(`${one?.messageId} has the room`);
          await new Promise<void>((resolve) => ends.set(one?.messageId ?? '', resolve));
        });
        return;
      }
      const id = one?.messageId ?? '';
      const message = { id, retries: 0, celeriac: {} } as Message;
      told.push(`${id} begins`);
      const runs = await of.mayRun?.(message, one as Delivery, definitionOf(id));
      told.push(runs === true ? `${id} runs` : `${id} does not`);
      if (runs === true) await new Promise<void>((resolve) => ends.set(id, resolve));
      if (given.pairs === true && (await of.mayRun?.(message, one as Delivery, definitionOf(id))) === true)
        told.push(`${id} runs its second`);
    },
  );
  const settled = async (): Promise<string[]> => {
    for (let turn = 0; turn < 5; turn += 1) await clock.nextTurn();
    return told.splice(0);
  };
  return {
    clock,
    asked,
    done,
    settled,
    end: (id: string): Promise<string[]> => {
      ends.get(id)?.();
      return settled();
    },
  };
}

const BEGUN = { attempt: 0, deliveries: 1 };

describe('the turns of a batch', () => {
  it('as many at once as the queue says', async () => {
    const it = batch({ a: 1, b: 1, c: 1 });
    expect(await it.settled()).toEqual(['a begins', 'b begins', 'a runs', 'b runs']);
    expect(await it.end('b')).toEqual(['c begins', 'c runs']);
    expect([await it.end('a'), await it.end('c')]).toEqual([[], []]);
    await it.done;
    // Of what comes for the first time nothing is asked.
    expect(it.asked).toEqual([]);
  });

  it('what had been begun waits until all others have ended', async () => {
    const it = batch({ bad: 2, a: 1, b: 1, c: 1 }, { records: { bad: BEGUN } });
    expect(await it.settled()).toEqual(['a begins', 'b begins', 'a runs', 'b runs']);
    expect(await it.end('a')).toEqual(['c begins', 'c runs']);
    expect(await it.end('b')).toEqual(['bad begins']);
    expect(it.asked).toEqual(['bad']);
    expect(await it.end('c')).toEqual(['bad runs']);
    await it.end('bad');
    await it.done;
  });

  it('what came again and had not been begun runs beside the others', async () => {
    const it = batch({ a: 1, again: 2 });
    expect(await it.settled()).toEqual(['a begins', 'again begins', 'a runs', 'again runs']);
    await it.end('a');
    await it.end('again');
    await it.done;
  });

  it.each<[string, number, Batch, readonly string[]]>([
    ['an idempotent task, of which nothing tells', 2, { idempotent: true }, []],
    ['what came very often', OFTEN_RECEIVED + 1, {}, []],
  ])('%s, runs alone, unasked', async (_what, receiveCount, given, asked) => {
    const it = batch({ a: 1, bad: receiveCount }, given);
    expect(await it.settled()).toEqual(['a begins', 'bad begins', 'a runs']);
    expect(await it.end('a')).toEqual(['bad runs']);
    expect(it.asked).toEqual(asked);
    await it.end('bad');
    await it.done;
  });

  it('what came just as often as is nothing of its own is asked about', async () => {
    const it = batch({ a: 1, again: OFTEN_RECEIVED });
    expect(await it.settled()).toContain('again runs');
    expect(it.asked).toEqual(['again']);
    await it.end('a');
    await it.end('again');
    await it.done;
  });

  it('a store that refuses for good tells nothing; one that passes ends the batch', async () => {
    const refused = batch({ a: 2 }, { get: () => Promise.reject(new Error('denied')) });
    expect(await refused.settled()).toEqual(['a begins', 'a runs']);
    await refused.end('a');
    await refused.done;
    const passing = batch(
      { a: 2 },
      { get: () => Promise.reject(Object.assign(new Error('not now'), { retryable: true })) },
    );
    await expect(passing.done).rejects.toThrow('not now');
  });

  const [first = '', second = ''] = ['p', 'q'].toSorted(
    (left, right) => placeOf([delivery(left, 2)]) - placeOf([delivery(right, 2)]),
  );
  const BOTH = { records: { p: BEGUN, q: BEGUN } };

  it('they begin in their order, whoever was known first', async () => {
    const it = batch({ a: 1, p: 2, q: 2 }, { ...BOTH, width: 3, slow: first });
    await it.settled();
    expect(await it.end('a')).toEqual([`${first} runs`]);
    expect(await it.end(first)).toEqual([`${second} runs`]);
    await it.end(second);
    await it.done;
  });

  it('who runs alone runs what else its lane holds', async () => {
    const it = batch({ a: 1, p: 2, q: 2 }, { ...BOTH, pairs: true });
    await it.settled();
    expect(await it.end('a')).toEqual(['a runs its second', `${first} runs`]);
    expect(await it.end(first)).toEqual([`${first} runs its second`, `${second} runs`]);
    await it.end(second);
    await it.done;
  });

  it('its last moment is over once it runs', async () => {
    const it = batch({ p: 2, q: 2 }, { ...BOTH, timeLimits: { [first]: 50, [second]: 10 } });
    expect(await it.settled()).toContain(`${first} runs`);
    it.clock.moveTo(START_MS + (SECONDS - 20) * 1000);
    expect(await it.end(first)).toEqual([`${second} runs`]);
    await it.end(second);
    await it.done;
  });

  it('beside one that came for the first time: when that or the other ends, the next still waits', async () => {
    const given = { ...BOTH, width: 3, timeLimits: { [first]: 50, [second]: 10 } };
    for (const ends of ['a', first]) {
      const it = batch({ a: 1, p: 2, q: 2 }, given);
      await it.settled();
      it.clock.moveTo(START_MS + (SECONDS - 50) * 1000);
      expect(await it.settled()).toEqual([`${first} runs`]);
      expect(await it.end(ends)).toEqual([]);
      it.clock.moveTo(START_MS + (SECONDS - 10) * 1000);
      expect(await it.settled()).toEqual([ends === 'a' ? `${second} does not` : `${second} runs`]);
      for (const id of ['a', first, second]) await it.end(id);
      await it.done;
    }
  });

  it('two of them run one after the other, and nothing beside them', async () => {
    const it = batch({ p: 2, q: 2 }, BOTH);
    expect(await it.settled()).toEqual([`${first} begins`, `${second} begins`, `${first} runs`]);
    expect(await it.end(first)).toEqual([`${second} runs`]);
    await it.end(second);
    await it.done;
  });
});

describe('what waits to run alone, at the last moment for its time limit', () => {
  const LEFT_MS = (SECONDS - DEADLINE_MARGIN_SECONDS) * 1000;

  it.each<[string, Batch, number]>([
    ['its time limit', { timeLimits: { bad: 30 } }, LEFT_MS - 30_000],
    ['its soft time limit', { softLimits: { bad: 20 } }, LEFT_MS - 20_000],
    // A quarter of the invocation is what it asks for; it begins in the first half.
    ['half of the invocation, without one', {}, LEFT_MS / 2],
  ])('runs beside those that came for the first time, with room for %s', async (_what, given, afterMs) => {
    const it = batch({ a: 1, bad: 2 }, { records: { bad: BEGUN }, ...given });
    await it.settled();
    it.clock.moveTo(START_MS + afterMs - 1);
    expect(await it.settled()).toEqual([]);
    it.clock.moveTo(START_MS + afterMs);
    expect(await it.settled()).toEqual(['bad runs']);
    await it.end('a');
    await it.end('bad');
    await it.done;
  });

  it('comes again where as many run as may run at once', async () => {
    const [bad = '', again = ''] = ['p', 'q'].toSorted(
      (left, right) => placeOf([delivery(left, 2)]) - placeOf([delivery(right, 2)]),
    );
    const it = batch({ a: 1, p: 2, q: 2 }, { records: { [bad]: BEGUN } });
    // Who waits leaves its turn to the next.
    expect(await it.settled()).toEqual(['a begins', `${bad} begins`, 'a runs', `${again} begins`, `${again} runs`]);
    it.clock.moveTo(START_MS + LEFT_MS / 2);
    expect(await it.settled()).toEqual([`${bad} does not`]);
    for (const id of ['a', again]) await it.end(id);
    await it.done;
  });

  it('does not run beside one that runs alone', async () => {
    const records = { one: BEGUN, other: BEGUN };
    const it = batch({ one: 2, other: 2 }, { records });
    const begun = await it.settled();
    const second = begun[1]?.split(' ')[0] ?? '';
    it.clock.moveTo(START_MS + LEFT_MS / 2);
    expect(await it.settled()).toEqual([`${second} does not`]);
    await it.end(begun[0]?.split(' ')[0] ?? '');
    await it.done;
  });
});

describe('large messages', () => {
  it('one after the other; who waits for the room leaves its turn to the next, and is itself the next to begin', async () => {
    const it = batch({ big: 1, huge: 1, a: 1, b: 1, c: 1 }, { large: ['big', 'huge'] });
    // Each of the two gives its turn away before it knows that the room is free.
    expect(await it.settled()).toEqual(['a begins', 'b begins', 'a runs', 'b runs']);
    expect(await it.end('a')).toEqual(['big has the room']);
    expect(await it.end('big')).toEqual(['huge has the room']);
    expect(await it.end('b')).toEqual(['c begins', 'c runs']);
    await it.end('huge');
    await it.end('c');
    await it.done;
  });

  it('one by itself takes its turn again', async () => {
    const it = batch({ big: 1 }, { large: ['big'] });
    expect(await it.settled()).toEqual(['big has the room']);
    await it.end('big');
    await it.done;
  });

  it('who gets the room while another runs alone waits for that', async () => {
    const room = Promise.withResolvers<undefined>();
    const it = batch({ big: 1, bad: 2 }, { large: ['big'], room: room.promise, records: { bad: BEGUN } });
    expect(await it.settled()).toEqual(['bad begins', 'bad runs']);
    room.resolve(undefined);
    expect(await it.settled()).toEqual([]);
    expect(await it.end('bad')).toEqual(['big has the room']);
    await it.end('big');
    await it.done;
  });
});
