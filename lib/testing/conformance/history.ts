/** What every store of the history must do. Cases share one store and keep to hours of their own. */
import { deepEqual, equal, ok } from 'node:assert/strict';

import type { History, HistoryItem, HistoryQuery, LateMinute } from '../../ports/history.ts';
import type { ConformanceCase } from './case.ts';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
const START_MS = 528_000 * HOUR_MS;
// Longer than any run of the cases, by the clock of the store's server.
const EXPIRES = 4_102_444_800;
const ANY = 1000;

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const textOf = (data: Uint8Array): string => new TextDecoder().decode(data);

/** What every store of the history must do, as cases. They share one store. */
export function historyConformance(history: History): ConformanceCase[] {
  const put = (shard: number, ...items: readonly (readonly [firstMs: number, name: string, data?: string])[]) =>
    history.put(
      items.map(([firstMs, name, data = name]) => ({
        shard,
        firstMs,
        name,
        data: bytes(data),
        expiresAtSeconds: EXPIRES,
      })),
    );
  const all = async (query: HistoryQuery): Promise<readonly HistoryItem[]> => {
    const found: HistoryItem[] = [];
    let after: unknown;
    do {
      const { items, next } = await history.page({ ...query, ...(after === undefined ? {} : { after }) });
      found.push(...items);
      after = next;
    } while (after !== undefined);
    return found;
  };
  const names = async (query: HistoryQuery): Promise<string[]> => (await all(query)).map(({ name }) => name);
  return [...itemCases(put, all, names), ...rollCases(history), ...bucketCases(history)];
}

type Put = (
  shard: number,
  ...items: readonly (readonly [firstMs: number, name: string, data?: string])[]
) => Promise<void>;

function itemCases(
  put: Put,
  all: (query: HistoryQuery) => Promise<readonly HistoryItem[]>,
  names: (query: HistoryQuery) => Promise<string[]>,
): ConformanceCase[] {
  return [
    {
      name: 'what was put is read, the newest first, as it was',
      async run() {
        const fromMs = START_MS;
        await put(0, [fromMs, 'a'], [fromMs + 5, 'c', 'ünï\0'], [fromMs + 5, 'b'], [fromMs + HOUR_MS - 1, 'd']);
        const items = await all({ shard: 0, fromMs, untilMs: fromMs + HOUR_MS });
        deepEqual(
          items.map(({ firstMs, name, data }) => [firstMs - fromMs, name, textOf(data)]),
          [
            [HOUR_MS - 1, 'd', 'd'],
            [5, 'c', 'ünï\0'],
            [5, 'b', 'b'],
            [0, 'a', 'a'],
          ],
        );
      },
    },
    {
      name: 'a range has its beginning and not its end, and nothing of other parts and hours',
      async run() {
        const fromMs = START_MS + 2 * HOUR_MS;
        await put(1, [fromMs + 10, 'at 10'], [fromMs + 20, 'at 20'], [fromMs + 30, 'at 30']);
        await put(2, [fromMs + 20, 'of another part']);
        await put(1, [fromMs - 1, 'of the hour before'], [fromMs + HOUR_MS, 'of the hour after']);
        deepEqual(await names({ shard: 1, fromMs: fromMs + 10, untilMs: fromMs + 30 }), ['at 20', 'at 10']);
        deepEqual(await names({ shard: 1, fromMs, untilMs: fromMs + HOUR_MS }), ['at 30', 'at 20', 'at 10']);
        deepEqual(await names({ shard: 2, fromMs, untilMs: fromMs + HOUR_MS }), ['of another part']);
        deepEqual(await names({ shard: 3, fromMs, untilMs: fromMs + HOUR_MS }), []);
      },
    },
    {
      name: 'an item that is put twice is one',
      async run() {
        const fromMs = START_MS + 5 * HOUR_MS;
        await put(0, [fromMs, 'twice', 'first']);
        await put(0, [fromMs, 'twice', 'second']);
        const items = await all({ shard: 0, fromMs, untilMs: fromMs + 1 });
        deepEqual(
          items.map(({ data }) => textOf(data)),
          ['second'],
        );
      },
    },
    {
      name: 'pages follow each other without a gap, whatever is put between them',
      async run() {
        const fromMs = START_MS + 6 * HOUR_MS;
        const many = Array.from(
          { length: 45 },
          (_, index) => [fromMs + index, `item ${index}`, 'x'.repeat(60_000)] as const,
        );
        await put(3, ...many);
        const read = await names({ shard: 3, fromMs, untilMs: fromMs + HOUR_MS });
        deepEqual(read, many.map(([, name]) => name).toReversed());
      },
    },
  ];
}

