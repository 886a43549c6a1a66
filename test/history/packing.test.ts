/** Items of the history and buckets of statistics as they are stored: they come back as they were, and fit, whatever is in them. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { DYNAMODB_MAX_ITEM_BYTES, MAX_STATS_TASKS } from '../../lib/base/limits.ts';
import { type Counts, countsOf, OTHER_TASKS, packCounts, totalOf, unpackCounts } from '../../lib/history/counts.ts';
import { compress, decompress } from '../../lib/wire/compression.ts';
import { distinct, historyKey, unpackHistory } from '../../lib/wire/history-entry.ts';
import { packHistory } from '../../lib/wire/history-pack.ts';
import { HISTORY_START_MS, historyEntries, historyEntry } from '../support/history-entries.ts';
import { HistoryStore } from '../support/history-store.ts';

// Keys, names of attributes and the time to live take less.
const ROOM = DYNAMODB_MAX_ITEM_BYTES - 4096;

describe('an item of the history', () => {
  it('comes back as it was, whatever its texts are', () => {
    fc.assert(
      fc.property(historyEntries, (entries) => {
        expect(unpackHistory(packHistory(entries))).toEqual(entries);
      }),
    );
  });

  it('has room for all that ended at once, however long and hard to pack their texts are: more items hold them', async () => {
    const store = new HistoryStore(HISTORY_START_MS);
    const ended = Array.from({ length: 1200 }, (_, index) => ({
      id: `${hardText(120)}${index}`,
      attempt: 0,
      task: `${hardText(250)}${index}`,
      endedMs: HISTORY_START_MS - (index % 1000),
    }));
    await store.write(ended);
    const items = store.stored.all();
    expect(items.length).toBeGreaterThan(3);
    for (const { data, firstMs } of items) {
      expect(data.byteLength).toBeLessThan(ROOM);
      expect(firstMs).toBe(Math.min(...unpackHistory(data).map(({ endedMs }) => endedMs)));
    }
    const ids = items.flatMap(({ data }) => unpackHistory(data).map(({ id }) => id));
    expect(ids.toSorted()).toEqual(ended.map(({ id }) => id).toSorted());
  });

  it.each([
    ['no compressed bytes', new TextEncoder().encode('{}')],
    ['nothing', new Uint8Array()],
  ])('%s is refused by an error of its own', (_what, bytes) => {
    expect(() => unpackHistory(bytes)).toThrow(/compressed|cannot be read/);
  });
});

describe('copies', () => {
  it('of an attempt are one, told by whoever ended it, in whichever order they are read', () => {
    const copies = fc.array(
      historyEntry.chain((entry) => fc.constantFrom([entry], [entry, { ...entry, again: true as const }])),
    );
    fc.assert(
      fc.property(copies, fc.boolean(), (groups, turned) => {
        const all = groups.flat();
        const read = distinct(turned ? all.toReversed() : all);
        expect(read.map(historyKey).toSorted()).toEqual([...new Set(all.map(historyKey))].toSorted());
        for (const entry of read) {
          const same = all.filter((each) => historyKey(each) === historyKey(entry));
          expect(entry.again === true).toBe(same.every(({ again }) => again === true));
        }
      }),
    );
  });
});

describe('a bucket', () => {
  it('comes back as it was', () => {
    fc.assert(
      fc.property(historyEntries, (entries) => {
        const counts = countsOf(entries);
        expect(unpackCounts(packCounts(counts))).toEqual(counts);
      }),
    );
  });

  it('stored before lost runs were counted is read, and has none', () => {
    const packed = compress('zlib', JSON.stringify([['mail.send', [['SUCCESS', 3]], [[4, 3]], [[5, 3]]]]));
    const counts = unpackCounts(packed);
    expect(counts.get('mail.send')).toEqual({
      states: new Map([['SUCCESS', 3]]),
      wait: new Map([[4, 3]]),
      run: new Map([[5, 3]]),
      lost: 0,
    });
    // What counts none is stored as it was before: older code reads it.
    expect(decompress('zlib', packCounts(counts))).toEqual(decompress('zlib', packed));
  });

  // Names alone, times alone, more than are named, and one whose name is everything.
  it.each([
    [1000, 0],
    [600, 150],
    [2500, 0],
    [1, 400],
  ])('of %i tasks, their times in %i classes, fits into an item and loses no count', (tasks, classes) => {
    const counts = wideCounts(tasks, classes);
    const before = totalOf(counts);
    const packed = packCounts(counts);
    expect(packed.byteLength).toBeLessThan(ROOM);
    const back = unpackCounts(packed);
    expect([totalOf(back), totalOf(counts)]).toEqual([before, before]);
    expect(back.size).toBeLessThanOrEqual(MAX_STATS_TASKS + 1);
    expect(back.has(OTHER_TASKS)).toBe(back.size < tasks);
  });
});

let drawn = 1;
/** Numbers that do not compress. */
function next(below: number): number {
  drawn = (Math.imul(drawn, 1_103_515_245) + 12_345) >>> 0;
  return (drawn >>> 8) % below;
}

function hardText(length: number): string {
  return Array.from({ length }, () => String.fromCharCode(0x4e_00 + next(20_000))).join('');
}

/** Tasks with names that cannot be packed any smaller, whose times lie in so many classes. */
function wideCounts(tasks: number, classes: number): Counts {
  const times = (): Map<number, number> =>
    new Map(Array.from({ length: classes }, (_, index) => [index, 1 + next(1_000_000)]));
  return new Map(
    Array.from({ length: tasks }, (_, index) => [
      `${hardText(250)}${index}`,
      { states: new Map([['SUCCESS', 1 + next(1_000_000)]]), wait: times(), run: times(), lost: next(3) },
    ]),
  );
}
