/** `app.history.list()`: each end once, the newest first, whatever the pages of the answer and of the store are. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { historySortKey } from '../../lib/ports/history-place.ts';
import type { History } from '../../lib/ports/history.ts';
import type { MemoryHistory } from '../../lib/memory/index.ts';
import { type Ended, HistoryStore } from '../support/history-store.ts';

const NOW = Date.parse('2030-05-06T07:08:09Z');
const DAY_MS = 86_400_000;

/** Close together, or far apart; several in one millisecond. */
const agoMs = fc.oneof(fc.nat(1), fc.nat(1), fc.nat(5000), fc.nat(200_000), fc.nat(3 * 3_600_000), fc.nat(6 * DAY_MS));
const ended = fc.uniqueArray(
  fc.tuple(
    fc.constantFrom('a', 'b', 'c', '💥', '\u0000', 'zz').chain((id) => fc.nat(20).map((n) => `${id}${n}`)),
    fc.nat(2),
    agoMs,
  ),
  { minLength: 2, maxLength: 60, selector: ([id, attempt]) => `${id} ${attempt}` },
);
/** Which ends an invocation wrote: many are written several times. */
const writes = fc.array(fc.array(fc.nat(59), { minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 12 });
const limits = fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 70 }));

const named = (all: readonly (readonly [string, number, number])[]): Ended[] =>
  all.map(([id, attempt, ms], index) => ({ id, attempt, endedMs: NOW - ms, task: index % 3 === 0 ? 'mail' : 'add' }));

const keyOf = ({ id, attempt }: Pick<Ended, 'id' | 'attempt'>): string => `${id} ${attempt}`;

/** A store that gives so many items in a page. */
function inPagesOf(size: number): (stored: MemoryHistory) => History {
  return (stored) =>
    new Proxy<History>(stored, {
      get(target, key) {
        if (key !== 'page') return (Reflect.get(target, key) as (...args: unknown[]) => unknown).bind(target);
        return async (query: Parameters<History['page']>[0]) => {
          const { items, next } = await target.page(query);
          if (items.length <= size) return { items, ...(next === undefined ? {} : { next }) };
          const cut = items.slice(0, size);
          const { firstMs, name } = cut.at(-1) as (typeof cut)[number];
          return { items: cut, next: historySortKey(firstMs, name) };
        };
      },
    });
}

async function filled(ends: readonly Ended[], by: readonly (readonly number[])[], pageSize: number) {
  const store = new HistoryStore(NOW, inPagesOf(pageSize));
  const written = new Map<string, Ended>();
  for (const invocation of by) {
    const some = [...new Set(invocation)].flatMap((index) => ends[index] ?? []);
    if (some.length > 0) await store.write(some);
    for (const each of some) written.set(keyOf(each), each);
  }
  return { store, written: [...written.values()] };
}

type Query = Parameters<HistoryStore['book']['list']>[0];

/** All pages, each checked by itself. */
async function allPages({ book }: HistoryStore, query: Query, between: () => Promise<void> = async () => {}) {
  const pages: Ended[][] = [];
  let cursor: string | null = null;
  let reachedMs = Infinity;
  do {
    const page = await book.list({ ...query, ...(cursor === null ? {} : { cursor }) });
    expect(page.entries.length).toBeLessThanOrEqual(query?.limit ?? 50);
    expect(page.readBackTo.getTime()).toBeLessThanOrEqual(reachedMs);
    reachedMs = page.readBackTo.getTime();
    // All that was looked at stands on this page or on one before.
    for (const { endedAt } of page.entries) expect(endedAt.getTime()).toBeGreaterThanOrEqual(reachedMs);
    pages.push(
      page.entries.map(({ id, attempt, task, endedAt }) => ({ id, attempt, task, endedMs: endedAt.getTime() })),
    );
    ({ cursor } = page);
    await between();
    if (pages.length > 2000) throw new Error('pages without an end');
  } while (cursor !== null);
  return pages;
}

describe('listing', () => {
  it('has each attempt once, the newest first, in pages of any size', () =>
    fc.assert(
      fc.asyncProperty(ended, writes, limits, fc.constantFrom(1, 2, 20), async (all, by, limit, size) => {
        const { store, written } = await filled(named(all), by, size);
        const listed = (await allPages(store, { limit })).flat();
        expect(listed.map(keyOf).toSorted()).toEqual(written.map(keyOf).toSorted());
        const times = listed.map(({ endedMs }) => endedMs);
        expect(times).toEqual(times.toSorted((left, right) => right - left));
      }),
      { numRuns: 60 },
    ));

  it('has of a time and a task those alone', () =>
    fc.assert(
      fc.asyncProperty(ended, writes, limits, agoMs, agoMs, async (all, by, limit, one, other) => {
        const { store, written } = await filled(named(all), by, 2);
        const [from, to] = [NOW - Math.max(one, other) - 1, NOW - Math.min(one, other)];
        const listed = (await allPages(store, { limit, from: new Date(from), to: new Date(to), task: 'mail' })).flat();
        const expected = written.filter(({ endedMs, task }) => endedMs >= from && endedMs < to && task === 'mail');
        expect(listed.map(keyOf).toSorted()).toEqual(expected.map(keyOf).toSorted());
      }),
      { numRuns: 40 },
    ));

  it('goes on in order while more ends between two pages: nothing old is left out or told twice', () =>
    fc.assert(
      fc.asyncProperty(ended, writes, fc.integer({ min: 1, max: 9 }), async (all, by, limit) => {
        const { store, written } = await filled(named(all), by, 2);
        let number = 0;
        const listed = (
          await allPages(store, { limit, task: 'mail' }, async () => {
            number += 1;
            const newest = { id: `new ${number}`, attempt: 0, task: 'mail', endedMs: store.clock.nowMs() + 1 };
            await store.write([newest]);
            store.clock.moveTo(store.clock.nowMs() + 2);
          })
        ).flat();
        const old = written.filter(({ task }) => task === 'mail');
        const first = new Set(old.map(keyOf));
        expect(
          listed
            .map(keyOf)
            .filter((key) => first.has(key))
            .toSorted(),
        ).toEqual([...first].toSorted());
        expect(new Set(listed.map(keyOf)).size).toBe(listed.length);
      }),
      { numRuns: 30 },
    ));

  it('ends a page early where much was looked at in vain, says how far it came, and finds the one at the end', async () => {
    const store = new HistoryStore(NOW, inPagesOf(1));
    // Each by itself is a page of the store.
    for (let index = 0; index < 900; index += 1)
      await store.write([{ id: `${index}`, attempt: 0, task: 'add', endedMs: NOW - index * 60_000 }]);
    await store.write([{ id: 'sought', attempt: 0, task: 'mail', endedMs: NOW - DAY_MS }]);
    const pages = await allPages(store, { task: 'mail' });
    expect(pages.length).toBeGreaterThan(1);
    expect(pages[0]).toEqual([]);
    expect(pages.flat().map(({ id }) => id)).toEqual(['sought']);
  });

  it('passes over what cannot be read', async () => {
    const store = new HistoryStore(NOW);
    const [firstMs, data] = [NOW - 1000, new TextEncoder().encode('of a later version')];
    await store.stored.put([{ firstMs, name: 'later', shard: 0, data, expiresAtSeconds: NOW }]);
    await store.write([{ id: 'plain', attempt: 0, task: 'add', endedMs: NOW - 1000 }]);
    expect((await allPages(store, {})).flat().map(({ id }) => id)).toEqual(['plain']);
  });
});
