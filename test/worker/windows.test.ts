/** What follows window by window: how full a window is, how far a list has come, and where an invocation stops. */
import { ManualClock } from 'celeriac/testing';
import { describe, expect, it } from 'vitest';

import { CANVAS_WINDOW_BYTES, CANVAS_WINDOW_MESSAGES } from '../../lib/base/limits.ts';
import type { Ports } from '../../lib/ports/ports.ts';
import type { Prepared } from '../../lib/producer/publish.ts';
import { SettleInterrupted } from '../../lib/worker/deadline.ts';
import { inWindows, Outbox, Progress, unlessRefused } from '../../lib/worker/windows.ts';
import { NOW } from '../support/slot-rig.ts';

const passing = (): Error => Object.assign(new Error('not now'), { retryable: true });
const denied = (): Error => Object.assign(new Error('denied'), { name: 'AccessDeniedException', $fault: 'client' });
const prepared = (characters = 1): Prepared => ({ outgoing: { queue: 'q', body: 'x'.repeat(characters) } }) as Prepared;

describe('an outbox', () => {
  it('is full by messages, and empty when they are taken', () => {
    const outbox = new Outbox();
    expect([outbox.isEmpty, outbox.isFull]).toEqual([true, false]);
    for (let count = 1; count < CANVAS_WINDOW_MESSAGES; count += 1) outbox.add(prepared());
    expect([outbox.isEmpty, outbox.isFull]).toEqual([false, false]);
    outbox.add(prepared());
    expect(outbox.isFull).toBe(true);
    expect(outbox.take()).toHaveLength(CANVAS_WINDOW_MESSAGES);
    expect([outbox.isEmpty, outbox.isFull, outbox.take()]).toEqual([true, false, []]);
  });

  it('is full by bytes, of what was added since', () => {
    const outbox = new Outbox();
    outbox.add(prepared(CANVAS_WINDOW_BYTES - 2));
    outbox.add(prepared());
    expect(outbox.isFull).toBe(false);
    outbox.add(prepared());
    expect(outbox.isFull).toBe(true);
    outbox.take();
    outbox.add(prepared(CANVAS_WINDOW_BYTES - 1));
    expect(outbox.isFull).toBe(false);
  });
});

interface Store {
  readonly stored?: Readonly<Record<string, number>>;
  readonly thrown?: Error;
}

function rig({ stored, thrown }: Store = {}, seconds = 60) {
  const clock = new ManualClock(NOW);
  const did: string[] = [];
  const records: unknown[] = [];
  const answer = <T>(name: string, value: T): Promise<T> => {
    did.push(name);
    return thrown === undefined ? Promise.resolve(value) : Promise.reject(thrown);
  };
  const ports = {
    clock,
    groups: {
      definition: (id: string, nowMs: number) =>
        answer(`read ${id} ${nowMs - NOW}`, stored && { definition: JSON.stringify(stored) }),
      define: (record: { readonly definition: string }) => {
        records.push(record);
        return answer(`write ${record.definition}`, undefined);
      },
      forget: (id: string) => answer(`forget ${id}`, undefined),
    },
  } as unknown as Ports;
  const progress = new Progress(() => 'name', ports, { startMs: NOW, deadlineMs: NOW + seconds * 1000 });
  return { clock, did, records, progress };
}

