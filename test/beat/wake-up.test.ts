/** Who is woken up when, and how the timers of FIFO queues are sent then. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { Celeriac, type Delivery, type OutgoingMessage, type Ports, type SendOutcome, type Timer } from 'celeriac';
import { World } from 'celeriac/testing';

import { consumeWakeUps } from '../../lib/beat/consume-wake-ups.ts';
import { nextSequence, timerShard } from '../../lib/ports/timer-order.ts';
import { readWakeUp, WAKE_QUEUE, wakeUpsOf } from '../../lib/ports/wake-up.ts';
import { dueTimers } from '../support/due-timers.ts';

const NOW = Date.UTC(2030, 0, 1);
const SHARDS = 8;

const timer = (id: string, dueMs: number, groupId = 'g'): Timer => ({
  id,
  attempt: 0,
  dueMs,
  sequence: id,
  message: { queue: 'orders', body: id, groupId, deduplicationId: id },
});

describe('wake-ups', () => {
  it('property: each timer within two minutes has one that comes when it is due, less than a second late, for its shard', () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ aheadMs: fc.integer({ min: 1, max: 200_000 }), group: fc.string({ maxLength: 3 }) })),
        (given) => {
          const timers = given.map(({ aheadMs, group }, index) => timer(String(index), NOW + aheadMs, group));
          const partOf = (each: Timer): number => timerShard(each, SHARDS);
          const wakeUps = wakeUpsOf(
            timers.map((each) => ({ timer: each, part: partOf(each) })),
            NOW,
          );
          expect(new Set(wakeUps.map(({ delaySeconds }) => delaySeconds)).size).toBe(wakeUps.length);
          for (const each of timers) {
            const found = wakeUps.filter(
              ({ body, delaySeconds = 0 }) =>
                readWakeUp(body)?.parts.includes(partOf(each)) === true &&
                NOW + delaySeconds * 1000 >= each.dueMs &&
                NOW + delaySeconds * 1000 < each.dueMs + 1000,
            );
            expect(found).toHaveLength(each.dueMs > NOW + 120_000 ? 0 : 1);
            for (const { body } of found) expect(readWakeUp(body)?.dueMs).toBeGreaterThanOrEqual(each.dueMs);
          }
        },
      ),
    );
  });

  it.each(['', 'null', '[]', '{"due":"1","shards":[]}', '{"due":1}', '{"due":1e999', '"x"'])('%j is none', (body) => {
    expect(readWakeUp(body)).toBeUndefined();
  });

  it('names whole numbers; the store passes over those of no part', () => {
    const body = '{"due":5,"shards":[0,7,8,-1,1.5,"2",null]}';
    expect(readWakeUp(body)).toEqual({ dueMs: 5, parts: [0, 7, 8, -1] });
  });

  it('places go up, also where the clock steps back', () => {
    let nowMs = NOW;
    const clock = { nowMs: () => nowMs } as Ports['clock'];
    const sequences = [0, 0, 0, -5000, 0, 1, 1, -1].map((step) => {
      nowMs += step;
      return nextSequence(clock);
    });
    expect(sequences.toSorted()).toEqual(sequences);
    expect(new Set(sequences).size).toBe(sequences.length);
  });
});

describe('a wake-up received', () => {
  const wakeUp = (dueMs: number, receiveCount = 1): Delivery => ({
    messageId: 'm',
    receipt: 'r',
    body: JSON.stringify({ due: dueMs, shards: Array.from({ length: SHARDS }, (_, shard) => shard) }),
    queue: WAKE_QUEUE,
    receiveCount,
  });
  const AGAIN = { batchItemFailures: [{ itemIdentifier: 'm' }] };
  const DONE = { batchItemFailures: [] };

  function rig(answer: (item: OutgoingMessage) => SendOutcome | undefined): {
    world: World;
    ports: Ports;
    requests: string[][];
  } {
    const world = new World(new Celeriac('wake', { queues: { orders: { fifo: true } } }), { start: NOW });
    const requests: string[][] = [];
    const { broker } = world;
    const send = broker.send.bind(broker);
    broker.send = async (items) => {
      requests.push(items.map(({ body }) => body));
      return Promise.all(
        items.map(async (item) => answer(item) ?? (await send([item]))[0] ?? Promise.reject(new Error('no outcome'))),
      );
    };
    return { world, ports: world.ports, requests };
  }
  const failing =
    (id: string, retryable: boolean) =>
    ({ body }: OutgoingMessage): SendOutcome | undefined =>
      body === id ? { ok: false, code: 'Fault', message: 'not taken', retryable } : undefined;
  const left = async (world: World): Promise<string[]> => {
    return (await dueTimers(world.timers, NOW + 900_000)).map(({ id }) => id);
  };

  it('sends one of a group at a time, and several groups together', async () => {
    const { world, ports, requests } = rig(() => undefined);
    // Groups of one shard.
    const groups = Array.from({ length: 200 }, (_, index) => `g${index}`)
      .filter((group) => timerShard(timer('', 0, group), SHARDS) === 0)
      .slice(0, 2);
    await world.timers.put(groups.flatMap((group) => ['1', '2', '3'].map((id) => timer(`${group}.${id}`, NOW, group))));
    expect(await consumeWakeUps([wakeUp(NOW)], world.app.settings, ports)).toEqual(DONE);
    const [first, second] = groups;
    expect(requests.map((request) => request.toSorted())).toEqual(
      ['1', '2', '3'].map((id) => [`${first}.${id}`, `${second}.${id}`].toSorted()),
    );
    expect(await left(world)).toEqual([]);
  });

  it('nothing passes what was not taken, and it is tried again soon, a few times', async () => {
    const { world, ports, requests } = rig(failing('050', true));
    const ids = Array.from({ length: 150 }, (_, index) => String(index).padStart(3, '0'));
    await world.timers.put(ids.map((id) => timer(id, NOW)));
    expect(await consumeWakeUps([wakeUp(NOW)], world.app.settings, ports)).toEqual(AGAIN);
    // The second page of the shard neither.
    expect(requests.flat()).toEqual(ids.slice(0, 51));
    expect(await left(world)).toEqual(ids.slice(50));
    expect(await consumeWakeUps([wakeUp(NOW, 4)], world.app.settings, ports)).toEqual(AGAIN);
    expect(await consumeWakeUps([wakeUp(NOW, 5)], world.app.settings, ports)).toEqual(DONE);
  });

  it('what is refused for good holds up nobody, and is not tried again soon', async () => {
    const { world, ports } = rig(failing('1', false));
    await world.timers.put(['0', '1', '2'].map((id) => timer(id, NOW)));
    expect(await consumeWakeUps([wakeUp(NOW)], world.app.settings, ports)).toEqual(DONE);
    expect(await left(world)).toEqual(['1']);
  });

  it('a store that does not answer: again', async () => {
    const { world, ports } = rig(() => undefined);
    world.timers.eachDue = () => Promise.reject(new Error('throttled'));
    expect(await consumeWakeUps([wakeUp(NOW)], world.app.settings, ports)).toEqual(AGAIN);
  });

  it('what is no wake-up is let go', async () => {
    const { world, ports, requests } = rig(() => undefined);
    expect(await consumeWakeUps([{ ...wakeUp(NOW), body: 'x' }], world.app.settings, ports)).toEqual(DONE);
    expect(requests).toEqual([]);
  });

  it('by a clock that is behind: waits a little, and is woken up anew for what is farther off', async () => {
    const { world, ports, requests } = rig(() => undefined);
    await world.timers.put([timer('soon', NOW + 1500), timer('later', NOW + 30_000)]);
    const slept: number[] = [];
    world.clock.onSleep = (ms) => {
      slept.push(ms);
      world.clock.moveTo(world.clock.nowMs() + ms);
      return Promise.resolve();
    };
    expect(await consumeWakeUps([wakeUp(NOW + 1500)], world.app.settings, ports)).toEqual(DONE);
    expect(requests).toEqual([['soon']]);
    expect(await consumeWakeUps([wakeUp(NOW + 30_000)], world.app.settings, ports)).toEqual(DONE);
    expect(slept).toEqual([1500]);
    expect(requests).toEqual([['soon'], [expect.stringContaining('"due":')]]);
    expect(world.broker.depth(WAKE_QUEUE)).toMatchObject({ delayed: 1 });
  });
});
