/** What every timer store must do. Cases share one store and keep to times of their own. */
import { deepEqual, equal, rejects } from 'node:assert/strict';
import type { Timer, Timers } from '../../ports/timers.ts';
import type { ConformanceCase } from './case.ts';
import { timersRefusals } from './refusals.ts';

const NOW = 1_900_000_000_000;

/** What every store of timers must do, as cases. They share one store. */
export function timersConformance(timers: Timers): ConformanceCase[] {
  const timer = (id: string, dueMs: number, attempt = 0): Timer => ({
    id,
    attempt,
    dueMs,
    message: { queue: 'default', body: `body of ${id}`, groupId: 'group', deduplicationId: id },
  });
  /** What is due, part by part: its pages. */
  const pagesOf = async (
    untilMs: number,
    limit: number,
    parts?: readonly number[],
  ): Promise<Map<number, Timer[][]>> => {
    const found = new Map<number, Timer[][]>();
    await timers.eachDue({ untilMs, limit, ...(parts === undefined ? {} : { parts }) }, (page, part) => {
      found.set(part, [...(found.get(part) ?? []), [...page]]);
      return Promise.resolve();
    });
    return found;
  };
  const due = async (untilMs: number): Promise<Timer[]> =>
    [...(await pagesOf(untilMs, 1000)).values()].flat(2).toSorted((left, right) => left.dueMs - right.dueMs);
  return [
    ...timersRefusals(timers),
    {
      name: 'gives what is due, whole, and nothing that is later',
      async run() {
        const all = Array.from({ length: 60 }, (_, index) => timer(`due-${index}`, NOW + index));
        await timers.put(all);
        deepEqual(await due(NOW - 1), []);
        deepEqual(await due(NOW + 29), all.slice(0, 30));
        await timers.remove(all);
        deepEqual(await due(NOW + 1000), []);
      },
    },
    {
      name: 'storing a timer twice stores one; each attempt and time is its own',
      async run() {
        const base = NOW + 10_000;
        const all = [timer('twice', base), timer('twice', base, 1), timer('twice', base + 1)];
        await timers.put([...all, timer('twice', base)]);
        await timers.put(all);
        equal((await due(base + 1)).length, 3);
        await timers.remove(all);
        await timers.remove(all);
        deepEqual(await due(base + 1), []);
      },
    },
    {
      name: 'pages are the earliest ones first, of one part one after another',
      async run() {
        const base = NOW + 20_000;
        // One id lies in one part, however many there are.
        const all = Array.from({ length: 30 }, (_, index) => timer('page', base + index, index));
        const parts = await timers.put(all.toReversed());
        equal(new Set(parts).size, 1);
        const pages = await pagesOf(base + 28, 12);
        deepEqual([...pages], [[parts[0], [all.slice(0, 12), all.slice(12, 24), all.slice(24, 29)]]]);
        await timers.remove(all);
      },
    },
    {
      name: 'goes on behind a page, also where its timers are gone, or where some of them stay',
      async run() {
        const base = NOW + 30_000;
        const all = Array.from({ length: 12 }, (_, index) => timer('behind', base + index, index));
        await timers.put(all);
        const seen: Timer[] = [];
        await timers.eachDue({ untilMs: base + 10, limit: 5 }, async (page) => {
          seen.push(...page);
          await timers.remove(page.slice(1));
        });
        deepEqual(seen, all.slice(0, 11));
        deepEqual(await due(base + 1000), [all[0], all[5], all[10], all[11]]);
        await timers.remove(all);
        deepEqual(await due(base + 1000), []);
      },
    },
    {
      name: 'shows some parts alone, and passes over what is none',
      async run() {
        const base = NOW + 35_000;
        const all = Array.from({ length: 40 }, (_, index) => timer(`part-${index}`, base));
        const parts = await timers.put(all);
        for (const part of new Set(parts)) {
          const own = all.filter((_, index) => parts[index] === part).map(({ id }) => id);
          const found = await pagesOf(base, 1000, [part, -1, 0.5, 1_000_000]);
          deepEqual([...found.keys()], [part]);
          deepEqual(new Set([...found.values()].flat(2).map(({ id }) => id)), new Set(own));
        }
        deepEqual(await pagesOf(base, 1000, []), new Map());
        await timers.remove(all);
      },
    },
    {
      name: 'what a visit throws is thrown',
      async run() {
        const base = NOW + 37_000;
        await timers.put([timer('thrown', base)]);
        const failed = new Error('not now');
        await rejects(
          timers.eachDue({ untilMs: base, limit: 10 }, () => Promise.reject(failed)),
          failed,
        );
        await timers.remove([timer('thrown', base)]);
      },
    },
    {
      name: 'of one FIFO group: one part, by due time and then by sequence',
      async run() {
        const base = NOW + 40_000;
        const all = Array.from({ length: 20 }, (_, index): Timer => ({
          ...timer(`ordered-${(index * 7) % 20}`, base + Math.floor(index / 10)),
          sequence: String(index).padStart(3, '0'),
        }));
        await timers.put(all.toReversed());
        // As another version stored them: by task id.
        const plain = all.map(({ id }) => timer(id, base + 500));
        await timers.put(plain);
        deepEqual([...(await pagesOf(base + 100, 100)).values()], [[all]]);
        await timers.remove(all);
        equal((await due(base + 1000)).length, plain.length);
        await timers.remove(plain);
        deepEqual(await due(base + 1000), []);
      },
    },
  ];
}
