/** How far a long list has come: written down rarely, never for short ones, and in time before an invocation ends. */
import { type GroupRecord, type Ports } from 'celeriac';
import { ManualClock } from 'celeriac/testing';
import { describe, expect, it } from 'vitest';

import { CANVAS_WINDOW_BYTES, CANVAS_WINDOW_MESSAGES } from '../../lib/base/limits.ts';
import type { Prepared } from '../../lib/producer/publish.ts';
import { SettleInterrupted } from '../../lib/worker/deadline.ts';
import { inWindows, Outbox, Progress } from '../../lib/worker/windows.ts';

const START = 1_900_000_000_500;
const MINUTE = 60_000;

interface Rig {
  readonly progress: Progress;
  readonly clock: ManualClock;
  readonly calls: [name: string, value: unknown][];
}

function rig(stored?: Readonly<Record<string, number>>, lastsMs = MINUTE): Rig {
  const clock = new ManualClock(START);
  const calls: Rig['calls'] = [];
  const groups = {
    definition: async (name: string, nowMs: number) => {
      calls.push(['definition', [name, nowMs]]);
      return Promise.resolve(stored && ({ definition: JSON.stringify(stored) } as GroupRecord));
    },
    define: async (record: GroupRecord) => Promise.resolve(void calls.push(['define', record])),
    forget: async (name: string) => Promise.resolve(void calls.push(['forget', name])),
  };
  const ports = { clock, groups } as unknown as Ports;
  return { progress: new Progress(() => 'p', ports, { startMs: START, deadlineMs: START + lastsMs }), clock, calls };
}

const named = ({ calls }: Rig): string[] => calls.map(([name]) => name);

describe('what is written down', () => {
  it('nothing of what was never begun, and nothing is forgotten', async () => {
    const played = rig();
    await played.progress.save();
    await played.progress.finish();
    expect(played.calls).toEqual([]);
  });

  it('it is read once for all lists', async () => {
    const played = rig({ links: 1000 });
    expect([await played.progress.of('links'), await played.progress.of('chain')]).toEqual([1000, 0]);
    expect(played.calls).toEqual([['definition', ['p', START]]]);
  });

  it('every eighth window, whole, for an hour', async () => {
    const played = rig({ links: 1000 });
    await played.progress.of('links');
    await played.progress.of('chain');
    for (let window = 1; window <= 16; window += 1) {
      await played.progress.advance('chain', window);
      expect(named(played).filter((name) => name === 'define')).toHaveLength(Math.floor(window / 8));
    }
    expect(played.calls.at(-1)).toEqual([
      'define',
      {
        groupId: 'p',
        size: 2,
        createdMs: START,
        definition: JSON.stringify({ links: 1000, chain: 16 }),
        expiresAtSeconds: Math.floor(START / 1000) + 3600,
      },
    ]);
    // All of it is there.
    await played.progress.save();
    expect(named(played)).toEqual(['definition', 'define', 'define']);
  });

  it('what lies between goes with the last word', async () => {
    const played = rig();
    await played.progress.of('links');
    await played.progress.advance('links', 500);
    expect(named(played)).toEqual(['definition']);
    await played.progress.save();
    expect(named(played)).toEqual(['definition', 'define']);
  });

  it('it is forgotten when all is sent, if it was ever stored', async () => {
    const fresh = rig();
    await fresh.progress.of('links');
    await fresh.progress.advance('links', 500);
    await fresh.progress.finish();
    expect(named(fresh)).toEqual(['definition']);
    await fresh.progress.save();
    await fresh.progress.finish();
    expect(fresh.calls.at(-1)).toEqual(['forget', 'p']);
    const earlier = rig({ links: 500 });
    await earlier.progress.of('links');
    await earlier.progress.finish();
    expect(named(earlier)).toEqual(['definition', 'forget']);
  });
});

describe('the time of an invocation', () => {
  it.each([
    [MINUTE, 10_000],
    [900_000, 10_000],
    [20_000, 5000],
  ])('of %i ms the last %i ms are kept', async (lastsMs, reserveMs) => {
    const { progress, clock } = rig(undefined, lastsMs);
    await progress.advance('links', 1);
    clock.moveTo(START + lastsMs - reserveMs - 1);
    expect(() => progress.checkTime()).not.toThrow();
    clock.moveTo(START + lastsMs - reserveMs);
    expect(() => progress.checkTime()).toThrow(SettleInterrupted);
    // One window at least is done by each.
    const late = rig(undefined, lastsMs);
    late.clock.moveTo(START + lastsMs);
    expect(() => late.progress.checkTime()).not.toThrow();
  });
});

