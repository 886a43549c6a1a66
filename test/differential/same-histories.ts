/** Random histories of each port whose state lies in tables: what one set of adapters answers, the other has to answer too. */
import fc from 'fast-check';
import { expect, it } from 'vitest';

import {
  MemoryBackend,
  MemoryCeleryGroups,
  MemoryGroups,
  MemoryHistory,
  MemoryLocks,
  MemoryMarks,
  MemoryRates,
  MemorySchedules,
  MemorySlots,
  MemoryTimers,
} from '../../lib/memory/index.ts';
import type { Ports } from '../../lib/ports/ports.ts';
import {
  BACKEND_CALLS,
  CELERY_GROUP_CALLS,
  GROUP_CALLS,
  LOCK_CALLS,
  MARK_CALLS,
  RATE_CALLS,
  SCHEDULE_CALLS,
  TIMER_CALLS,
} from './calls.ts';
import { type Call, firstDifference, nextPrefix } from './history.ts';
import { HISTORY_CALLS } from './history-calls.ts';
import { SLOT_CALLS } from './slot-calls.ts';

type Name =
  | 'backend'
  | 'timers'
  | 'schedules'
  | 'groups'
  | 'marks'
  | 'locks'
  | 'rates'
  | 'slots'
  | 'celeryGroups'
  | 'history';

export type TablePorts = { readonly [Port in Name]: NonNullable<Ports[Port]> };

/** Parts of the store of timers, on either side. */
export const SHARDS = 4;

export function memoryPorts(): TablePorts {
  return {
    backend: new MemoryBackend(),
    timers: new MemoryTimers({ shards: SHARDS }),
    schedules: new MemorySchedules(),
    groups: new MemoryGroups(),
    marks: new MemoryMarks(),
    locks: new MemoryLocks(),
    rates: new MemoryRates(),
    slots: new MemorySlots(),
    celeryGroups: new MemoryCeleryGroups(),
    history: new MemoryHistory(),
  };
}

/** A test for each port. Both are asked for when a test runs: servers start after the tests are declared. */
export function sameHistories(one: () => TablePorts, other: () => TablePorts, runs: number): void {
  async function alike<Port>(calls: fc.Arbitrary<Call<Port>>, of: (ports: TablePorts) => Port): Promise<void> {
    await fc.assert(
      fc.asyncProperty(fc.array(calls, { minLength: 2, maxLength: 30 }), async (drawn) => {
        expect(await firstDifference(drawn, of(one()), of(other()), nextPrefix())).toBeUndefined();
      }),
      { numRuns: runs },
    );
  }

  it('backend', () => alike(BACKEND_CALLS, (ports) => ports.backend));
  it('timers', () => alike(TIMER_CALLS, (ports) => ports.timers));
  it('schedules', () => alike(SCHEDULE_CALLS, (ports) => ports.schedules));
  it('groups', () => alike(GROUP_CALLS, (ports) => ports.groups));
  it('marks', () => alike(MARK_CALLS, (ports) => ports.marks));
  it('locks', () => alike(LOCK_CALLS, (ports) => ports.locks));
  it('rates', () => alike(RATE_CALLS, (ports) => ports.rates));
  it('slots', () => alike(SLOT_CALLS, (ports) => ports.slots));
  it('history', () => alike(HISTORY_CALLS, (ports) => ports.history));
  it("Celery's groups", () => alike(CELERY_GROUP_CALLS, (ports) => ports.celeryGroups));
}
