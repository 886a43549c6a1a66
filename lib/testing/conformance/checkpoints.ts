/** What every backend must do with what a running task stores to go on from. */
import { deepEqual, equal } from 'node:assert/strict';

import type { Backend, ClaimOutcome, UpdateOutcome } from '../../ports/backend.ts';
import type { ConformanceCase } from './case.ts';

const NOW = 1_900_000_000_000;
const LEASE_MS = NOW + 60_000;
const TTL = NOW / 1000 + 86_400;

export function checkpointConformance(backend: Backend, prefix: string): ConformanceCase[] {
  const base = { nowMs: NOW, name: 'task', queue: 'default', meta: '{}', expiresAtSeconds: TTL };
  const claim = async (
    id: string,
    owner: string,
    attempt = 0,
    nowMs = NOW,
  ): Promise<ClaimOutcome | { readonly kind: 'none' }> => {
    const [outcome] = await backend.claim([{ ...base, id, owner, attempt, nowMs, leaseMs: nowMs + 60_000 }]);
    return outcome ?? { kind: 'none' };
  };
  const store = (id: string, owner: string, checkpoint: string, attempt = 0): Promise<UpdateOutcome> =>
    backend.update({ id, attempt, owner, checkpoint });
  const end = (id: string, owner: string, attempt: number, more: object): Promise<boolean[]> =>
    backend.commit([{ ...base, id, owner, attempt, status: 'RETRY', final: false, ...more }]);
  const cases: readonly (readonly [name: string, run: (id: string) => Promise<void>])[] = [
    [
      'a checkpoint is there for whoever takes the attempt over, and counts its deliveries anew',
      async (id) => {
        await claim(id, 'first');
        await claim(id, 'second', 0, LEASE_MS + 1);
        equal(await store(id, 'first', '1'), 'lost');
        equal(await store(id, 'second', '2'), 'stored');
        // Its answer was lost.
        equal(await store(id, 'second', '2'), 'stored');
        deepEqual(await claim(id, 'third', 0, LEASE_MS + 120_000), {
          kind: 'claimed',
          deliveries: 2,
          requeues: 0,
          checkpoint: '2',
        });
      },
    ],
    [
      'a part ends with its checkpoint, and the next one is claimed at once, once',
      async (id) => {
        await claim(id, 'first');
        deepEqual(await end(id, 'first', 0, { checkpoint: '{"part":2}', settlement: '{"retry":1}' }), [true]);
        // Its answer was lost.
        deepEqual(await end(id, 'first', 0, { checkpoint: '{"part":2}', settlement: '{"retry":1}' }), [true]);
        equal(await store(id, 'first', '9'), 'lost');
        const again = await claim(id, 'again');
        equal(again.kind === 'finished' ? again.record.settlement : again.kind, '{"retry":1}');
        deepEqual(await claim(id, 'second', 0.0001), {
          kind: 'claimed',
          deliveries: 1,
          requeues: 0,
          checkpoint: '{"part":2}',
        });
        equal((await claim(id, 'first', 0)).kind, 'older');
        equal((await claim(id, 'third', 0.0001)).kind, 'busy');
        const [record] = await backend.get([id], NOW);
        deepEqual([record?.attempt, record?.committed, record?.meta], [0.0001, 0, '{}']);
        // The next attempt is beyond all of its parts.
        deepEqual(await end(id, 'second', 0.0001, {}), [true]);
        equal((await claim(id, 'fourth', 1)).kind, 'claimed');
        equal((await claim(id, 'second', 0.0002)).kind, 'older');
      },
    ],
    [
      'a commit takes the checkpoint away where it says so',
      async (id) => {
        await claim(id, 'first');
        await store(id, 'first', '1');
        deepEqual(await end(id, 'first', 0, { status: 'SUCCESS', final: true, checkpoint: '' }), [true]);
        const [record] = await backend.get([id], NOW);
        equal(record?.checkpoint, undefined);
        equal(record?.status, 'SUCCESS');
      },
    ],
    [
      'a failure keeps it, and so does a task that is opened again',
      async (id) => {
        await claim(id, 'first');
        await store(id, 'first', '1');
        deepEqual(await end(id, 'first', 0, { status: 'FAILURE', final: true }), [true]);
        const { name, queue, meta, nowMs, expiresAtSeconds } = base;
        const reopen = {
          id,
          attempt: 0,
          finishedMs: NOW,
          nowMs,
          status: 'PENDING',
          name,
          queue,
          meta,
          expiresAtSeconds,
        };
        equal(await backend.reopen(reopen), true);
        const next = await claim(id, 'second', 1);
        equal(next.kind === 'claimed' ? next.checkpoint : next.kind, '1');
      },
    ],
    [
      'a task that is told to end stores none',
      async (id) => {
        await claim(id, 'first');
        await backend.revoke({ id, nowMs: NOW, meta: '{}', expiresAtSeconds: TTL, terminate: true });
        equal(await store(id, 'first', '1'), 'terminated');
        const [record] = await backend.get([id], NOW);
        equal(record?.checkpoint, undefined);
      },
    ],
    [
      'a part that ends beside others of its batch',
      async (id) => {
        const ids = [`${id}-a`, `${id}-b`, `${id}-c`];
        await backend.claim(ids.map((each) => ({ ...base, id: each, owner: 'first', attempt: 0, leaseMs: LEASE_MS })));
        const commits = ids.map((each) => ({
          ...base,
          id: each,
          owner: 'first',
          attempt: 0,
          status: 'RETRY',
          final: false,
        }));
        deepEqual(await backend.commit(commits.map((commit) => ({ ...commit, checkpoint: commit.id }))), [
          true,
          true,
          true,
        ]);
        const records = await backend.get(ids, NOW);
        deepEqual(
          records.map((record) => record?.checkpoint),
          ids,
        );
      },
    ],
  ];
  return cases.map(([name, run]) => ({ name: `${prefix}: checkpoint: ${name}`, run: () => run(`${prefix}-${name}`) }));
}