describe('how far a list has come', () => {
  it('is read once, and is nothing at first', async () => {
    const { progress, did } = rig();
    expect([await progress.of('a'), await progress.of('b')]).toEqual([0, 0]);
    await progress.finish();
    expect(did).toEqual(['read name 0']);
  });

  it('is what an earlier invocation wrote, which goes when all is sent', async () => {
    const { progress, did } = rig({ stored: { a: 500 } });
    expect([await progress.of('a'), await progress.of('b')]).toEqual([500, 0]);
    await progress.finish();
    expect(did).toEqual(['read name 0', 'forget name']);
  });

  it('is written every eight windows, and what is left when it is to be', async () => {
    const { progress, did, records, clock } = rig();
    await progress.of('a');
    await progress.save();
    for (let window = 1; window <= 7; window += 1) await progress.advance('a', window * 500);
    expect(did).toEqual(['read name 0']);
    clock.moveTo(NOW + 1500);
    await progress.advance('b', 20);
    expect(records).toEqual([
      {
        groupId: 'name',
        size: 2,
        createdMs: NOW + 1500,
        definition: '{"a":3500,"b":20}',
        expiresAtSeconds: NOW / 1000 + 1 + 3600,
      },
    ]);
    await progress.save();
    expect(records).toHaveLength(1);
    await progress.advance('b', 40);
    await progress.save();
    await progress.finish();
    expect(did.slice(2)).toEqual(['write {"a":3500,"b":40}', 'forget name']);
  });

  it('is not written where nobody has asked how far it was', async () => {
    const { progress, did } = rig();
    for (let window = 1; window <= 9; window += 1) await progress.advance('a', window);
    expect(did).toEqual([]);
  });

  it('that may not be stored: all goes on without it, and nothing is to be forgotten', async () => {
    const { progress, did } = rig({ thrown: denied(), stored: { a: 5 } });
    expect(await progress.of('a')).toBe(0);
    await progress.advance('a', 1);
    await progress.save();
    await progress.finish();
    expect(did).toEqual(['read name 0', 'write {"a":1}']);
  });

  it('that cannot be stored now is waited for', async () => {
    await expect(rig({ thrown: passing() }).progress.of('a')).rejects.toThrow('not now');
  });

  it.each([
    // A quarter of a short invocation, and ten seconds of a long one.
    [20, 14.999, false],
    [20, 15, true],
    [60, 49.999, false],
    [60, 50, true],
  ])('of %i s, %f s later: stops %s, once a window is done', async (seconds, laterSeconds, stops) => {
    const { progress, clock } = rig({}, seconds);
    clock.moveTo(NOW + laterSeconds * 1000);
    await progress.of('a');
    progress.checkTime();
    await progress.advance('a', 1);
    const check = (): void => progress.checkTime();
    if (stops) expect(check).toThrow(SettleInterrupted);
    else check();
  });
});

it('what is refused for good is nothing, and what passes is thrown', async () => {
  expect(await unlessRefused(() => Promise.resolve(1))).toBe(1);
  expect(await unlessRefused(() => Promise.reject(denied()))).toBeUndefined();
  await expect(unlessRefused(() => Promise.reject(passing()))).rejects.toThrow('not now');
});

describe('a list', () => {
  async function walk(count: number, { stored, fullAt = Infinity }: Store & { readonly fullAt?: number } = {}) {
    const { progress, did } = rig(stored === undefined ? {} : { stored });
    let full = 0;
    const outbox = {
      get isFull() {
        return full >= fullAt;
      },
    };
    const steps: string[] = [];
    let run = 0;
    const flush = (): void => {
      if (run > 0) steps.push(String(run));
      run = 0;
    };
    const note = (name: string) => () => {
      flush();
      steps.push(name);
      full = 0;
      return Promise.resolve();
    };
    const indexes: number[] = [];
    await inWindows(
      { outbox, progress, drain: note('drain'), finish: note('finish') },
      'list',
      Array.from({ length: count }, (_, index) => index * 2),
      (item, index) => {
        indexes.push(index);
        if (item !== index * 2) throw new Error('another item');
        run += 1;
        full += 1;
        return Promise.resolve();
      },
    );
    flush();
    return { steps, did, indexes };
  }

  it('that is short goes as it is, and asks no store', async () => {
    expect(await walk(3)).toEqual({ steps: ['3'], did: [], indexes: [0, 1, 2] });
    expect((await walk(0)).steps).toEqual([]);
    expect((await walk(CANVAS_WINDOW_MESSAGES)).steps).toEqual(['500']);
  });

  it('that is short and fills its window is sent in between', async () => {
    expect((await walk(5, { fullAt: 2 })).steps).toEqual(['2', 'drain', '2', 'drain', '1']);
  });

  it('that is long goes window by window, each sent and counted before the next', async () => {
    const { steps, did } = await walk(1001);
    expect(steps).toEqual(['500', 'drain', 'finish', '500', 'drain', 'finish', '1', 'drain', 'finish']);
    expect(did).toEqual(['read name 0']);
  });

  it('that is long goes on where it was', async () => {
    const { steps, indexes } = await walk(1001, { stored: { list: 1000 } });
    expect([steps, indexes]).toEqual([['1', 'drain', 'finish'], [1000]]);
  });
});
