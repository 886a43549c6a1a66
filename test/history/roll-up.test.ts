/** What ended is counted once, whoever sweeps, whoever dies in between, and however late it was written down. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import type { StatsEvery } from '../../lib/ports/history.ts';
import type { Ports } from '../../lib/ports/ports.ts';
import { type Death, dyingHistory, type Ended, HistoryStore } from '../support/history-store.ts';
import { tapped, Turns } from '../support/port-taps.ts';

const MINUTE_MS = 60_000;
// Shortly before an hour and a day are over.
const START = Date.parse('2030-05-06T23:52:10Z');
const LENGTH_MS: Readonly<Record<StatsEvery, number>> = { minute: MINUTE_MS, hour: 3_600_000, day: 86_400_000 };

interface Turn {
  readonly pick: number;
  readonly times: number;
}

type Step =
  | { readonly kind: 'end'; readonly agoMs: readonly number[]; readonly death: Death }
  | { readonly kind: 'redeliver' }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'sweep'; readonly death: Death }
  | { readonly kind: 'together'; readonly agoMs: readonly number[]; readonly turns: readonly Turn[] };

const before = fc.boolean();
// Few minutes, so that they meet; the second half of them is late.
const late = fc.array(fc.constantFrom(0, 1, 40_000, 2 * MINUTE_MS, 2 * MINUTE_MS + 1, 25 * MINUTE_MS), {
  minLength: 1,
  maxLength: 4,
});
/** Which process goes on, and by how many requests. */
const turn = fc.record({ pick: fc.nat(2), times: fc.oneof(fc.nat(3), fc.nat(15)) });
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('end' as const), agoMs: late, death: fc.record({ at: fc.nat(3), before }) }),
  fc.record({ kind: fc.constant('redeliver' as const) }),
  fc.record({
    kind: fc.constant('wait' as const),
    ms: fc.oneof(fc.nat(20_000), fc.nat(3 * MINUTE_MS), fc.nat(40 * MINUTE_MS)),
  }),
  fc.record({ kind: fc.constant('sweep' as const), death: fc.record({ at: fc.nat(40), before }) }),
  fc.record({
    kind: fc.constant('together' as const),
    agoMs: late,
    turns: fc.array(turn, { minLength: 3, maxLength: 12 }),
  }),
);

class Service {
  readonly store = new HistoryStore(START);
  readonly ended: Ended[] = [];
  /** Written down by somebody who died, perhaps: their messages come again. */
  #open: Ended[] = [];

  async play(action: Step): Promise<void> {
    const { store } = this;
    if (action.kind === 'wait') store.clock.moveTo(store.clock.nowMs() + action.ms);
    else if (action.kind === 'redeliver') await this.redeliver();
    else if (action.kind === 'sweep') await store.sweep(dyingHistory(store.stored, action.death));
    else if (action.kind === 'end') {
      const some = this.#end(action.agoMs);
      if (action.death.at > 0) this.#open.push(...some);
      await store.write(some, dyingHistory(store.stored, action.death)).catch(() => {});
    } else await this.#together(action.agoMs, action.turns);
  }

  async redeliver(): Promise<void> {
    const open = this.#open;
    this.#open = [];
    if (open.length > 0) await this.store.write(open);
  }

  #end(agoMs: readonly number[]): Ended[] {
    const some = agoMs.map((ms, index) => ({
      id: `${this.ended.length + index}`,
      attempt: 0,
      task: `task ${index % 2}`,
      endedMs: this.store.clock.nowMs() - ms,
    }));
    this.ended.push(...some);
    return some;
  }

  /** Two sweeps and a worker, request by request in any order. */
  async #together(agoMs: readonly number[], order: readonly Turn[]): Promise<void> {
    const { store } = this;
    const turns = new Turns();
    const over = (process: number) =>
      tapped({ history: store.stored } as unknown as Ports, turns.tap(process), ['history']).history!;
    const work = Promise.all([store.sweep(over(0)), store.write(this.#end(agoMs), over(1)), store.sweep(over(2))]);
    const picks = order.flatMap(({ pick, times }) => Array.from({ length: times + 1 }, () => pick));
    for (let turn = 0; ; turn += 1) {
      await store.clock.nextTurn();
      const pick = picks[turn];
      // In the end the first goes on to its end, then the next one.
      if (!turns.step((waiting) => (pick !== undefined && waiting.includes(pick) ? pick : (waiting[0] ?? 0)))) break;
    }
    await work;
  }

  /** Bucket by bucket, of all that ended. */
  async counted(
    every: StatsEvery,
  ): Promise<{ readonly startMs: number; readonly count: number; readonly ended: number }[]> {
    const { book, clock } = this.store;
    // Minutes are asked for as far back as one answer goes.
    const from = new Date(Math.max(START - 60 * MINUTE_MS, clock.nowMs() - 1400 * LENGTH_MS[every]));
    const { buckets } = await book.stats({ every, from });
    return buckets.map(({ start, count }) => {
      const startMs = start.getTime();
      const ended = this.ended.filter(({ endedMs }) => endedMs >= startMs && endedMs < startMs + LENGTH_MS[every]);
      return { startMs, count, ended: ended.length };
    });
  }
}

const EVERY: readonly StatsEvery[] = ['minute', 'hour', 'day'];

describe('rolling up', () => {
  it('counts every end once when all have come to rest, and none twice on the way', () =>
    fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 25 }), async (steps) => {
        const service = new Service();
        // It is there as long as the workers are.
        await service.store.sweep();
        for (const action of steps) {
          await service.play(action);
          if (action.kind === 'end' || action.kind === 'wait') continue;
          for (const every of EVERY)
            for (const { count, ended } of await service.counted(every)) expect(count).toBeLessThanOrEqual(ended);
        }
        await service.redeliver();
        for (let sweep = 0; sweep < 3; sweep += 1) {
          service.store.clock.moveTo(service.store.clock.nowMs() + 3 * MINUTE_MS);
          await service.store.sweep();
        }
        expect((await service.store.stored.rollState(100)).late).toEqual([]);
        for (const every of EVERY)
          for (const { startMs, count, ended } of await service.counted(every))
            expect([every, startMs, count]).toEqual([every, startMs, ended]);
      }),
      { numRuns: Number(process.env['ROLL_UPS'] ?? 25) },
    ));
});

