/** What every audit list must do. Cases share one store and keep to times of their own. */
import { deepEqual } from 'node:assert/strict';

import type { Audit, AuditEntry } from '../../ports/audit.ts';
import type { ConformanceCase } from './case.ts';

const DAY_MS = 86_400_000;
const START_MS = 1_900_000_000_000;

/** What every audit list must do, as cases. They share one store. */
export function auditConformance(audit: Audit): ConformanceCase[] {
  /** Of one case's own hundred days. */
  const entry = (from: number, minute: number, more: Partial<AuditEntry> = {}): AuditEntry => {
    const atMs = START_MS + from * 100 * DAY_MS + minute * 60_000;
    const expiresAtSeconds = atMs / 1000 + 90 * 86_400;
    const fixed = { by: 'ada', action: 'queue.pause', on: ['mail'], outcome: 'begun' } as const;
    return { id: `id-${minute}`, atMs, expiresAtSeconds, ...fixed, ...more };
  };
  const behind = (from: number): AuditEntry => entry(from, 1000);
  const listed = (from: number, limit: number): Promise<readonly AuditEntry[]> =>
    audit.list({ limit, nowMs: behind(from).atMs, after: behind(from) });
  return [
    {
      name: 'the newest entry is the first, with all that was said of it',
      async run() {
        const old = entry(0, 1);
        const full = entry(0, 2, {
          count: 7,
          note: 'the relay is down',
          outcome: 'failed',
          error: 'X: y',
          on: ['a', 'b'],
        });
        for (const each of [full, old]) await audit.put(each);
        deepEqual(await listed(0, 10), [full, old]);
      },
    },
    {
      name: 'an entry is written anew when its action has ended',
      async run() {
        const begun = entry(1, 1);
        await audit.put(begun);
        await audit.put({ ...begun, outcome: 'done', count: 3 });
        deepEqual(await listed(1, 1), [{ ...begun, outcome: 'done', count: 3 }]);
      },
    },
    {
      name: 'two entries of one millisecond both stay, and a page goes on between them',
      async run() {
        const [a, b] = ['a', 'b'].map((id) => entry(2, 1, { id })) as [AuditEntry, AuditEntry];
        for (const each of [a, b]) await audit.put(each);
        deepEqual(await listed(2, 1), [b]);
        deepEqual(await audit.list({ limit: 1, nowMs: b.atMs, after: b }), [a]);
      },
    },
    {
      name: 'what has expired is not listed, however much of it lies before the rest',
      async run() {
        const kept = entry(3, 1);
        const gone = [2, 3, 4].map((minute) => entry(3, minute, { expiresAtSeconds: kept.atMs / 1000 }));
        for (const each of [kept, ...gone]) await audit.put(each);
        deepEqual(await listed(3, 1), [kept]);
      },
    },
  ];
}
