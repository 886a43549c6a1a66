/** What every timer store must do. Cases share one store and keep to times of their own. */
import { deepEqual, equal } from 'node:assert/strict';
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
  const due = async (untilMs: number): Promise<Timer[]> => {
    const pages = await Promise.all(
      Array.from({ length: timers.shards }, (_, shard) => timers.due(shard, untilMs, 1000)),
    );
    return pages.flat().toSorted((left, right) => left.dueMs - right.dueMs);
  };
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
      name: 'a page is the earliest ones, in order',
      async run() {
        const base = NOW + 20_000;
        // One id lands in one shard, whatever the number of shards.
        const all = Array.from({ length: 30 }, (_, index) => timer('page', base + index, index));
        await timers.put(all.toReversed());
        const pages = await Promise.all(
          Array.from({ length: timers.shards }, (_, shard) => timers.due(shard, base + 1000, 10)),
        );
        deepEqual(
          pages.filter((page) => page.length > 0),
          [all.slice(0, 10)],
        );
        await timers.remove(all);
      },
    },
    {
      name: 'goes on behind a timer, also behind one that is gone',
      async run() {
        const base = NOW + 30_000;
        const all = Array.from({ length: 12 }, (_, index) => timer('behind', base + index, index));
        await timers.put(all);
        const pages = await Promise.all(
          Array.from({ length: timers.shards }, (_, shard) => timers.due(shard, base + 1000, 5)),
        );
        const shard = pages.findIndex((page) => page.length > 0);
        const fifth = pages[shard]?.at(-1);
        deepEqual(fifth, all[4]);
        deepEqual(await timers.due(shard, base + 10, 4, fifth), all.slice(5, 9));
        await timers.remove(all.slice(0, 6));
        deepEqual(await timers.due(shard, base + 10, 100, fifth), all.slice(6, 11));
        await timers.remove(all);
        deepEqual(await timers.due(shard, base + 10, 100, fifth), []);
      },
    },
    {
      name: 'of one FIFO group: one shard, by due time and then by sequence',
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
        const pages = await Promise.all(
          Array.from({ length: timers.shards }, (_, shard) => timers.due(shard, base + 100, 100)),
        );
        deepEqual(
          pages.filter((page) => page.length > 0),
          [all],
        );
        await timers.remove(all);
        equal((await due(base + 1000)).length, plain.length);
        await timers.remove(plain);
        deepEqual(await due(base + 1000), []);
      },
    },
  ];
}
