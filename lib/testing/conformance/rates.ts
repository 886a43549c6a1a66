/** What every store of rate limits must do. Cases share one store and keep to keys of their own. */
import { deepEqual, equal, ok } from 'node:assert/strict';

import type { Rates } from '../../ports/rates.ts';
import type { ConformanceCase } from './case.ts';

const NOW_MS = 1_900_000_000_000;
const NOW = NOW_MS * 1000;
const SECOND = 1_000_000;
const TTL = 2_000_000_000;

/** What every store of rate limits must do, as cases. They share one store. */
export function ratesConformance(rates: Rates): ConformanceCase[] {
  const reserve = async (key: string, count: number, nowMs = NOW_MS, paceMicros = SECOND): Promise<number> => {
    const line = await rates.reserve({ key, count, paceMicros, nowMs });
    ok(line !== undefined);
    return line.nextMicros;
  };
  return [
    {
      name: 'where nobody stands a line begins now, and grows by each place',
      async run() {
        equal(await reserve('begins', 1), NOW + SECOND);
        equal(await reserve('begins', 1), NOW + 2 * SECOND);
        equal(await reserve('begins', 3), NOW + 5 * SECOND);
        equal(await reserve('begins', 1, NOW_MS + 4999), NOW + 6 * SECOND);
      },
    },
    {
      name: 'a line that has run out begins anew, without what was not used',
      async run() {
        await reserve('runs out', 2);
        equal(await reserve('runs out', 1, NOW_MS + 60_000), NOW + 61 * SECOND);
      },
    },
    {
      name: 'an end that is now is a line still',
      async run() {
        await reserve('now', 1);
        equal(await reserve('now', 1, NOW_MS + 1000), NOW + 2 * SECOND);
      },
    },
    {
      name: 'each key has a line of its own, whatever its characters are',
      async run() {
        for (const key of ['a#', 'a##', '#', 'ä', 'a b', '~', 'a'.repeat(500)])
          equal(await reserve(key, 1), NOW + SECOND, key);
      },
    },
    {
      name: 'microseconds are kept exactly',
      async run() {
        const pace = 142_858;
        equal(await reserve('seventh', 7, NOW_MS, pace), NOW + 7 * pace);
        equal(await reserve('seventh', 1, NOW_MS, pace), NOW + 8 * pace);
      },
    },
    {
      name: 'places that many ask for at once are all different',
      async run() {
        const ends = await Promise.all(
          Array.from({ length: 12 }, () =>
            rates.reserve({ key: 'at once', count: 1, paceMicros: SECOND, nowMs: NOW_MS }),
          ),
        );
        // Whoever found the line too crowded took no place.
        const taken = ends.flatMap((line) => line?.nextMicros ?? []);
        ok(taken.length > 0);
        deepEqual(
          taken.toSorted((left, right) => left - right),
          taken.map((_, index) => NOW + (index + 1) * SECOND),
        );
        equal(await reserve('at once', 0), NOW + taken.length * SECOND);
      },
    },
    {
      name: 'another pace stretches the line from now on, and tells so',
      async run() {
        await reserve('slower', 10);
        const line = await rates.reserve({ key: 'slower', count: 1, paceMicros: 3 * SECOND, nowMs: NOW_MS + 4000 });
        // Six seconds of it were left, which are eighteen now.
        deepEqual(line, {
          nextMicros: NOW + (4 + 18 + 3) * SECOND,
          changed: { atMicros: NOW + 4 * SECOND, fromMicros: SECOND },
        });
        deepEqual(await rates.reserve({ key: 'slower', count: 0, paceMicros: 3 * SECOND, nowMs: NOW_MS + 5000 }), line);
      },
    },
    {
      name: 'a quicker pace shortens it, by asking alone',
      async run() {
        await reserve('quicker', 100);
        const line = await rates.reserve({ key: 'quicker', count: 0, paceMicros: SECOND / 10, nowMs: NOW_MS });
        deepEqual(line, { nextMicros: NOW + 10 * SECOND, changed: { atMicros: NOW, fromMicros: SECOND } });
      },
    },
    {
      name: 'the change is forgotten with its line',
      async run() {
        await reserve('forgets', 10);
        await reserve('forgets', 1, NOW_MS, 2 * SECOND);
        const line = await rates.reserve({ key: 'forgets', count: 1, paceMicros: 2 * SECOND, nowMs: NOW_MS + 900_000 });
        deepEqual(line, { nextMicros: NOW + 902 * SECOND });
      },
    },
    {
      name: 'limits that are changed at run time are there, by task, until they are taken away',
      async run() {
        const mine = async (): Promise<(string | undefined)[]> => {
          const limits = await rates.limits();
          return ['limits.a', 'limits.b'].map((task) => limits.get(task));
        };
        await rates.setLimit('limits.a', '10/m');
        await rates.setLimit('limits.b', '0');
        await rates.setLimit('limits.a', '20/m');
        deepEqual(await mine(), ['20/m', '0']);
        await rates.setLimit('limits.a', undefined);
        await rates.setLimit('limits.unknown', undefined);
        deepEqual(await mine(), [undefined, '0']);
        await rates.setLimit('limits.b', undefined);
        deepEqual(await mine(), [undefined, undefined]);
      },
    },
    {
      name: 'the first place that an attempt keeps stands, until it is exchanged by who knows it',
      async run() {
        const [first, second, third] = [1, 2, 3].map((at) => ({ slotMicros: NOW + at, paceMicros: SECOND, lates: at }));
        ok(first && second && third);
        const of = { id: 'kept', attempt: 0, expiresAtSeconds: TTL };
        equal(await rates.kept('kept', 0), undefined);
        deepEqual(await rates.keep({ ...of, slot: first }), first);
        deepEqual(await rates.keep({ ...of, slot: second }), first);
        deepEqual(await rates.keep({ ...of, slot: third, instead: second }), first);
        deepEqual(await rates.kept('kept', 0), first);
        deepEqual(await rates.keep({ ...of, slot: third, instead: first }), third);
        deepEqual(await rates.kept('kept', 0), third);
        equal(await rates.kept('kept', 1), undefined);
        deepEqual(await rates.keep({ ...of, attempt: 1, slot: second }), second);
      },
    },
  ];
}
