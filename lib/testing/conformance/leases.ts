/** What every store of claims must do for workers that renew them. */
import { deepEqual, equal } from 'node:assert/strict';

import type { Backend } from '../../ports/backend.ts';
import type { Leases } from '../../ports/leases.ts';
import type { ConformanceCase } from './case.ts';

const NOW = 1_900_000_000_000;
const LEASE_MS = NOW + 60_000;
const LATER_MS = LEASE_MS + 60_000;
const TTL = NOW / 1000 + 86_400;

/** Cases of renewing. @param backend of the same records */
export function leasesConformance(leases: Leases, backend: Backend, prefix: string = 'leases'): ConformanceCase[] {
  const base = { attempt: 0, name: 'task', queue: 'default', meta: '{}', expiresAtSeconds: TTL };
  const claim = async (id: string, owner: string, nowMs = NOW, attempt = 0): Promise<string | undefined> => {
    const [outcome] = await backend.claim([{ ...base, id, owner, nowMs, attempt, leaseMs: nowMs + 60_000 }]);
    return outcome?.kind;
  };
  const renew = (id: string, owner: string, attempt = 0): Promise<boolean> =>
    leases.renew({ id, attempt, owner, leaseMs: LATER_MS, expiresAtSeconds: TTL + 60 });
  const commit = (id: string, owner: string): Promise<boolean[]> =>
    backend.commit([{ ...base, id, owner, nowMs: NOW, status: 'SUCCESS', final: true, meta: '{"status": "SUCCESS"}' }]);
  const cases: readonly (readonly [name: string, run: (id: string) => Promise<void>])[] = [
    [
      'a renewed claim is kept, and taken over when the new lease is over',
      async (id) => {
        equal(await claim(id, 'first'), 'claimed');
        equal(await renew(id, 'first'), true);
        // Its answer was lost.
        equal(await renew(id, 'first'), true);
        equal(await claim(id, 'second', LEASE_MS + 1), 'busy');
        equal(await claim(id, 'second', LATER_MS + 1), 'claimed');
        equal(await renew(id, 'first'), false);
      },
    ],
    [
      'a claim that nobody has taken over may be renewed after its end',
      async (id) => {
        equal(await claim(id, 'first'), 'claimed');
        equal(await renew(id, 'first'), true);
        deepEqual(await commit(id, 'first'), [true]);
      },
    ],
    [
      'nothing is renewed that is not there, is of somebody else, of another attempt, given back, or ended',
      async (id) => {
        equal(await renew(id, 'first'), false);
        equal(await claim(id, 'first'), 'claimed');
        equal(await renew(id, 'second'), false);
        equal(await renew(id, 'first', 1), false);
        equal(await backend.release({ id, attempt: 0, owner: 'first' }), true);
        equal(await renew(id, 'first'), false);
        equal(await claim(id, 'second', NOW + 1), 'claimed');
        deepEqual(await commit(id, 'second'), [true]);
        equal(await renew(id, 'second'), false);
        const [record] = await backend.get([id], NOW);
        equal(record?.status, 'SUCCESS');
      },
    ],
  ];
  return cases.map(([name, run], index) => ({ name, run: () => run(`${prefix}-${index}`) }));
}