describe('two sweeps and a worker', () => {
  it('at the same late minute, in any order of their requests, lose nothing', () =>
    fc.assert(
      fc.asyncProperty(fc.array(turn, { minLength: 2, maxLength: 10 }), async (turns) => {
        const service = new Service();
        const lateMs = [3 * MINUTE_MS];
        await service.play({ kind: 'end', agoMs: [0], death: { at: 0, before: true } });
        await service.play({ kind: 'wait', ms: 3 * MINUTE_MS });
        await service.store.sweep();
        await service.play({ kind: 'end', agoMs: lateMs, death: { at: 0, before: true } });
        await service.play({ kind: 'together', agoMs: lateMs, turns });
        await service.store.sweep();
        for (const every of EVERY)
          for (const { startMs, count, ended } of await service.counted(every))
            expect([every, startMs, count]).toEqual([every, startMs, ended]);
      }),
      { numRuns: 60 },
    ));
});

describe('counts at any time', () => {
  const minutes = fc.array(fc.tuple(fc.array(fc.nat(20_000), { maxLength: 3 }), fc.boolean()), {
    minLength: 5,
    maxLength: 50,
  });
  it('are all that ended, where it was written at once: rolled up or not yet, by minute, hour and day', () =>
    fc.assert(
      fc.asyncProperty(minutes, fc.integer({ min: 20_000, max: 200_000 }), async (all, stepMs) => {
        const service = new Service();
        for (const [agoMs, sweeps] of all) {
          await service.play({ kind: 'wait', ms: stepMs });
          if (agoMs.length > 0) await service.play({ kind: 'end', agoMs, death: { at: 0, before: true } });
          if (sweeps) await service.store.sweep();
        }
        await service.store.sweep();
        for (const every of EVERY)
          for (const { startMs, count, ended } of await service.counted(every))
            expect([every, startMs, count]).toEqual([every, startMs, ended]);
      }),
      { numRuns: 20 },
    ));
});

describe('the table of crashes', () => {
  /** Minutes that are rolled up for the first time, one of them again, over the end of a day. */
  async function prepared(): Promise<Service> {
    const service = new Service();
    await service.play({ kind: 'end', agoMs: [0, 30_000, 4 * MINUTE_MS], death: { at: 0, before: true } });
    await service.play({ kind: 'wait', ms: 3 * MINUTE_MS });
    await service.store.sweep();
    await service.play({
      kind: 'end',
      agoMs: [0, 30_000, 4 * MINUTE_MS, 5 * MINUTE_MS],
      death: { at: 0, before: true },
    });
    await service.play({ kind: 'wait', ms: 8 * MINUTE_MS });
    return service;
  }

  it('a sweep dies at each of its requests, and the next one makes it good', async () => {
    const calls: string[] = [];
    const whole = await prepared();
    await whole.store.sweep(dyingHistory(whole.store.stored, { at: 0, before: true }, calls));
    // What there is to die at: reading, the three buckets, how far it is, and a late minute.
    expect([...new Set(calls)].toSorted()).toEqual([
      'buckets',
      'clearLate',
      'page',
      'putBucket',
      'rollState',
      'rolled',
    ]);
    for (let at = 1; at <= calls.length; at += 1)
      for (const isBefore of [true, false]) {
        const service = await prepared();
        await service.store.sweep(dyingHistory(service.store.stored, { at, before: isBefore }));
        const cell = `${calls[at - 1]} ${at} ${isBefore ? 'before' : 'after'}`;
        for (const every of EVERY)
          for (const { count, ended } of await service.counted(every)) expect(count, cell).toBeLessThanOrEqual(ended);
        await service.store.sweep();
        for (const every of EVERY)
          for (const { count, ended } of await service.counted(every)) expect(count, cell).toBe(ended);
      }
  });

  it('a worker dies at each of its requests, and its message comes again', async () => {
    for (const at of [1, 2, 3, 4])
      for (const isBefore of [true, false]) {
        const service = new Service();
        await service.play({ kind: 'wait', ms: 3 * MINUTE_MS });
        await service.store.sweep();
        await service.play({ kind: 'end', agoMs: [0, 2 * MINUTE_MS, 4 * MINUTE_MS], death: { at, before: isBefore } });
        await service.play({ kind: 'wait', ms: 2 * MINUTE_MS });
        await service.redeliver();
        for (const ms of [2 * MINUTE_MS, MINUTE_MS]) {
          await service.play({ kind: 'wait', ms });
          await service.store.sweep();
        }
        for (const every of EVERY)
          for (const { count, ended } of await service.counted(every)) expect(count, `${at} ${isBefore}`).toBe(ended);
      }
  });
});
