/** What every backend must do with a task that has ended and is to have one more attempt. */
import { deepEqual, equal } from 'node:assert/strict';
import type { Backend, ClaimOutcome, ClaimRequest, ConcludeRequest, ReopenRequest } from '../../ports/backend.ts';
import type { ConformanceCase } from './case.ts';

const NOW = 1_900_000_000_000;
const TTL = NOW / 1000 + 86_400;

/** Cases of `reopen`, beside the others of a backend. */
export function reopenConformance(backend: Backend, prefix: string): ConformanceCase[] {
  const cases: ConformanceCase[] = [];
  const add = (name: string, run: (id: string) => Promise<void>): void => {
    const id = `${prefix}-reopen-${cases.length}`;
    cases.push({ name, run: () => run(id) });
  };
  const claim = async (id: string, attempt: number, change: Partial<ClaimRequest> = {}): Promise<ClaimOutcome> => {
    const [outcome] = await backend.claim([
      {
        id,
        attempt,
        owner: `owner of ${attempt}`,
        nowMs: NOW + 2000,
        leaseMs: NOW + 60_000,
        name: 'task',
        queue: 'default',
        meta: '{"status":"PENDING","result":null}',
        expiresAtSeconds: TTL,
        ...change,
      },
    ]);
    return outcome as ClaimOutcome;
  };
  const conclude = (id: string, change: Partial<ConcludeRequest> = {}): Promise<unknown> =>
    backend.conclude([
      {
        id,
        attempt: 2,
        nowMs: NOW,
        status: 'FAILURE',
        name: 'task',
        queue: 'default',
        meta: '{"status":"FAILURE","result":null}',
        settlement: '{"deadLetter":{}}',
        expiresAtSeconds: TTL,
        ...change,
      },
    ]);
  const reopen = (id: string, change: Partial<ReopenRequest> = {}): Promise<boolean> =>
    backend.reopen({
      id,
      attempt: 2,
      finishedMs: NOW,
      nowMs: NOW + 1000,
      status: 'FAILURE',
      name: 'task',
      queue: 'default',
      meta: '{"status":"RETRY","result":null}',
      past: '{"attempt":2}',
      expiresAtSeconds: TTL + 60,
      ...change,
    });

  add('the next attempt is claimed, and the one before finds how it ended', async (id) => {
    await conclude(id);
    equal(await reopen(id), true);
    const [record] = await backend.get([id], NOW + 1000);
    deepEqual(record, {
      id,
      status: 'FAILURE',
      attempt: 2,
      committed: 2,
      deliveries: 0,
      requeues: 0,
      name: 'task',
      queue: 'default',
      meta: '{"status":"RETRY","result":null}',
      settlement: '{"deadLetter":{}}',
      past: '{"attempt":2}',
      expiresAtSeconds: TTL + 60,
    });
    equal((await claim(id, 2)).kind, 'finished');
    equal((await claim(id, 1)).kind, 'older');
    deepEqual(await claim(id, 3), { kind: 'claimed', deliveries: 1, requeues: 0 });
    const late = await claim(id, 2);
    deepEqual([late.kind, late.kind === 'older' && late.record.past], ['older', '{"attempt":2}']);
    const [commit] = await backend.commit([
      {
        id,
        attempt: 3,
        owner: 'owner of 3',
        nowMs: NOW + 3000,
        status: 'SUCCESS',
        final: true,
        meta: '{"status":"SUCCESS","result":1}',
        expiresAtSeconds: TTL,
      },
    ]);
    equal(commit, true);
    equal((await backend.get([id], NOW + 3000))[0]?.status, 'SUCCESS');
  });

  add('it stands as it is where it has changed since it was seen', async (id) => {
    await conclude(id);
    equal(await reopen(id, { finishedMs: NOW - 1 }), false);
    equal(await reopen(id, { finishedMs: undefined }), false);
    equal((await backend.get([id], NOW))[0]?.finishedMs, NOW);
    equal(await reopen(id), true);
    // Asked again, by whoever got no answer.
    equal(await reopen(id), true);
    await claim(id, 3);
    equal(await reopen(id), false);
    equal((await backend.get([id], NOW))[0]?.attempt, 3);
  });

  add('of a task without a record one is made', async (id) => {
    equal(await reopen(id, { finishedMs: undefined }), true);
    equal((await claim(id, 2)).kind, 'finished');
    equal((await claim(id, 3)).kind, 'claimed');
  });

  add('an expired record is none', async (id) => {
    await conclude(id, { expiresAtSeconds: NOW / 1000 });
    equal(await reopen(id, { finishedMs: undefined }), true);
    equal((await claim(id, 3)).kind, 'claimed');
  });

  add('a task that never ran begins with its first attempt', async (id) => {
    await conclude(id, { attempt: 0 });
    const { past: _past, ...request } = { past: undefined };
    equal(await reopen(id, { ...request, attempt: -1, status: 'PENDING' }), true);
    equal((await claim(id, 0)).kind, 'claimed');
  });

  add('one that is revoked before it is claimed does not run', async (id) => {
    await conclude(id);
    await reopen(id);
    const meta = '{"status":"REVOKED","result":null}';
    equal(await backend.revoke({ id, nowMs: NOW + 1500, meta, expiresAtSeconds: TTL }), 'REVOKED');
    equal((await claim(id, 3)).kind, 'finished');
  });

  return cases;
}
