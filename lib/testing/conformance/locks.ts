/** What every store of locks must do. Cases share one store and keep to keys of their own. */
import { deepEqual, equal, ok } from 'node:assert/strict';

import { CLOCK_SKEW_SECONDS } from '../../base/limits.ts';
import type { LockHolding, Locks } from '../../ports/locks.ts';
import type { ConformanceCase } from './case.ts';

const NOW_MS = 1_900_000_000_000;
const UNTIL_MS = NOW_MS + 30_000;
const SKEW_MS = CLOCK_SKEW_SECONDS * 1000;

/** What every store of locks must do, as cases. They share one store. */
export function locksConformance(locks: Locks): ConformanceCase[] {
  const acquire = async (key: string, owner: string, nowMs = NOW_MS, untilMs = UNTIL_MS): Promise<LockHolding> => {
    const holding = await locks.acquire({ key, owner, nowMs, untilMs });
    ok(holding !== undefined);
    equal(holding.key, key);
    return holding;
  };
  return [
    {
      name: 'a lock that nobody has is acquired, and by nobody else',
      async run() {
        const { token, ...mine } = await acquire('free', 'first');
        deepEqual(mine, { key: 'free', owner: 'first', untilMs: UNTIL_MS });
        ok(token > NOW_MS);
        deepEqual(await acquire('free', 'second', NOW_MS, UNTIL_MS + 1), { ...mine, token });
      },
    },
    {
      name: 'what its owner says is shown to others',
      async run() {
        await locks.acquire({ key: 'noted', owner: 'first', nowMs: NOW_MS, untilMs: UNTIL_MS, info: 'imports rows' });
        equal((await acquire('noted', 'second')).info, 'imports rows');
        equal(await locks.release({ key: 'noted', owner: 'first' }), true);
        equal((await acquire('noted', 'second')).info, undefined);
        equal((await acquire('noted', 'third')).info, undefined);
      },
    },
    {
      name: 'who asks again has it, by the token that is told last',
      async run() {
        const first = await acquire('again', 'first');
        const second = await acquire('again', 'first', NOW_MS + 1, UNTIL_MS + 1);
        equal(second.owner, 'first');
        equal(second.untilMs, UNTIL_MS + 1);
        ok(second.token > first.token);
        equal((await acquire('again', 'second')).token, second.token);
      },
    },
    {
      name: 'the token rises with every owner, by whichever clock',
      async run() {
        let last = 0;
        for (const [index, nowMs] of [NOW_MS, NOW_MS - 60_000, NOW_MS + 5].entries()) {
          const { token, owner } = await acquire('rises', `owner ${index}`, nowMs);
          equal(owner, `owner ${index}`);
          ok(token > last);
          last = token;
          if (index === 0) await locks.free('rises', undefined);
          else await locks.release({ key: 'rises', owner });
        }
      },
    },
    {
      name: 'a lock that has lapsed is taken over, once clocks that differ agree that it has',
      async run() {
        const { token } = await acquire('lapsed', 'first');
        equal((await acquire('lapsed', 'second', UNTIL_MS + SKEW_MS)).owner, 'first');
        const taken = await acquire('lapsed', 'second', UNTIL_MS + SKEW_MS + 1, UNTIL_MS + 60_000);
        equal(taken.owner, 'second');
        ok(taken.token > token);
        equal(await locks.renew({ key: 'lapsed', owner: 'first', nowMs: UNTIL_MS, untilMs: UNTIL_MS + 90_000 }), false);
        equal(await locks.release({ key: 'lapsed', owner: 'first' }), false);
        deepEqual(await acquire('lapsed', 'third', UNTIL_MS + 1), taken);
      },
    },
    {
      name: 'its owner keeps it, until it has lapsed',
      async run() {
        await acquire('kept', 'first');
        const of = { key: 'kept', owner: 'first', untilMs: UNTIL_MS + 30_000 };
        equal(await locks.renew({ ...of, nowMs: UNTIL_MS }), true);
        equal((await acquire('kept', 'second', UNTIL_MS + SKEW_MS + 1)).owner, 'first');
        equal(await locks.renew({ ...of, nowMs: UNTIL_MS + 30_001 }), false);
        equal(await locks.renew({ ...of, owner: 'second', nowMs: NOW_MS }), false);
        equal(await locks.renew({ ...of, key: 'of nobody', nowMs: NOW_MS }), false);
      },
    },
    {
      name: "only its owner gives a lock back, and nobody by another's name",
      async run() {
        await acquire('given back', 'first');
        equal(await locks.release({ key: 'given back', owner: 'second' }), false);
        equal((await acquire('given back', 'second')).owner, 'first');
        equal(await locks.release({ key: 'given back', owner: 'first' }), true);
        equal(await locks.renew({ key: 'given back', owner: 'first', nowMs: NOW_MS, untilMs: UNTIL_MS }), false);
        // The answer may have been lost.
        equal(await locks.release({ key: 'given back', owner: 'first' }), true);
        equal((await acquire('given back', 'second')).owner, 'second');
        equal(await locks.release({ key: 'given back', owner: 'first' }), true);
        equal((await acquire('given back', 'third')).owner, 'second');
        equal(await locks.release({ key: 'never there', owner: 'first' }), false);
      },
    },
    {
      name: 'a lock is freed from whoever has it, or from one holding alone',
      async run() {
        equal(await locks.free('taken away', undefined), undefined);
        const mine = await acquire('taken away', 'first');
        equal(await locks.free('taken away', mine.token - 1), undefined);
        deepEqual(await locks.free('taken away', mine.token), mine);
        equal(await locks.free('taken away', undefined), undefined);
        equal(await locks.renew({ key: 'taken away', owner: 'first', nowMs: NOW_MS, untilMs: UNTIL_MS }), false);
        equal(await locks.release({ key: 'taken away', owner: 'first' }), false);
        ok((await acquire('taken away', 'second')).token > mine.token);
      },
    },
    {
      name: 'of many who ask at once one has it',
      async run() {
        const owners = Array.from({ length: 12 }, (_, index) => `owner ${index}`);
        const held = await Promise.all(owners.map((owner) => acquire('at once', owner)));
        equal(new Set(held.map(({ owner }) => owner)).size, 1);
        equal(new Set(held.map(({ token }) => token)).size, 1);
      },
    },
    {
      name: 'what is held is listed, whatever its key is, and nothing else',
      async run() {
        // Of a time of its own: the other cases hold theirs no more, or not yet.
        const nowMs = NOW_MS - 10_000_000;
        const keys = [
          'list#',
          'list##',
          'liste ä',
          'list b',
          '~list',
          'l'.repeat(256),
          ...Array.from({ length: 20 }, (_, n) => `list ${n}`),
        ];
        for (const key of keys) await acquire(key, key.slice(0, 8), nowMs, nowMs + 30_000);
        await acquire('list lapsed', 'first', nowMs, nowMs - SKEW_MS - 1);
        await acquire('list released', 'first', nowMs, nowMs + 30_000);
        await locks.release({ key: 'list released', owner: 'first' });
        const held = (await locks.held(nowMs, 1000)).filter(({ untilMs }) => untilMs <= nowMs + 30_000);
        deepEqual(held.map(({ key }) => key).toSorted(), keys.toSorted());
        equal(held.find(({ key }) => key === 'list#')?.owner, 'list#');
        equal((await locks.held(nowMs, 7)).length, 7);
      },
    },
  ];
}