function rollCases(history: History): ConformanceCase[] {
  // Others may have noted theirs.
  const late = async (minutes: readonly LateMinute[]): Promise<readonly string[]> => {
    const noted = (await history.rollState(ANY)).late;
    return noted.filter(({ startMs }) => minutes.some((each) => each.startMs === startMs)).map(({ token }) => token);
  };
  const minute = (index: number, token: string): LateMinute & { readonly expiresAtSeconds: number } => ({
    startMs: START_MS + 100 * HOUR_MS + index * MINUTE_MS,
    token,
    expiresAtSeconds: EXPIRES,
  });
  return [
    {
      name: 'how far the sweeper is never goes back',
      async run() {
        await history.rolled(START_MS);
        equal((await history.rollState(ANY)).untilMs, START_MS);
        await history.rolled(START_MS + MINUTE_MS);
        await history.rolled(START_MS);
        equal((await history.rollState(ANY)).untilMs, START_MS + MINUTE_MS);
        equal((await history.rollState(1)).untilMs, START_MS + MINUTE_MS);
      },
    },
    {
      name: 'marks of deployments stand among the buckets, and are none of them',
      async run() {
        const fromMs = START_MS + 300 * HOUR_MS;
        const mark = { every: 'deploy', startMs: fromMs + 7, count: 1, data: bytes('aa') } as const;
        await history.putBucket({ ...mark, expiresAtSeconds: EXPIRES });
        const query = { fromMs, untilMs: fromMs + HOUR_MS, limit: ANY };
        deepEqual(
          (await history.buckets({ every: 'deploy', ...query })).map(({ startMs, data }) => [
            startMs - fromMs,
            textOf(data),
          ]),
          [[7, 'aa']],
        );
        for (const every of ['minute', 'hour', 'day'] as const)
          deepEqual(await history.buckets({ every, ...query }), []);
      },
    },
    {
      name: 'a late minute is noted until its note is taken away, unless it was noted again',
      async run() {
        const [first, again] = [minute(1, 'first'), minute(1, 'again')];
        await history.noteLate(first);
        deepEqual(await late([first]), ['first']);
        await history.noteLate(again);
        deepEqual(await late([first]), ['again']);
        await history.clearLate(first);
        deepEqual(await late([first]), ['again']);
        await history.clearLate(again);
        deepEqual(await late([first]), []);
        await history.clearLate(again);
      },
    },
    {
      name: 'late minutes are told in order, at most as many as were asked for',
      async run() {
        const minutes = [5, 3, 4].map((index) => minute(index, `minute ${index}`));
        for (const each of minutes) await history.noteLate(each);
        deepEqual(await late(minutes), ['minute 3', 'minute 4', 'minute 5']);
        equal((await history.rollState(2)).late.length, 2);
        for (const each of minutes) await history.clearLate(each);
        deepEqual(await late(minutes), []);
      },
    },
  ];
}

function bucketCases(history: History): ConformanceCase[] {
  const bucket = (startMs: number, count: number, data: string): Parameters<History['putBucket']>[0] => ({
    every: 'minute',
    startMs,
    count,
    data: bytes(data),
    expiresAtSeconds: EXPIRES,
  });
  const read = async (fromMs: number, untilMs: number, limit = ANY): Promise<unknown[]> =>
    (await history.buckets({ every: 'minute', fromMs, untilMs, limit })).map(({ startMs, count, data }) => [
      startMs - fromMs,
      count,
      textOf(data),
    ]);
  return [
    {
      name: 'a bucket is replaced by one that counts as much or more, and by none that counts less',
      async run() {
        const startMs = START_MS + 200 * HOUR_MS;
        await history.putBucket(bucket(startMs, 3, 'three'));
        await history.putBucket(bucket(startMs, 2, 'two'));
        deepEqual(await read(startMs, startMs + 1), [[0, 3, 'three']]);
        await history.putBucket(bucket(startMs, 3, 'three again'));
        deepEqual(await read(startMs, startMs + 1), [[0, 3, 'three again']]);
        await history.putBucket(bucket(startMs, 10, 'ten'));
        await history.putBucket(bucket(startMs, 9, 'nine'));
        deepEqual(await read(startMs, startMs + 1), [[0, 10, 'ten']]);
      },
    },
    {
      name: 'buckets are read in order, those of the range and of their length alone',
      async run() {
        const fromMs = START_MS + 300 * HOUR_MS;
        for (const index of [3, 1, 2, 0]) await history.putBucket(bucket(fromMs + index * MINUTE_MS, 1, `${index}`));
        await history.putBucket({ ...bucket(fromMs, 7, 'hour'), every: 'hour' });
        await history.putBucket({ ...bucket(fromMs, 8, 'day'), every: 'day' });
        deepEqual(await read(fromMs, fromMs + 3 * MINUTE_MS), [
          [0, 1, '0'],
          [MINUTE_MS, 1, '1'],
          [2 * MINUTE_MS, 1, '2'],
        ]);
        equal((await read(fromMs, fromMs + HOUR_MS, 2)).length, 2);
        deepEqual(await read(fromMs, fromMs), []);
        const hours = await history.buckets({ every: 'hour', fromMs, untilMs: fromMs + 1, limit: ANY });
        deepEqual(
          hours.map(({ every, count, data }) => [every, count, textOf(data)]),
          [['hour', 7, 'hour']],
        );
        ok((await history.buckets({ every: 'day', fromMs, untilMs: fromMs + 1, limit: 1 })).length === 1);
      },
    },
  ];
}
