/** The calls of the history that histories of calls are made of. */
import fc from 'fast-check';

import type { History, HistoryItem, StatsEvery } from '../../lib/ports/history.ts';
import type { Calls } from './calls.ts';
import { call } from './history.ts';

const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;
// Hours of one run of a property: no other has them.
const HOURS = 6;
const EXPIRES = 4_102_444_800;

/** What has no name in a store is told apart by its time. */
function startOf(prefix: string): number {
  return 528_000 * HOUR_MS + Number(prefix.replaceAll(/\D/g, '')) * HOURS * HOUR_MS;
}

const hour = fc.nat(1);
const within = fc.oneof(fc.nat(3), fc.nat(HOUR_MS - 1), fc.constant(HOUR_MS - 1));
const shard = fc.nat(1);
const name = fc.constantFrom('a', 'b', 'a#1', 'ä/😀', 'zz');
const data = fc.uint8Array({ minLength: 1, maxLength: 8 });
const minute = fc.nat(3);
const token = fc.constantFrom('first', 'second');
const every = fc.constantFrom<StatsEvery>('minute', 'hour', 'day');

async function all(port: History, query: Parameters<History['page']>[0]): Promise<HistoryItem[]> {
  const found: HistoryItem[] = [];
  let after: unknown;
  do {
    const { items, next } = await port.page(after === undefined ? query : { ...query, after });
    found.push(...items);
    after = next;
  } while (after !== undefined);
  return found;
}

const item = fc.record({ hour, within, shard, name, data });

export const HISTORY_CALLS: Calls<History> = fc.oneof(
  {
    arbitrary: call('put', fc.array(item, { minLength: 1, maxLength: 3 }), (port: History, items, prefix) => {
      // A request writes each item once.
      const distinct = new Map(items.map((each) => [`${each.hour} ${each.within} ${each.shard} ${each.name}`, each]));
      return port.put(
        [...distinct.values()].map(({ hour: at, within: ms, ...fields }) => ({
          ...fields,
          firstMs: startOf(prefix) + at * HOUR_MS + ms,
          expiresAtSeconds: EXPIRES,
        })),
      );
    }),
    weight: 3,
  },
  call('page', fc.record({ hour, shard, one: within, other: within }), async (port: History, drawn, prefix) => {
    const hourMs = startOf(prefix) + drawn.hour * HOUR_MS;
    const [fromMs, untilMs] = [Math.min(drawn.one, drawn.other), Math.max(drawn.one, drawn.other) + 1];
    const items = await all(port, { shard: drawn.shard, fromMs: hourMs + fromMs, untilMs: hourMs + untilMs });
    return items.map(({ firstMs, name: by, data: bytes }) => [firstMs - hourMs, by, [...bytes]]);
  }),
  call('noteLate', fc.record({ minute, token }), (port: History, drawn, prefix) =>
    port.noteLate({
      startMs: startOf(prefix) + drawn.minute * MINUTE_MS,
      token: drawn.token,
      expiresAtSeconds: EXPIRES,
    }),
  ),
  call('clearLate', fc.record({ minute, token }), (port: History, drawn, prefix) =>
    port.clearLate({ startMs: startOf(prefix) + drawn.minute * MINUTE_MS, token: drawn.token }),
  ),
  call('rolled', minute, (port: History, number, prefix) => port.rolled(startOf(prefix) + number * MINUTE_MS)),
  call('rollState', fc.constant(undefined), async (port: History, _none, prefix) => {
    const { untilMs, late } = await port.rollState(10_000);
    const own = late.filter(({ startMs }) => startMs >= startOf(prefix) && startMs < startOf(prefix) + HOUR_MS);
    return { untilMs, late: own };
  }),
  {
    arbitrary: call(
      'putBucket',
      fc.record({ every, minute, count: fc.nat(3), data }),
      (port: History, { minute: number, ...bucket }, prefix) =>
        port.putBucket({ ...bucket, startMs: startOf(prefix) + number * MINUTE_MS, expiresAtSeconds: EXPIRES }),
    ),
    weight: 2,
  },
  call(
    'buckets',
    fc.record({ every, from: fc.nat(4), until: fc.nat(4), limit: fc.integer({ min: 1, max: 5 }) }),
    async (port: History, drawn, prefix) => {
      const fromMs = startOf(prefix) + drawn.from * MINUTE_MS;
      const untilMs = startOf(prefix) + drawn.until * MINUTE_MS;
      const found = await port.buckets({ every: drawn.every, limit: drawn.limit, fromMs, untilMs });
      return found.map(({ startMs, count, data: bytes, ...rest }) => [startMs - fromMs, count, [...bytes], rest]);
    },
  ),
);