const message = (length: number): Prepared => ({ outgoing: { body: 'x'.repeat(length) } }) as Prepared;

describe('messages that wait', () => {
  it('are full at a number, and at a number of bytes', () => {
    const [byNumber, byBytes] = [new Outbox(), new Outbox()];
    for (let index = 1; index < CANVAS_WINDOW_MESSAGES; index += 1) byNumber.add(message(1));
    byBytes.add(message(CANVAS_WINDOW_BYTES - 1));
    for (const outbox of [byNumber, byBytes]) {
      expect([outbox.isEmpty, outbox.isFull]).toEqual([false, false]);
      outbox.add(message(1));
      expect(outbox.isFull).toBe(true);
      const taken = outbox.take();
      expect(taken).toHaveLength(outbox === byBytes ? 2 : CANVAS_WINDOW_MESSAGES);
      expect([outbox.isEmpty, outbox.isFull, outbox.take()]).toEqual([true, false, []]);
    }
  });
});

describe('a list', () => {
  /** Each item brings `per` messages; what was done, in its order. */
  async function walk(size: number, per: number, played: Rig): Promise<string[]> {
    const outbox = new Outbox();
    const steps: string[] = [];
    let window: number[] = [];
    const windowed = {
      outbox,
      progress: played.progress,
      drain: async () => {
        steps.push(`${window[0]}-${window.at(-1)}`, `sent ${outbox.take().length}`);
        window = [];
        return Promise.resolve();
      },
      finish: async () => Promise.resolve(void steps.push('finished')),
    };
    const items = Array.from({ length: size }, (_, index) => index);
    await inWindows(windowed, 'links', items, async (item, index) => {
      expect(item).toBe(index);
      window.push(index);
      for (let count = 0; count < per; count += 1) outbox.add(message(1));
      return Promise.resolve();
    });
    return [...steps, `left ${outbox.take().length}`];
  }
  const WINDOW = CANVAS_WINDOW_MESSAGES;

  it('of one window at most asks no store, and is sent with what comes after it', async () => {
    for (const size of [0, 1, WINDOW - 1]) {
      const played = rig();
      expect(await walk(size, 1, played)).toEqual([`left ${size}`]);
      expect(played.calls).toEqual([]);
    }
    const full = rig();
    expect(await walk(WINDOW, 1, full)).toEqual([`0-${WINDOW - 1}`, `sent ${WINDOW}`, 'left 0']);
    expect(full.calls).toEqual([]);
  });

  it('whose items bring many messages is sent in between, each item once', async () => {
    const played = rig();
    expect(await walk(5, WINDOW / 2, played)).toEqual([
      '0-1',
      `sent ${WINDOW}`,
      '2-3',
      `sent ${WINDOW}`,
      `left ${WINDOW / 2}`,
    ]);
    expect(played.calls).toEqual([]);
  });

  it('that is longer goes window by window, each finished before the next', async () => {
    const played = rig();
    expect(await walk(2 * WINDOW + 1, 1, played)).toEqual([
      `0-${WINDOW - 1}`,
      `sent ${WINDOW}`,
      'finished',
      `${WINDOW}-${2 * WINDOW - 1}`,
      `sent ${WINDOW}`,
      'finished',
      `${2 * WINDOW}-${2 * WINDOW}`,
      'sent 1',
      'finished',
      'left 0',
    ]);
    await played.progress.save();
    expect(played.calls.at(-1)).toMatchObject(['define', { definition: JSON.stringify({ links: 2 * WINDOW + 1 }) }]);
  });

  it('goes on where an earlier delivery was', async () => {
    const steps = await walk(2 * WINDOW + 1, 1, rig({ links: 2 * WINDOW }));
    expect(steps).toEqual([`${2 * WINDOW}-${2 * WINDOW}`, 'sent 1', 'finished', 'left 0']);
    expect(await walk(2 * WINDOW + 1, 1, rig({ links: 2 * WINDOW + 1 }))).toEqual(['left 0']);
  });

  it('stops between two windows when the time is nearly over', async () => {
    const played = rig();
    played.clock.moveTo(START + MINUTE);
    await expect(walk(2 * WINDOW, 1, played)).rejects.toThrow(SettleInterrupted);
    await played.progress.save();
    expect(played.calls.at(-1)).toMatchObject(['define', { definition: JSON.stringify({ links: WINDOW }) }]);
  });
});
