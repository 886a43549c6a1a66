/** Which keys somebody waits for. Cases of every store of slots, which is asked for times of their own. */
import { deepEqual, equal, ok } from 'node:assert/strict';

import { slotsKey, taskLockKey } from '../../ports/slot-keys.ts';
import type { Parked, SlotStore } from '../../ports/slots.ts';
import type { ConformanceCase } from './case.ts';

const HOUR_MS = 3_600_000;
// Another hour for each case, far from those of others.
const NOW = 2_100_000_000_000;

export function linesConformance(slots: SlotStore): ConformanceCase[] {
  return [
    {
      name: 'a key is listed once from when somebody waits for it, however often it is noted',
      async run() {
        const keys = [slotsKey('noted#a'), slotsKey('noted#é 日'), taskLockKey('noted#')];
        for (const key of keys) {
          const wake = { kind: 'send', message: { queue: 'default', body: 'x' } } as const;
          const parked: Parked = { sinceMs: 1, holder: 'noted#0', token: 'token', wake, grants: 0 };
          await slots.park(key, [parked], NOW);
          for (const later of [1, HOUR_MS / 4, HOUR_MS / 2]) await slots.noteLine(key, NOW + later);
        }
        const { keys: listed, more } = await slots.lines({ nowMs: NOW + HOUR_MS / 2, limit: 10 });
        deepEqual(listed.toSorted(), keys.toSorted());
        equal(more, false);
      },
    },
    {
      name: 'who waits without a note is not listed',
      async run() {
        const nowMs = NOW + 10 * HOUR_MS;
        const wake = { kind: 'show', queue: 'orders', receipt: 'x' } as const;
        await slots.park(slotsKey('silent#'), [{ sinceMs: 1, holder: 'silent#0', token: 't', wake, grants: 0 }]);
        deepEqual(await slots.lines({ nowMs, limit: 10 }), { keys: [], more: false });
      },
    },
    {
      name: 'a note counts for three quarters of an hour at least, and for an hour at most',
      async run() {
        const nowMs = NOW + 20 * HOUR_MS + 123_456;
        await slots.noteLine(slotsKey('old#'), nowMs);
        const listed = async (laterMs: number): Promise<number> =>
          (await slots.lines({ nowMs: nowMs + laterMs, limit: 10 })).keys.length;
        deepEqual([await listed(0), await listed(0.75 * HOUR_MS), await listed(HOUR_MS)], [1, 1, 0]);
      },
    },
    {
      name: 'no more keys are listed than are asked for, and that there are more is told',
      async run() {
        const nowMs = NOW + 30 * HOUR_MS;
        const keys = Array.from({ length: 12 }, (_, index) => slotsKey(`many#${index}`));
        for (const key of keys) await slots.noteLine(key, nowMs);
        const some = await slots.lines({ nowMs, limit: 5 });
        deepEqual([some.keys.length, some.more], [5, true]);
        ok(some.keys.every((key) => keys.includes(key)));
        deepEqual((await slots.lines({ nowMs, limit: 12 })).more, false);
      },
    },
  ];
}
