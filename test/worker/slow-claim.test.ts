/** A store that is slow to answer takes the time of an invocation away: what is left may be too little to run anything. */
import { chord } from 'celeriac';
import type { WorldOptions } from 'celeriac/testing';
import { describe, expect, it } from 'vitest';

import { tapped } from '../support/port-taps.ts';
import { newWorld } from '../support/worlds.ts';

// Nearly all of an invocation of five minutes.
const SLOW_MS = 290_000;
const ACKS_LATE = [
  ['acksLate: true', true],
  ['acksLate: false', false],
] as const;

/** A world whose store, behind each of its calls, is slow for so many milliseconds. */
function slowWorld<T>(
  ports: Parameters<typeof tapped>[2],
  slowMs: (call: string, args: readonly unknown[]) => number,
  declare: Parameters<typeof newWorld<T>>[0],
) {
  const wrapPorts: WorldOptions['wrapPorts'] = (given) =>
    tapped(
      given,
      async (call, go, args) => {
        const answer = await go();
        const waitMs = slowMs(call, args);
        if (waitMs > 0) await given.clock.sleep(waitMs);
        return answer;
      },
      ports,
    );
  return newWorld(declare, {}, { wrapPorts });
}

/** Slow at the first such call. */
function onceSlow(slow: string): (call: string) => number {
  let calls = 0;
  return (call) => (call === slow && (calls += 1) === 1 ? SLOW_MS : 0);
}

describe.each(ACKS_LATE)('a claim that takes nearly all of the invocation, %s', (_what, acksLate) => {
  it('is given back before the task starts, and another invocation runs it', async () => {
    let [starts, claims] = [0, 0];
    const slow = onceSlow('backend.claim');
    const slowMs = (call: string): number => {
      if (call === 'backend.claim') claims += 1;
      return slow(call);
    };
    const { world, tasks } = slowWorld(['backend'], slowMs, (app) => ({
      twenty: app.task('twenty', { acksLate }, async () => {
        starts += 1;
        await world.clock.sleep(20_000);
        return 'done';
      }),
    }));
    const result = await tasks.twenty.delay();
    await world.advance('10m');
    expect([await result.state(), starts, claims]).toEqual(['SUCCESS', 1, 2]);
  });
});

it('a task that expires while it is claimed does not start', async () => {
  let starts = 0;
  const slowMs = (call: string): number => (call === 'backend.claim' ? 80_000 : 0);
  const { world, tasks } = slowWorld(['backend'], slowMs, (app) => ({ quick: app.task('quick', () => (starts += 1)) }));
  const result = await tasks.quick.applyAsync([], { expires: 60 });
  await world.advance('20m');
  expect([await result.state(), starts]).toEqual(['REVOKED', 0]);
});

it.each(ACKS_LATE)(
  'a key that is freed slowly, once the claim is won: it is given back before the task starts, %s',
  async (_, acksLate) => {
    let starts = 0;
    const { world, tasks } = slowWorld(['marks'], onceSlow('marks.clear'), (app) => ({
      twenty: app.task('twenty', { acksLate, unique: { key: 'all', until: 'started' } }, async () => {
        starts += 1;
        await world.clock.sleep(20_000);
        return 'done';
      }),
    }));
    const result = await tasks.twenty.delay();
    await world.advance('20m');
    expect([await result.state(), starts]).toEqual(['SUCCESS', 1]);
  },
);

it('results of a large header that are read slowly: the body is given back before it starts', async () => {
  let [starts, reads, isLast] = [0, 0, false];
  const slowMs = (call: string, args: readonly unknown[]): number => {
    if (call === 'backend.claim' && JSON.stringify(args).includes('"sum"')) isLast = true;
    if (call !== 'backend.get' || !isLast) return 0;
    reads += 1;
    return reads === 1 ? SLOW_MS : 0;
  };
  const { world, tasks } = slowWorld(['backend'], slowMs, (app) => ({
    one: app.task('one', (n: number) => String(n).padStart(5000)),
    sum: app.task('sum', async (all: readonly string[]) => {
      starts += 1;
      await world.clock.sleep(20_000);
      return all.length;
    }),
  }));
  const members = Array.from({ length: 300 }, (__, n) => tasks.one.s(n));
  const result = await chord(members, tasks.sum.s()).delay();
  await world.advance('20m');
  expect([await result.state(), starts, reads > 0]).toEqual(['SUCCESS', 1, true]);
});
