/** What every backend must do with a revoke that ends running tasks. */
import { deepEqual, equal } from 'node:assert/strict';

import type { Backend, UpdateOutcome } from '../../ports/backend.ts';
import type { ConformanceCase } from './case.ts';

const NOW = 1_900_000_000_000;
const LEASE_MS = NOW + 60_000;
const TTL = NOW / 1000 + 86_400;
// What is read may lag behind what was written: whoever asks does so again.
const MOST_LOOKS = 100;

export function terminationConformance(backend: Backend, prefix: string): ConformanceCase[] {
  const base = { attempt: 0, nowMs: NOW, name: 'task', queue: 'default', meta: '{}', expiresAtSeconds: TTL };
  const claim = (id: string, owner = 'first'): Promise<unknown> =>
    backend.claim([{ ...base, id, owner, leaseMs: LEASE_MS }]);
  const revoke = (id: string, terminate?: boolean, nowMs = NOW): Promise<string> =>
    backend.revoke({
      id,
      nowMs,
      meta: '{"status": "REVOKED"}',
      expiresAtSeconds: TTL,
      ...(terminate === undefined ? {} : { terminate }),
    });
  const update = (id: string, owner = 'first'): Promise<UpdateOutcome> =>
    backend.update({ id, attempt: 0, owner, status: 'PROGRESS', meta: '{"status": "PROGRESS"}' });
  const comesTrue = async (ids: readonly string[], expected: readonly boolean[]): Promise<void> => {
    let seen: readonly boolean[] = [];
    for (let look = 0; look < MOST_LOOKS && String(seen) !== String(expected); look += 1)
      seen = await backend.terminated(ids);
    deepEqual(seen, expected);
  };
  const cases: readonly (readonly [name: string, run: (id: string) => Promise<void>])[] = [
    [
      'tells which of many were revoked with terminate',
      async (id) => {
        const ids = Array.from({ length: 120 }, (_, index) => `${id}-${index}`);
        const some = ids.filter((_, index) => index % 40 === 3);
        await Promise.all(ids.slice(0, 100).map((each) => claim(each)));
        await Promise.all(some.map((each) => revoke(each, true)));
        await revoke(ids[5] ?? '');
        await revoke(ids[6] ?? '', false);
        await comesTrue(
          ids,
          ids.map((each) => some.includes(each)),
        );
        await comesTrue([ids[3] ?? '', ids[4] ?? '', ids[3] ?? ''], [true, false, true]);
        deepEqual(await backend.terminated([]), []);
      },
    ],
    [
      'lets a running attempt commit that is told to end',
      async (id) => {
        await claim(id);
        equal(await revoke(id, true), 'STARTED');
        const [record] = await backend.get([id], NOW);
        deepEqual([record?.status, record?.terminate, record?.finishedMs], ['STARTED', true, undefined]);
        const commit = { ...base, id, owner: 'first', status: 'REVOKED', final: true };
        deepEqual(await backend.commit([commit]), [true]);
        const [ended] = await backend.get([id], NOW);
        deepEqual([ended?.status, ended?.finishedMs], ['REVOKED', NOW]);
      },
    ],
    [
      'answers who stores a state that its task was revoked with terminate, and stores nothing',
      async (id) => {
        await claim(id);
        equal(await update(id), 'stored');
        await revoke(id);
        equal(await update(id), 'stored');
        await revoke(id, true);
        equal(await update(id), 'terminated');
        equal(await update(id, 'second'), 'lost');
        const [record] = await backend.get([id], NOW);
        equal(record?.status, 'PROGRESS');
      },
    ],
    [
      'keeps the note when it is revoked again without',
      async (id) => {
        await claim(id);
        await revoke(id, true);
        await revoke(id);
        equal(await update(id), 'terminated');
        await comesTrue([id], [true]);
      },
    ],
    [
      'notes it of what waits, too: tasks without claims run all the same',
      async (id) => {
        equal(await revoke(id, true), 'REVOKED');
        await comesTrue([id], [true]);
        const [record] = await backend.get([id], NOW);
        deepEqual([record?.status, record?.terminate, record?.finishedMs], ['REVOKED', true, NOW]);
      },
    ],
    [
      'changes nothing of what has ended',
      async (id) => {
        await claim(id);
        await backend.commit([{ ...base, id, owner: 'first', status: 'SUCCESS', final: true }]);
        equal(await revoke(id, true), 'SUCCESS');
        deepEqual(await backend.terminated([id]), [false]);
      },
    ],
    [
      'bars the claim of whoever takes over from a dead worker',
      async (id) => {
        await claim(id);
        await revoke(id, true);
        const [outcome] = await backend.claim([
          { ...base, id, owner: 'second', nowMs: LEASE_MS + 1, leaseMs: LEASE_MS + 60_000 },
        ]);
        equal(outcome?.kind, 'revoked');
      },
    ],
  ];
  return cases.map(([name, run], index) => ({
    name: `terminate: ${name}`,
    run: () => run(`${prefix}-terminate-${index}`),
  }));
}
